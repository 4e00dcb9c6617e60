"""A local stand-in for the Google APIs that gcloud calls: resources in memory, every request in a list."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.deploy import google_answers

Json = dict[str, Any]

READS_BY_POST = (
    "getIamPolicy",
    "generateUploadUrl",
    "testIamPermissions",
    "listCollectionIds",
)
OVERRIDDEN = [  # the APIs whose address gcloud lets the environment change
    "CLOUDFUNCTIONS",
    "RUN",
    "CLOUDBUILD",
    "IAM",
    "SECRETMANAGER",
    "FIRESTORE",
    "CLOUDSCHEDULER",
    "SERVICEUSAGE",
    "EVENTARC",
    "CLOUDRESOURCEMANAGER",
    "ARTIFACTREGISTRY",
    "STORAGE",
    "PUBSUB",
    "LOGGING",
    "CLOUDBILLING",
]
OURS = (
    "CLOUDBILLING",
    "BILLINGBUDGETS",
    "CLOUDRESOURCEMANAGER",
    "FIREBASERULES",
    "MONITORING",
    "FIRESTORE",
    "CLOUDFUNCTIONS",
    "CLOUDSCHEDULER",
    "SECRETMANAGER",
    "RUN",
    "EVENTARC",
    "ARTIFACTREGISTRY",
    "IAM",
    "CLOUDRESOURCEMANAGER",
)


@dataclass(frozen=True)
class Request:
    """One request as Google would have seen it; `path` is without version and query."""

    api: str
    method: str
    path: str
    query: dict[str, str]
    body: Json
    headers: dict[str, str]

    @property
    def changes_something(self) -> bool:
        """Whether the request writes; reading a policy is a POST in some APIs."""
        return self.method != "GET" and not self.path.endswith(READS_BY_POST)


@dataclass
class Refusal:
    """What to answer instead, to requests whose `METHOD api/path` matches."""

    pattern: str
    status: int
    message: str
    reason: str = "PERMISSION_DENIED"


@dataclass
class Google:
    """The state of one made-up project and the server in front of it."""

    project: str
    region: str = "us-central1"
    billing: bool = True
    resources: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    uploads: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    refused_once: list[Refusal] = field(default_factory=list)
    operation_seconds: float = 0.0
    # What Google is documented to do to a new project, a new organisation and a shared one:
    slow_to_enable: int = 0  # requests to an API that are refused after it was enabled
    build_failures: list[str] = field(
        default_factory=list
    )  # the next builds fail with these words, in turn
    unknown_accounts: int = (
        0  # deployments that are told their service account was not found
    )
    forbids_all_users: bool = (
        False  # the organisation's policy "Domain restricted sharing"
    )
    most_instances: int = 1000  # the region's quota of Cloud Run
    unreachable: str = ""  # a region whose things are missing from every list
    scheduler_regions: tuple[str, ...] = google_answers.REGIONS
    lacking: set[str] = field(
        default_factory=set
    )  # permissions that the person who deploys does not have
    replicates_in: str = (
        ""  # the only region that the organisation allows for resources
    )
    expired_tokens: int = (
        0  # requests of the tools that get 401, as a token of an hour ago does
    )
    starts_at_once: int = (
        1000  # how many functions may start together within the quota of CPUs
    )
    builds_in: tuple[
        str, ...
    ] = ()  # the regions where this project may build; none: everywhere
    without_index: list[str] = field(
        default_factory=list
    )  # functions deployed while an index was being built
    just_enabled: dict[str, int] = field(default_factory=dict)
    services: dict[str, Json] = field(
        default_factory=dict
    )  # Cloud Run services in Knative's shape, by name
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        handler = type("Handler", (_Handler,), {"google": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, args=(0.05,), daemon=True
        ).start()

    def close(self) -> None:
        """Ends the server."""
        self.server.shutdown()
        self.server.server_close()

    def environment(self, configuration_folder: str) -> dict[str, str]:
        """What a process needs so that gcloud and our tools talk to this server and to nobody else."""
        overrides = {
            f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{a}": f"http://{a.lower()}.fake/"
            for a in OVERRIDDEN
        }
        return overrides | {
            "CLOUDSDK_CONFIG": configuration_folder,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_AUTH_ACCESS_TOKEN": "made-up-access-token",
            **{f"{name}_API_URL": f"http://{name.lower()}.fake/" for name in OURS},
            "http_proxy": self.url,
            "no_proxy": "127.0.0.1,localhost",
        }

    def changes(self) -> list[Request]:
        """The requests so far that write."""
        return [r for r in self.requests if r.changes_something]

    def functions(self) -> dict[str, Json]:
        """The deployed functions by their short name."""
        found = {
            p: d
            for p, d in self.resources.items()
            if re.fullmatch(r".*/functions/[^/]+", p)
        }
        return {path.rsplit("/", 1)[1]: doc for path, doc in found.items()}

    def members(self, resource: str, role: str) -> list[str]:
        """Who has the role on the resource (a policy's key ends with `resource`)."""
        bindings = [
            b
            for key, p in self.policies.items()
            if key.endswith(resource)
            for b in p.get("bindings", [])
        ]
        return sorted(m for b in bindings if b["role"] == role for m in b["members"])

    def answer(self, request: Request, raw: bytes) -> tuple[int, Json]:
        """Records the request and answers it; a refusal comes first."""
        with self.lock:
            self.requests.append(request)
            for refusal in [*self.refusals, *self.refused_once]:
                if re.search(
                    refusal.pattern, f"{request.method} {request.api}/{request.path}"
                ):
                    if refusal in self.refused_once:
                        self.refused_once.remove(refusal)
                    return refusal.status, google_answers.error(
                        refusal.status, refusal.reason, refusal.message
                    )
            if self.expired_tokens and request.api == "firebaserules":
                self.expired_tokens -= 1
                words = "Request had invalid authentication credentials."
                return 401, google_answers.error(401, "UNAUTHENTICATED", words)
            answer = google_answers.answer(self, request, raw)
        if request.changes_something and "/functions" in request.path:
            time.sleep(self.operation_seconds)
        return answer


class _Handler(BaseHTTPRequestHandler):
    google: Google
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        host = parts.netloc or self.headers.get("Host", "")
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        request = Request(
            api=re.sub(r"^[a-z]+-[a-z]+\d-", "", host.split(".")[0]),
            method=self.command,
            path=re.sub(r"^/(v\d\w*|apis/[^/]+/v\d\w*)/", "", parts.path),
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            body=json.loads(raw) if is_json and raw else {},
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        status, document = self.google.answer(request, raw)
        out = json.dumps(document).encode()
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # a gcloud that was ended
            self._reply(status, out)

    def _reply(self, status: int, out: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (names are http.server's)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the requests are kept in a list."""
