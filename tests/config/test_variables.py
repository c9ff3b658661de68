"""What the configuration takes from environment variables is found, whatever way it takes."""

import pytest
from omegaconf import OmegaConf

from pipeline.config.variables import from_environment

SECRET = "hunter2secret"


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("SEVERAL", "[a,b]")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")


def found_in(**config):
    return {each.key: each for each in from_environment(OmegaConf.create(config))}


def test_values_are_found_directly_in_text_by_way_of_another_and_in_lists():
    found = found_in(
        plain="${oc.env:SECRET}",
        text={"inner": "s3://${oc.env:SECRET}@bucket"},
        other="${text.inner}/x",
        decoded="${oc.decode:${oc.env:SEVERAL}}",
        listed=["a", "${oc.env:SECRET}"],
        fixed="${plain_number}",
        plain_number=3,
    )
    assert {key: each.written for key, each in found.items()} == {
        "plain": "${oc.env:SECRET}",
        "text.inner": "s3://${oc.env:SECRET}@bucket",
        "other": "${text.inner}/x",
        "decoded": "${oc.decode:${oc.env:SEVERAL}}",
        "listed": "${oc.env:SECRET}",
    }
    assert found["other"].value == f"s3://{SECRET}@bucket/x"
    assert found["decoded"].value == ["a", "b"]
    assert found["plain"].read == (("${oc.env:SECRET}", SECRET),)


def test_a_default_the_address_of_the_store_and_what_cannot_be_read_are_not_from_the_environment():
    assert found_in(a="${oc.env:NONE_SUCH,usual}", b="${oc.env:MLFLOW_TRACKING_URI}", c="${oc.env:NONE_SUCH}") == {}


def test_omegaconfs_own_resolver_is_back_afterwards():
    found_in(plain="${oc.env:SECRET}")
    assert OmegaConf.create({"a": "${oc.env:SECRET}"}).a == SECRET
