"""The real gcloud, loaded once: each command runs in a fork of one process that has its modules already.

gcloud takes a second of a processor to load, and a deployment calls it a hundred times. Run by gcloud's own Python:
`python gcloud_server.py LIB SOCKET`. A client (gcloud_client.py) sends its arguments, environment, folder and standard
streams, and gets the exit status; a client that is ended ends its command.
"""

from __future__ import annotations

import array
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
from typing import Any


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The request and the three standard streams."""
    fds = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(
        1 << 20, socket.CMSG_LEN(3 * fds.itemsize)
    )
    for _, _, content in ancillary:
        fds.frombytes(content)
    while not data.endswith(b"\n"):
        data += connection.recv(1 << 20)
    return json.loads(data), list(fds)


def run(request: dict[str, Any], fds: list[int], connection: socket.socket) -> None:
    """In the fork: becomes the command."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = [request["gcloud"], *request["arguments"]]
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(n, m) for n, m in ((0, "r"), (1, "w"), (2, "w"))
    )
    threading.Thread(target=end_with, args=(connection,), daemon=True).start()
    status = 1
    try:
        importlib.import_module("googlecloudsdk.gcloud_main").main()
        status = 0
    except SystemExit as ended:
        status = (
            ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        )
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        loaded = [
            name
            for name in sys.modules
            if name.startswith(("googlecloudsdk.", "apitools."))
        ]
        connection.sendall(
            json.dumps({"status": status, "loaded": loaded}).encode() + b"\n"
        )
        os._exit(status)


def end_with(connection: socket.socket) -> None:
    """The client writes nothing more: an end of its stream is its own end."""
    if not connection.recv(1):
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    lib, place = sys.argv[1:]
    sys.path[:0] = [f"{lib}/third_party", lib]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    importlib.import_module("googlecloudsdk.gcloud_main")
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen(64)
    while True:
        connection, _ = server.accept()
        request, fds = receive(connection)
        if "loaded" in request:
            learn(request["loaded"])
        elif os.fork() == 0:
            server.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run(request, fds, connection)
        for fd in fds:
            os.close(fd)
        connection.close()


def learn(names: list[str]) -> None:
    """What a command had to load is there for the next ones."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(
                Exception
            ):  # some are made up by gcloud's own loader
                importlib.import_module(name)


if __name__ == "__main__":
    main()
