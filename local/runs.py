"""What `run` and `serve` do: start the stack, say where it is, play the scenario, keep serving."""

import argparse
import os
from pathlib import Path

from dotenv import load_dotenv

from local import playground, sample_data
from local.errors import CannotRunError
from local.stack import Options, Stack

ENV_FILE = Path(__file__).parent.parent / ".env"
_ACCOUNT = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


def run(options: argparse.Namespace) -> int:
    """Everything; returns the exit status."""
    if options.twilio:
        return _run_with_twilio(options)
    stack = _stack(options, standin=True)
    try:
        stack.start()
        _say_where(stack)
        stack.emulator.clear(
            options.project
        )  # one that runs already may hold an earlier story
        sample_data.load(stack.emulator.host, options.project)
        all_right = _play(stack)
        if options.once:
            return 0 if all_right else 1
        print(f"\nOpen {stack.url}/ - Ctrl-C ends everything.", flush=True)
        stack.emulator.wait_for_end()
    finally:
        stack.stop()


def serve(options: argparse.Namespace) -> int:
    """The emulator, its events and every function."""
    stack = _stack(options, standin=False)
    try:
        stack.start()
        _say_where(stack)
        missing = [name for name in _ACCOUNT if not os.environ.get(name)]
        if missing:
            print(
                f"Not set: {' and '.join(missing)}; webhooks will be refused.",
                flush=True,
            )
        stack.emulator.wait_for_end()
    finally:
        stack.stop()


def _run_with_twilio(options: argparse.Namespace) -> int:
    """The real account: its webhooks must reach this machine, and customers write with real phones."""
    if options.once:
        raise CannotRunError(
            "--once plays the scenario, which needs the stand-in: leave out --twilio."
        )
    load_dotenv(ENV_FILE)
    os.environ.pop("TWILIO_API_BASE_URL", None)
    missing = [name for name in _ACCOUNT if not os.environ.get(name)]
    if missing:
        raise CannotRunError(
            f"--twilio needs {' and '.join(missing)} in {ENV_FILE.name} or in the environment."
        )
    stack = _stack(options, standin=False, real_account=True)
    try:
        stack.start()
        sample_data.load(stack.emulator.host, options.project)
        _say_where(stack)
        base = (
            os.environ.get("WEBHOOK_BASE_URL")
            or "https://YOUR-TUNNEL (then set WEBHOOK_BASE_URL in .env)"
        )
        print(
            f"Have a tunnel lead to {stack.url}, and in Twilio's console set for Conversations\n"
            f"  Pre-Event URL   {base}/pre-event\n  Post-Event URL  {base}/post-event\n"
            "Through the tunnel only these webhooks answer; pages open on this machine alone.\n"
            f"{_sign_in(stack)}\n"
            "Ctrl-C ends everything.",
            flush=True,
        )
        stack.emulator.wait_for_end()
    finally:
        stack.stop()


def _sign_in(stack: Stack) -> str:
    """How workers sign in while customers are real: never at the local issuer, where anyone may be any worker."""
    if os.environ.get("OIDC_CLIENT_ID"):
        return f"Workers sign in at {stack.url}/inbox: allow {stack.url}/inbox/back at your issuer."
    return f"To open the inbox, set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET in {ENV_FILE.name} (docs/inbox.md)."


def _stack(
    options: argparse.Namespace, standin: bool, real_account: bool = False
) -> Stack:
    chosen = Options(
        project=options.project,
        port=options.port,
        emulator_port=options.emulator_port,
        standin_port=getattr(options, "standin_port", 0),
        standin=standin,
        real_account=real_account,
        sweep_every=options.sweep_every,
        verbose=options.verbose,
    )
    return Stack(chosen, pages=playground.pages)


def _play(stack: Stack) -> bool:
    from local.scenario import Scenario

    return Scenario(stack).play()


def _say_where(stack: Stack) -> None:
    print(f"Firestore emulator  {stack.emulator.host}, project {stack.options.project}")
    if stack.standin is not None:
        print(f"Twilio stand-in     {stack.standin.url}")
    names = " ".join(function.name for function in stack.functions_list)
    print(f"Functions           {stack.url}/NAME: {names}", flush=True)
