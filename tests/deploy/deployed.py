"""Runs what was deployed: the uploaded source, with the captured settings, behind a door like Google's."""

from __future__ import annotations

import base64
import io
import socket
import sys
import threading
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from local.ports import HOST, free_port
from local.processes import Child
from tests.deploy.google import Google, Json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

COMMAND = Path(sys.executable).parent / "functions-framework"


def unpack(google: Google, function: Json, folder: Path) -> Path:
    """The source that gcloud uploaded for this function, unpacked once."""
    place: str = function["buildConfig"]["source"]["storageSource"]["object"]
    target = folder / place
    if not target.exists():
        zipfile.ZipFile(io.BytesIO(google.uploads[place])).extractall(target)
    return target


def environment(google: Google, function: Json) -> dict[str, str]:
    """What Cloud Run would set, secrets included; only those that the function's account may read."""
    service = function["serviceConfig"]
    member = f"serviceAccount:{service['serviceAccountEmail']}"
    for secret in {s["secret"] for s in service.get("secretEnvironmentVariables", [])}:
        readers = google.members(
            f"secrets/{secret}", "roles/secretmanager.secretAccessor"
        )
        assert member in readers, f"{member} may not read {secret}"
    secrets = {
        s["key"]: google.resources[
            f"projects/{google.project}/secrets/{s['secret']}/versions/{s['version']}"
        ]
        for s in service.get("secretEnvironmentVariables", [])
    }
    values = {
        key: base64.b64decode(s["payload"]["data"]).decode()
        for key, s in secrets.items()
    }
    return {
        **service["environmentVariables"],
        **values,
        "K_SERVICE": function["name"].rsplit("/", 1)[1],
        "FUNCTION_TARGET": function["buildConfig"]["entryPoint"],
        "FUNCTION_SIGNATURE_TYPE": "cloudevent"
        if "eventTrigger" in function
        else "http",
    }


@dataclass
class Deployed:
    """Serves http://HOST:PORT/<deployed name> as cloudfunctions.net does: the name is not in the function's path."""

    google: Google
    folder: Path
    extra: dict[str, str]
    running: dict[str, tuple[Child, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server = make_server(HOST, 0, self._serve, threaded=True)
        self.url = f"http://{HOST}:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, args=(0.05,), daemon=True
        ).start()

    def close(self) -> None:
        """Ends the door and every function behind it."""
        self.server.shutdown()
        for child, _ in self.running.values():
            child.stop()

    def port(self, name: str) -> int:
        """Where the function itself listens; starts it if its settings are new."""
        function = self.google.functions()[name]
        key = f"{name} {function['labels']['mark']}"
        with self.lock:
            if key not in self.running:
                self.running[key] = self._start(name, function)
            return self.running[key][1]

    def _start(self, name: str, function: Json) -> tuple[Child, int]:
        port = free_port()
        variables = environment(self.google, function) | {
            "PORT": str(port),
            "PATH": str(COMMAND.parent),
        }
        source = unpack(self.google, function, self.folder)
        child = Child(
            [COMMAND],
            name=name,
            env=variables | self.extra,
            cwd=source,
            ready=lambda: _answers(port),
        )
        return child.start().wait_ready(), port

    def _serve(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = Request(environ)
        name, _, further = request.path.strip("/").partition("/")
        return self._answer(request, name, further)(environ, start_response)

    def _lets_everybody_in(self, name: str) -> bool:
        annotations = self.google.services[name]["metadata"]["annotations"]
        is_unchecked = (
            annotations.get("run.googleapis.com/invoker-iam-disabled", "").lower()
            == "true"
        )
        return is_unchecked or "allUsers" in self.google.members(
            f"services/{name}", "roles/run.invoker"
        )

    def _answer(self, request: Request, name: str, further: str) -> Response:
        if name not in self.google.functions():
            return Response("<html>Not Found</html>", 404, content_type="text/html")
        if not self._lets_everybody_in(name):
            return Response("<html>Forbidden</html>", 403, content_type="text/html")
        answer = requests.request(
            request.method,
            f"http://{HOST}:{self.port(name)}/{further}?{request.query_string.decode()}",
            data=request.get_data(),
            headers={
                k: v
                for k, v in request.headers.items()
                if k not in ("Host", "Content-Length")
            },
            timeout=30,
            allow_redirects=False,
        )
        passed = {
            name: answer.headers[name]
            for name in ("Location", "Set-Cookie")
            if name in answer.headers
        }
        kind = answer.headers.get("Content-Type")
        return Response(answer.content, answer.status_code, passed, content_type=kind)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
