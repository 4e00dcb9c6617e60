"""Child processes end when they are told to, when we end, and when we are killed."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from local.errors import ChildFailedError
from local.processes import Child

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
]


def is_running(pid: int) -> bool:
    """Not gone, and not a zombie that only waits to be noticed."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
    ).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def wait_until_gone(*pids: int) -> list[int]:
    """Those that are still there after a while."""
    end = time.monotonic() + 5
    while time.monotonic() < end and any(map(is_running, pids)):
        time.sleep(0.02)
    return [pid for pid in pids if is_running(pid)]


@pytest.mark.parametrize("command", [SLEEPER, STUBBORN])
def test_stop_ends_it_even_if_it_does_not_want_to(command: list[str]) -> None:
    child = Child(command, name="sleeper").start()
    child.stop(grace=0.2)
    assert not child.alive


def test_one_that_ends_by_itself_says_why() -> None:
    child = Child(
        [sys.executable, "-c", "print('out of luck')"],
        name="The unlucky",
        ready=lambda: False,
    ).start()
    with pytest.raises(
        ChildFailedError, match=r"The unlucky ended by itself:\nout of luck"
    ):
        child.wait_ready()


def test_one_that_never_answers_is_an_error() -> None:
    child = Child(SLEEPER, name="The silent", ready=lambda: False).start()
    with pytest.raises(ChildFailedError, match=r"did not answer within 0\.1 s"):
        child.wait_ready(0.1)
    child.stop()


def test_one_started_by_a_thread_outlives_the_thread() -> None:
    child = Child(SLEEPER, name="sleeper")
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert child.alive
    child.stop()


PARENT = f"""
import sys, time
from local.processes import Child
child = Child({SLEEPER!r}, name="sleeper").start()
print(child.pid, flush=True)
if sys.argv[1] == "end":
    sys.exit()
time.sleep(60)
"""


@pytest.mark.parametrize("way", ["end", "kill"])
def test_a_child_ends_with_its_parent(way: str) -> None:
    if way == "kill" and sys.platform != "linux":
        pytest.skip("Only Linux can end a child whose parent was killed.")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, way], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    if way == "kill":
        assert is_running(pid)
        os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    assert wait_until_gone(pid) == []
