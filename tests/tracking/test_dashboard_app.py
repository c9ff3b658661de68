"""The plain address of the dashboard opens the runs; every other address is MLflow's own."""

import asyncio

import pytest

from pipeline.tracking.dashboard_app import Landing

PAGE = "#/experiments/7/runs?view=</script>"


def answers(**scope):
    """What is sent for a request, and whether the application behind was asked."""
    sent, asked = [], []

    async def behind(scope, receive, send):
        asked.append(scope)

    async def send(message):
        sent.append(message)

    request = {"type": "http", "method": "GET", "path": "/", "query_string": b""} | scope
    asyncio.run(Landing(behind, PAGE, "a token")(request, None, send))
    return sent, asked


def test_the_plain_address_is_answered_with_the_page_to_go_on_to():
    (start, body), asked = answers()
    assert asked == []
    headers = dict(start["headers"])
    assert start["status"] == 200
    assert headers[b"x-batchscope-server"] == b"a token"
    assert headers[b"content-type"].startswith(b"text/html")
    assert int(headers[b"content-length"]) == len(body["body"])
    # An address with a page of its own keeps it; the page is a string of the script and cannot end it.
    text = body["body"].decode()
    assert 'location.hash.length > 2 ? location.hash : "#/experiments/7/runs?view=<\\/script>"' in text
    assert text.count("</script>") == 1


@pytest.mark.parametrize(
    "scope",
    [
        {"query_string": b"runs"},
        {"path": "/health"},
        {"path": "/ajax-api/2.0/mlflow/runs/search", "method": "POST"},
        {"method": "POST"},
        {"type": "lifespan"},
    ],
)
def test_every_other_request_is_handed_on(scope):
    sent, asked = answers(**scope)
    assert sent == []
    assert len(asked) == 1
