"""TCP ports on this machine: a free one, and one clear sentence when a wanted one is taken."""

import socket

from local.errors import PortTakenError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def claim_port(port: int, purpose: str, option: str = "--port") -> int:
    """The port itself if it is free, a free one for 0; raises PortTakenError otherwise."""
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # one in TIME_WAIT counts as free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} on {HOST}, wanted for {purpose}, is taken by another program: "
                f"stop that one or choose another port with {option}."
            ) from error
    return port
