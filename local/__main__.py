"""The local commands: run, serve, functions, emulator, twilio."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from local.emulator import Emulator
from local.errors import CannotRunError
from local.ports import claim_port

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, 2 when it could not start."""
    options = _parser().parse_args(arguments)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _ended)
    try:
        command: Command = options.command
        return command(options)
    except CannotRunError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    """Either way out passes every `finally`."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(
        commands.add_parser("run", help="everything, the scenario, then the playground")
    )
    _add_serve(
        commands.add_parser("serve", help="the emulator, its events and every function")
    )
    functions = commands.add_parser(
        "functions", help="every function on one port, nothing else"
    )
    functions.add_argument("--port", type=int, default=8081, help="default 8081")
    functions.set_defaults(command=_functions)
    emulator = commands.add_parser(
        "emulator", help="the Firestore emulator with the project's rules"
    )
    emulator.add_argument(
        "--port", type=int, default=8085, help="default 8085; 0: any free one"
    )
    emulator.add_argument(
        "--functions-port", type=int, help="where it posts its events; default: nowhere"
    )
    emulator.set_defaults(command=_emulator)
    _add_twilio(commands.add_parser("twilio", help="the Twilio stand-in alone"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Start everything, play the scenario, then keep serving until Ctrl-C."
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the scenario; status 0 if all was right",
    )
    parser.add_argument(
        "--twilio",
        action="store_true",
        help="use the real account from .env instead of the stand-in",
    )
    parser.add_argument(
        "--standin-port",
        type=int,
        default=0,
        help="of the Twilio stand-in; default: any free",
    )
    _add_stack(parser)
    parser.set_defaults(command=_run)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = "The emulator, its events and every function, with the TWILIO_* of the environment."
    _add_stack(parser)
    parser.set_defaults(command=_serve)


def _add_twilio(parser: argparse.ArgumentParser) -> None:
    parser.description = "A server that behaves as Twilio Conversations does. Controls: POST /_standin/NAME"
    parser.add_argument("--port", type=int, default=0, help="default 0: any free one")
    parser.add_argument(
        "--account-sid", help="AC and 32 hexadecimal digits; made up when not given"
    )
    parser.add_argument(
        "--auth-token",
        default="stand-in-auth-token",
        help="signs webhooks, opens the API",
    )
    parser.set_defaults(command=_twilio)


def _add_stack(parser: argparse.ArgumentParser) -> None:
    named = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
    project = named if named.startswith("demo-") else "demo-local"
    parser.add_argument(
        "--port",
        type=int,
        default=8080,
        help="of the functions and the pages; default 8080",
    )
    parser.add_argument(
        "--emulator-port",
        type=int,
        default=0,
        help="of the Firestore emulator; default: any free",
    )
    parser.add_argument(
        "--project", type=_demo_project, default=project, help=f"default {project}"
    )
    parser.add_argument(
        "--sweep-every", type=float, default=60, help="seconds; default 60, 0: never"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show the functions' log (else in .local/)",
    )


def _demo_project(name: str) -> str:
    if not name.startswith("demo-"):
        raise argparse.ArgumentTypeError(
            "a local project id starts with demo-, so that nothing real is meant"
        )
    return name


def _run(options: argparse.Namespace) -> int:
    from local import runs

    return runs.run(options)


def _serve(options: argparse.Namespace) -> int:
    from local import runs

    return runs.serve(options)


def _functions(options: argparse.Namespace) -> int:
    from local import functions

    functions.serve(options.port)
    return 0


def _emulator(options: argparse.Namespace) -> int:
    port = claim_port(options.port, "the Firestore emulator")
    emulator = Emulator(port=port, functions_port=options.functions_port, own=True)
    try:
        emulator.start()
        print(
            f"Firestore emulator: export FIRESTORE_EMULATOR_HOST={emulator.host}   (Ctrl-C ends it)",
            flush=True,
        )
        emulator.wait_for_end()
    finally:
        emulator.stop()


def _twilio(options: argparse.Namespace) -> NoReturn:
    from local.twilio import StandIn

    port = claim_port(options.port, "the Twilio stand-in")
    with StandIn(options.account_sid, options.auth_token, port) as standin:
        print(
            f"{standin.url}  account {standin.account_sid}  token {standin.auth_token}",
            flush=True,
        )
        while True:
            signal.pause()


if __name__ == "__main__":
    sys.exit(main())
