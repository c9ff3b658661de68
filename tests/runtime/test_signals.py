"""A signal ends the process, also where Python drops the exception that it raises."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = "import os, signal, weakref\nfrom pipeline.runtime.signals import exit_if_asked, exit_on_signals, undisturbed\n"
# Sends the process a signal where Python drops the exception that it raises.
DROPPED = """
class Thing: pass
thing = Thing()
kept = weakref.ref(thing, lambda gone: os.kill(os.getpid(), signal.{name}))
del thing
print("went on", flush=True)
{then}
print("never", flush=True)
"""


def run(code):
    return subprocess.run([sys.executable, "-c", START + code], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("then", ["exit_if_asked()", "import time; time.sleep(50)"])
@pytest.mark.parametrize(("name", "status"), [("SIGINT", -2), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_in_the_callback_of_a_weak_reference_ends_the_process_all_the_same(name, status, then):
    done = run("exit_on_signals()" + DROPPED.format(name=name, then=then))
    assert (done.stdout, done.returncode) == ("went on\n", status)
    assert "Exception ignored" not in done.stderr


def test_what_else_python_drops_is_still_told():
    done = run("exit_on_signals()\nclass Thing:\n    def __del__(self): raise ValueError('dropped')\nThing()\n")
    assert "ValueError: dropped" in done.stderr


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_is_a_system_exit_that_lets_what_runs_be_ended(name, status):
    code = f"exit_on_signals()\ntry:\n    os.kill(os.getpid(), signal.{name})\nfinally:\n    print('ended')\n"
    done = run(code)
    assert (done.stdout, done.returncode) == ("ended\n", status)


def test_the_signal_that_came_is_named_and_without_one_there_is_no_name():
    code = (
        "from pipeline.runtime.signals import asked_by\nexit_on_signals()\nprint([asked_by()])\ntry:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\nexcept SystemExit:\n    print([asked_by()])\n"
    )
    assert run(code).stdout == "['']\n['SIGTERM']\n"


def test_an_ignored_hangup_stays_ignored_and_without_a_signal_nothing_happens():
    code = "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nexit_on_signals()\nos.kill(os.getpid(), signal.SIGHUP)\n"
    done = run(code + "exit_if_asked()\nprint('on')\n")
    assert (done.stdout, done.returncode) == ("on\n", 0)


@pytest.mark.parametrize(("seconds", "said", "status"), [(60, "put right\n", 0), (0, "", 130)])
def test_a_second_ctrl_c_does_not_keep_what_ends_from_being_put_right_for_a_while(seconds, said, status):
    code = (
        f"signal.signal(signal.SIGINT, signal.default_int_handler)\ntry:\n    with undisturbed({seconds}):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n        print('put right')\n"
        "except KeyboardInterrupt:\n    raise SystemExit(130)\n"
    )
    done = run(code)
    assert (done.stdout, done.returncode) == (said, status)
