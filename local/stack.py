"""Everything that runs on a developer's machine, started and ended together."""

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint

from local import functions, oidc, raw_http, sample_data
from local.emulator import Emulator
from local.errors import ChildFailedError
from local.functions import MAIN, Function
from local.gateway import Gateway
from local.ports import HOST, claim_port
from local.processes import Child
from local.sample_data import NUMBERS
from local.scheduler import Scheduler
from local.triggers import Triggers
from tools.twilio_plan import FILTERS

if TYPE_CHECKING:
    from local.twilio import StandIn

LOGS = MAIN.parent / ".local"


@dataclass(frozen=True)
class Options:
    """What can be chosen; port 0 is any free one."""

    project: str = "demo-local"
    port: int = 8080
    emulator_port: int = 0
    standin_port: int = 0
    standin: bool = True
    real_account: bool = (
        False  # of Twilio, behind a tunnel: then only a real issuer signs workers in
    )
    sweep_every: float = 60  # seconds, as Cloud Scheduler; 0: never
    verbose: bool = False  # show the functions' log instead of writing it to .local/


class Stack:
    """The emulator, the functions, the gateway with the triggers, the scheduler and perhaps the stand-in."""

    def __init__(
        self, options: Options, pages: "Callable[[Stack], Blueprint] | None" = None
    ) -> None:
        self.options = options
        port = claim_port(options.port, "the gateway")
        functions_port = claim_port(0, "the functions")
        LOGS.mkdir(exist_ok=True)
        self.triggers = Triggers()
        self.functions_list: list[Function] = functions.listed()
        self.functions_url = f"http://{HOST}:{functions_port}"
        names = [f.name for f in self.functions_list]
        self.gateway = Gateway(
            names, self.functions_url, self.triggers, functions.signed()
        )
        self.url = f"http://{HOST}:{port}"
        self.emulator = Emulator(
            functions_port=port,
            port=options.emulator_port,
            log=_fresh(LOGS / "emulator.log"),
        )
        self.standin = self._make_standin() if options.standin else None
        self.functions = self._functions_process(functions_port)
        self.scheduler = Scheduler(f"{self.functions_url}/sweep", options.sweep_every)
        if not options.real_account:
            self.gateway.mount(
                oidc.pages(oidc.Issuer(f"{self.url}/oidc", self._workers))
            )
        if pages is not None:
            self.gateway.mount(pages(self))

    def start(self) -> "Stack":
        """Start all of it side by side and wait until each part answers."""
        self.gateway.start(int(self.url.rpartition(":")[2]))
        if self.standin is not None:
            self.standin.start()
        self.emulator.launch()
        self.functions.env = self.functions_environment()
        self.functions.start()
        self.emulator.wait_ready()
        self.triggers.connect(self.emulator)
        for function in self.functions_list:
            if function.signature == "cloudevent":
                pattern = functions.pattern_of(function)
                url = f"{self.functions_url}/{function.name}"
                self.triggers.attach(
                    self.options.project, function.entry_point, pattern, url
                )
        self._check_events()
        self.functions.wait_ready()
        if self.standin is not None:
            self._configure(self.standin)
            self._warm_up()
        if self.options.sweep_every:
            self.scheduler.start()
        return self

    def stop(self) -> None:
        """End every process and free every port."""
        self.scheduler.stop()
        if self.standin is not None:
            self.standin.stop()
        self.triggers.close()
        self.functions.stop(grace=0.3)
        self.emulator.stop()
        self.gateway.stop()

    def functions_environment(self) -> Mapping[str, str]:
        """What the functions find in their environment: ours, and where the local parts are."""
        env = dict(os.environ)
        for name in (
            "K_SERVICE",
            "INBOX_URL",
            "INBOX_SIGN_IN",
            "DESK_URL",
        ):  # locally each function goes by its own name
            env.pop(name, None)
        env["GOOGLE_CLOUD_PROJECT"] = self.options.project
        env["FIRESTORE_EMULATOR_HOST"] = self.emulator.host
        env["PYTHONUNBUFFERED"] = "1"
        env |= inbox_secrets()
        if not self.options.real_account:
            env |= inbox_issuer(f"{self.url}/oidc")
        if self.standin is not None:
            for name in (
                "WEBHOOK_BASE_URL",
                "TWILIO_AUTH_TOKEN_SECONDARY",
                "TWILIO_API_KEY_SID",
                "TWILIO_API_KEY_SECRET",
                "TWILIO_CONVERSATION_SERVICE_SID",
            ):
                env.pop(name, None)  # of the real account
            env["TWILIO_ACCOUNT_SID"] = self.standin.account_sid
            env["TWILIO_AUTH_TOKEN"] = self.standin.auth_token
            env["TWILIO_API_BASE_URL"] = self.standin.url
        return env

    @property
    def ahead(self) -> float:
        """Seconds by which its clocks are ahead of the true time."""
        return self.gateway.ahead

    def let_pass(self, seconds: float) -> None:
        """So much time passes at once: for the functions, also after a restart, for browsers, and for the stand-in.

        Raises OSError or http.client.HTTPException, and nothing has passed, while the functions do not answer.
        """
        raw_http.send(
            "POST",
            f"{self.functions_url}/{functions.CLOCK}",
            body=str(seconds).encode(),
        )
        self.gateway.ahead += seconds
        self.functions.env = {
            **(self.functions.env or {}),
            functions.AHEAD: str(self.ahead),
        }
        if self.standin is not None:
            self.standin.advance(seconds)

    def restart_functions(self) -> None:
        """A fresh process after `functions.kill()` or a change of main.py."""
        self.functions.stop(grace=0.3)
        self.functions.start().wait_ready()

    def _workers(self) -> Mapping[str, str]:
        """Whom one can be, by their e-mail addresses."""
        database = sample_data.client(self.emulator.host, self.options.project)
        records = database.collection("workers").limit(50).stream()
        return {
            one.id: str((one.to_dict() or {}).get("display_name") or one.id)
            for one in records
        }

    def _make_standin(self) -> "StandIn":
        from local.twilio import StandIn

        port = claim_port(
            self.options.standin_port, "the Twilio stand-in", "--standin-port"
        )
        return StandIn(account_sid="AC" + "1" * 32, auth_token="2" * 32, port=port)

    def _configure(self, standin: "StandIn") -> None:
        """What one sets in Twilio's console: the two webhooks and the numbers that make conversations."""
        standin.configure_webhooks(
            pre_url=f"{self.url}/pre-event",
            post_url=f"{self.url}/post-event",
            filters=list(FILTERS),
        )
        for number in NUMBERS:
            standin.set_autocreate(number, enabled=True)

    def _warm_up(self) -> None:
        """One sweep opens the connections to Firestore and Twilio, for which the first customer need not wait."""
        raw_http.send("POST", f"{self.functions_url}/sweep")

    def _functions_process(self, port: int) -> Child:
        return Child(
            [sys.executable, "-m", "local", "functions", "--port", str(port)],
            name="The functions process",
            cwd=MAIN.parent,
            log=None if self.options.verbose else _fresh(LOGS / "functions.log"),
            echo=self.options.verbose,
            ready=lambda: functions.answers(f"{self.functions_url}/"),
        )

    def _check_events(self) -> None:
        """An emulator that somebody else started may post its events elsewhere, or nowhere."""
        if self.emulator.is_ours:
            return
        try:
            self.triggers.drain(self.options.project, timeout=3)
        except TimeoutError as error:
            raise ChildFailedError(
                f"The emulator at {self.emulator.host} does not deliver its events here: start it with "
                f"--functions_emulator={self.url.removeprefix('http://')}, or unset FIRESTORE_EMULATOR_HOST."
            ) from error


def inbox_issuer(address: str) -> Mapping[str, str]:
    """Environment variables that let workers sign in at the local issuer."""
    return {
        "OIDC_ISSUER": address,
        "OIDC_CLIENT_ID": oidc.CLIENT_ID,
        "OIDC_CLIENT_SECRET": oidc.CLIENT_SECRET,
    }


def inbox_secrets() -> Mapping[str, str]:
    """Return the inbox's own secrets, good for one run."""
    return {
        "INBOX_SECRET": secrets.token_urlsafe(32),
        "VAPID_PRIVATE_KEY": secrets.token_urlsafe(31),
        "VAPID_SUBJECT": "mailto:nobody@example.com",
    }


def _fresh(log: Path) -> Path:
    log.unlink(missing_ok=True)
    return log
