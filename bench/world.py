"""What all rows stand on: one emulator, one Twilio stand-in, and functions as processes of their own."""

from __future__ import annotations

import os
import secrets
import sys
import time
from pathlib import Path
from types import TracebackType

import urllib3
from flask import Flask
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from local import functions
from local.emulator import Emulator
from local.functions import MAIN
from local.ports import HOST, free_port
from local.processes import Child
from local.servers import LocalServer
from local.triggers import Triggers
from local.twilio.remote_control import StandInClient
from proof import webhooks

FLOORS = Path(__file__).parent / "floors" / "main.py"
ACCOUNT, TOKEN = "AC" + "1" * 32, "2" * 32
SECRET = "3" * 32  # signs the inbox's cookies


class Function:
    """One function in a process of its own, called over one kept-open connection per thread."""

    def __init__(self, child: Child, url: str) -> None:
        self.child, self.url = child, url
        # The server closes a connection that was idle for 2 s; a request that meets that goes out again.
        again = urllib3.Retry(total=3, allowed_methods=None)
        self._http = urllib3.PoolManager(maxsize=64, retries=again, timeout=60)

    def post(self, form: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """A signed webhook; raises RuntimeError unless it is answered with 200."""
        headers, body = webhooks.signed(self.url, form, TOKEN, ACCOUNT)
        answer = self._http.request("POST", self.url, body=body, headers=headers)
        if answer.status != 200:
            raise RuntimeError(
                f"{self.child.name} answered {answer.status}:\n{self.child.output(1500)}"
            )
        return answer

    def call(self) -> None:
        """As the scheduler calls the sweep; raises RuntimeError unless it is answered with 200."""
        answer = self._http.request("POST", self.url, retries=False)
        if answer.status != 200:
            raise RuntimeError(
                f"{self.child.name} answered {answer.status}:\n{self.child.output(1500)}"
            )

    def get(self, path: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """What a browser asks for."""
        return self._http.request("GET", self.url + path, headers=headers)

    def timed(self, form: dict[str, str]) -> float:
        """Seconds from sending to the answer; the signature is made before."""
        headers, body = webhooks.signed(self.url, form, TOKEN, ACCOUNT)
        began = time.perf_counter()
        answer = self._http.request("POST", self.url, body=body, headers=headers)
        seconds = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(
                f"{self.child.name} answered {answer.status}: {answer.data[:300]!r}"
            )
        return seconds


class World:
    """Everything started together and ended together; `with World() as world:`."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick
        self.triggers = Triggers()
        receiver = Flask("triggers")
        receiver.register_blueprint(self.triggers.blueprint())
        self._receiver = LocalServer(receiver)
        self.emulator = Emulator(functions_port=self._receiver.port, own=True)
        port = free_port()
        self.twilio_url = f"http://{HOST}:{port}"
        command = ["-m", "local", "twilio", "--port", str(port)]
        account = ["--account-sid", ACCOUNT, "--auth-token", TOKEN]
        self._standin = Child(
            [sys.executable, *command, *account],
            name="The Twilio stand-in",
            cwd=MAIN.parent,
            ready=lambda: functions.answers(f"{self.twilio_url}/_standin/state"),
        )
        self.twilio = StandInClient(self.twilio_url)
        self._http = urllib3.PoolManager(maxsize=64, retries=False)
        self._started: list[Child] = []

    def __enter__(self) -> World:
        self._receiver.start()
        self.emulator.launch()
        self._standin.start().wait_ready()
        self.triggers.connect(self.emulator.wait_ready())
        self.service_sid = str(self.twilio.call("default_service_sid"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end_functions()
        self.triggers.close()
        self._standin.stop(grace=0.3)
        self.emulator.stop()
        self._receiver.stop()

    def project(self) -> firestore.Client:
        """The database of a fresh project."""
        name = f"demo-bench-{secrets.token_hex(4)}"
        os.environ["FIRESTORE_EMULATOR_HOST"] = self.emulator.host
        return firestore.Client(project=name, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped

    def environment(self, project: str, **more: str) -> dict[str, str]:
        """What a deployed function finds in its environment."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "GOOGLE_CLOUD_PROJECT": project,
            "FIRESTORE_EMULATOR_HOST": self.emulator.host,
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": self.twilio_url,
            "FLOOR_SERVICE": self.service_sid,
            "INBOX_SECRET": SECRET,
            **more,
        }

    def serve(
        self, entry_point: str, project: str, source: Path = MAIN, **more: str
    ) -> Function:
        """A function of main.py or of the floors, running."""
        port = free_port()
        child = functions.child(
            entry_point, port, self.environment(project, **more), source
        ).start()
        self._started.append(child)
        child.wait_ready(90)
        return Function(child, f"http://{HOST}:{port}/")

    def end_functions(self) -> None:
        """End what `serve` has started."""
        for child in self._started:
            child.stop(grace=0.3)
        self._started.clear()

    def conversation(self) -> str:
        """A new conversation at Twilio without any webhook."""
        url = f"{self.twilio_url}/v1/Services/{self.service_sid}/Conversations"
        headers = urllib3.util.make_headers(basic_auth=f"{ACCOUNT}:{TOKEN}")
        answer = self._http.request("POST", url, headers=headers)
        return str(answer.json()["sid"])

    def added_at(self) -> dict[str, float]:
        """When each conversation got its first participant, in seconds since 1970; then forgets the traffic."""
        times: dict[str, float] = {}
        for request in self.twilio.call("requests"):
            conversation, _, what = (
                request["path"].partition("/Conversations/")[2].partition("/")
            )
            if (
                request["method"] == "POST"
                and what == "Participants"
                and request["status"] == 201
            ):
                times.setdefault(conversation, request["at"])
        self.twilio.call("forget_traffic")
        return times
