"""Child processes: started, waited for, killed or stopped, and ended with us whatever happens to us."""

import atexit
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO

from local.errors import ChildFailedError

# Linux kills the child as soon as its parent is gone, even by SIGKILL; elsewhere our own end must be orderly.
_LAUNCHER = """
import os, sys
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]): sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
_alive: "weakref.WeakSet[Child]" = weakref.WeakSet()
_spawns: "queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]"
_spawns = queue.SimpleQueue()
_spawner_lock = threading.Lock()
_spawner: threading.Thread | None = None


class Child:
    """One child process in a process group of its own."""

    def __init__(
        self,
        args: Sequence[str | Path],
        *,
        name: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Path | None = None,
        echo: bool = False,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self.args = [str(part) for part in args]
        self.name = name
        self.env = env
        self.cwd = cwd
        self.echo = echo  # print where we print, instead of into the log
        self.ready = ready
        self.process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] = log.open("a+b") if log else tempfile.TemporaryFile()  # noqa: SIM115 - outlives this

    def start(self) -> "Child":
        """Start it (again); returns at once."""
        if self.alive:
            return self
        self.process = _spawn(self._open)
        _alive.add(self)
        return self

    def _open(self) -> subprocess.Popen[bytes]:
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
        return subprocess.Popen(
            launcher + self.args,
            env=None if self.env is None else dict(self.env),
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=None if self.echo else self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Whether the process itself still runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; the process group has the same."""
        if self.process is None:
            raise ChildFailedError(f"{self.name} has not been started.")
        return self.process.pid

    def wait_ready(self, timeout: float = 30) -> "Child":
        """Wait until `ready` says yes; raises ChildFailedError if it ends first or takes over `timeout` s."""
        end = time.monotonic() + timeout
        while self.ready is not None and not self.ready():
            if not self.alive:
                raise ChildFailedError(f"{self.name} ended by itself:\n{self.output()}")
            if time.monotonic() > end:
                raise ChildFailedError(
                    f"{self.name} did not answer within {timeout:g} s:\n{self.output()}"
                )
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """End it and its children as a crash would: no goodbye."""
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self, grace: float = 3) -> None:
        """Ask it to end, and insist after `grace` seconds."""
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()
            _alive.discard(self)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # all of the group has ended (macOS answers with a missing permission)

    def output(self, characters: int = 2000) -> str:
        """The end of what it printed."""
        self._output.flush()
        size = os.fstat(self._output.fileno()).st_size
        tail = os.pread(self._output.fileno(), characters, max(0, size - characters))
        return tail.decode(errors="replace").strip()


def _spawn(
    open_process: Callable[[], subprocess.Popen[bytes]],
) -> subprocess.Popen[bytes]:
    """Start it from one thread that lives as long as we do: Linux ties the child's life to that thread."""
    global _spawner
    with _spawner_lock:
        if _spawner is None or not _spawner.is_alive():
            _spawner = threading.Thread(
                target=_serve_spawns, name="spawner", daemon=True
            )
            _spawner.start()
    opened: Future[subprocess.Popen[bytes]] = Future()
    _spawns.put((open_process, opened))
    return opened.result()


def _serve_spawns() -> None:
    while True:
        open_process, opened = _spawns.get()
        try:
            opened.set_result(open_process())
        except OSError as error:
            opened.set_exception(error)


@atexit.register
def _stop_all() -> None:
    for child in list(_alive):
        child.stop(grace=1)
