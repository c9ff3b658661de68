"""A signal ends the process, also where Python drops the exception that it raises."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
START = "import os, signal, weakref\nfrom pipeline.runtime.signals import exit_if_asked, exit_on_signals, undisturbed\n"
DROPPED = """
class Thing: pass
thing = Thing()
kept = weakref.ref(thing, lambda gone: os.kill(os.getpid(), signal.SIGTERM))
del thing
"""


def run(code):
    return subprocess.run(
        [sys.executable, "-c", START + code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        # The tests may run where they are ignored.
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )


def test_a_signal_in_the_callback_of_a_weak_reference_ends_the_process_when_the_work_asks():
    # Without the clock that has it sent again.
    done = run(f"signal.setitimer = lambda *_: None\nexit_on_signals()\n{DROPPED}print('went on')\nexit_if_asked()\n")
    assert (done.stdout, done.stderr, done.returncode) == ("went on\n", "", 143)


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_in_the_callback_of_a_weak_reference_ends_the_process_unasked_and_without_a_word(name, status):
    work = f"{DROPPED}while True: pass".replace("SIGTERM", name).replace("\n", "\n    ")
    done = run(f"exit_on_signals()\ntry:\n    {work}\nexcept KeyboardInterrupt:\n    raise SystemExit(130)\n")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", status)


def test_another_exception_that_python_drops_is_shown_as_ever():
    code = 'class Thing:\n    def __del__(self): raise ArithmeticError("in a destructor")\nthing = Thing()\ndel thing\n'
    done = run(f"exit_on_signals()\n{code}")
    assert "ArithmeticError: in a destructor" in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize("first", ["SIGINT", "SIGTERM"])
def test_a_second_signal_soon_after_the_first_does_not_disturb_the_end(first):
    code = (
        "import atexit\nexit_on_signals()\n"
        "atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), print('at its end')))\n"
        f"try:\n    os.kill(os.getpid(), signal.{first})\n"
        "except BaseException:\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('put right')\n"
        "    raise SystemExit(7)\n"
    )
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("put right\nat its end\n", "", 7)


def test_an_interruption_is_a_keyboard_interrupt_that_is_raised_again_where_it_is_asked_for():
    code = (
        "exit_on_signals()\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n"
        "    print('once')\ntry:\n    exit_if_asked()\nexcept KeyboardInterrupt:\n    print('again')\n"
    )
    assert run(code).stdout == "once\nagain\n"


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


def test_a_signal_that_a_library_handles_meanwhile_ends_the_process_as_before():
    code = (
        "from pipeline.runtime.signals import kept\nexit_on_signals()\nwith kept():\n"
        "    signal.signal(signal.SIGTERM, lambda *_: print('dropped'))\nos.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = run(code)
    assert (done.stdout, done.returncode) == ("", 143)


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
