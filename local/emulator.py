"""The Firestore emulator: started with the rules, with triggers on, and ended surely."""

import os
import time
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

import urllib3

from local.emulator_install import find_jar, find_java
from local.errors import ChildFailedError
from local.ports import HOST, claim_port
from local.processes import Child

RULES = Path(__file__).parent.parent / "firestore.rules"
WRITTEN = "google.cloud.firestore.document.v1.written"
_MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_QUICK_START = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Duser.language=en",
)


class Emulator:
    """One emulator: the one that FIRESTORE_EMULATOR_HOST names (unless `own`), else a child process of ours.

    `functions_port` is where it posts its events; without it there are none.
    """

    def __init__(
        self,
        rules: Path = RULES,
        functions_port: int | None = None,
        port: int = 0,
        *,
        own: bool = False,
        log: Path | None = None,
    ) -> None:
        self.rules = rules
        self.functions_port = functions_port
        self.log = log
        self._wanted_port = port
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self.host = "" if own else os.environ.get("FIRESTORE_EMULATOR_HOST", "")
        self.is_ours = not self.host
        self._child: Child | None = None

    def start(self) -> "Emulator":
        """Start it unless there is one already, and wait until it answers."""
        return self.launch().wait_ready()

    def launch(self) -> "Emulator":
        """Start it unless there is one already, without waiting."""
        if self.is_ours and self._child is None:
            port = claim_port(
                self._wanted_port, "the Firestore emulator", "--emulator-port"
            )
            self.host = f"{HOST}:{port}"
            self._child = Child(
                self._command(port),
                name="The Firestore emulator",
                log=self.log,
                ready=self._answers,
            )
            self._child.start()
        return self

    def wait_ready(self, timeout: float = 30) -> "Emulator":
        """Wait until it answers; raises ChildFailedError with the reason if it does not."""
        if self._child is not None:
            self._child.wait_ready(timeout)
        elif not self._answers():
            raise ChildFailedError(
                f"FIRESTORE_EMULATOR_HOST is {self.host}, but nothing answers there: "
                "unset it to have one started."
            )
        return self

    def wait_for_end(self) -> NoReturn:
        """Wait until it ends by itself, which it should not; raises ChildFailedError with its last words."""
        while self._child is None or self._child.alive:
            time.sleep(0.5)
        raise ChildFailedError(
            f"The Firestore emulator ended by itself:\n{self._child.output()}"
        )

    def stop(self) -> None:
        """End it if it is ours; what it held is gone."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    @property
    def pid(self) -> int:
        """Its process, for whoever measures it; raises ChildFailedError if it is not ours."""
        if self._child is None:
            raise ChildFailedError("The Firestore emulator is not a process of ours.")
        return self._child.pid

    def _command(self, port: int) -> list[str | Path]:
        flags = [f"--host={HOST}", f"--port={port}", f"--rules={self.rules}"]
        if self.functions_port is not None:
            flags.append(f"--functions_emulator={HOST}:{self.functions_port}")
        return [*_java_command(), _MAIN_CLASS, *flags]

    def _answers(self) -> bool:
        try:
            return self._http.request("GET", f"http://{self.host}/").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def register_trigger(
        self,
        project: str,
        trigger_id: str,
        document_pattern: str,
        event_type: str = WRITTEN,
    ) -> None:
        """Have every event on matching documents posted to /functions/projects/PROJECT/triggers/TRIGGER_ID.

        The emulator has no way to take it back: use a fresh project id instead.
        """
        wanted = {
            "eventType": event_type,
            "database": "(default)",
            "namespace": "(default)",
            "document": {"value": document_pattern, "matchType": "PATH_PATTERN"},
        }
        self._call(
            "POST", f"/{project}/eventarcTrigger?eventarcTriggerId={trigger_id}", wanted
        )

    def clear(self, project: str) -> None:
        """Remove every document of a project."""
        self._call("DELETE", f"/{project}/databases/(default)/documents")

    def set_rules(self, project: str, text: str) -> None:
        """Other rules for one project, from now on."""
        files = [{"name": "firestore.rules", "content": text}]
        self._call("PUT", f"/{project}:securityRules", {"rules": {"files": files}})

    def _call(self, method: str, path: str, body: object = None) -> None:
        url = f"http://{self.host}/emulator/v1/projects{path}"
        answer = self._http.request(method, url, json=body)
        if answer.status != 200:
            raise ChildFailedError(
                f"The emulator answered {answer.status} to {method} {url}: {answer.data.decode()[:300]}"
            )


@lru_cache(maxsize=1)
def _java_command() -> tuple[str | Path, ...]:
    return (find_java(), *_QUICK_START, "-cp", find_jar())
