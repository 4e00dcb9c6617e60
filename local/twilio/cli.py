"""`python -m local twilio --port N`: the stand-in alone, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from local.twilio.standin import StandIn


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until SIGINT or SIGTERM; 2 when the port is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m local twilio",
        description="A server that behaves as Twilio Conversations does. Controls: /_standin/...",
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0, the default, takes a free one")
    parser.add_argument("--account-sid", help="AC and 32 hexadecimal digits; made up when not given")
    parser.add_argument(
        "--auth-token", default="stand-in-auth-token", help="signs webhooks, and REST calls need it"
    )
    given = parser.parse_args(argv)
    try:
        standin = StandIn(given.account_sid, given.auth_token, given.port)
    except OSError as error:
        print(
            f"Port {given.port} cannot be used ({error.strerror}): choose another one with --port.",
            file=sys.stderr,
        )
        return 2
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    with standin:
        print(f"{standin.url}  account {standin.account_sid}  token {standin.auth_token}", flush=True)
        ended.wait()
    return 0
