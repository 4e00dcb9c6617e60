"""The made-up Google project, a person's shell to run deploy.sh in, and one deployment that most tests look at."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from local import oidc
from local.emulator import Emulator
from local.ports import HOST
from local.processes import Child
from local.twilio import StandIn
from tests.deploy.deployed import Deployed
from tests.deploy.google import Google, Request

ROOT = Path(__file__).parent.parent.parent
SECONDS = 1500  # for one run at most, on a busy machine


@dataclass
class Shell:
    """Runs deploy.sh as a person would, without a terminal, against the stand-ins only."""

    google: Google
    checkout: Path
    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    gcloud: str = ""

    def environment(self) -> dict[str, str]:
        own = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "JAVA_HOME")
            if name in os.environ
        }
        own["PATH"] = f"{Path(self.gcloud).parent}:{own['PATH']}"
        ours = {
            "PYTHON": sys.executable,
            "DEPLOY_RETRIES": "3",
            "DEPLOY_RETRY_SECONDS": "0",
        }
        return (
            own
            | self.google.environment(str(self.folder / "gcloud"))
            | ours
            | self.more
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The running script, leader of a process group as it is on a terminal.

        Where tests run in the background a shell lets its children ignore Ctrl-C, and they theirs. Undone here and not
        in the child: what runs between fork and exec in a process with gRPC's threads may end it.
        """
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            ["./deploy.sh", "--project", self.google.project, *arguments],
            cwd=self.checkout,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and everything printed."""
        process = self.start(*arguments)
        try:
            output, _ = process.communicate(timeout=SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(20)
        return process.returncode, output


@dataclass
class Story:
    """One deployment: stopped by Ctrl-C, run to its end, and run once more."""

    google: Google
    shell: Shell
    deployed: Deployed
    twilio: StandIn
    project: str
    emulator: Emulator
    stopped: tuple[int, str] = (0, "")
    left_running: str = ""
    complete: tuple[int, str] = (0, "")
    again: tuple[int, str] = (0, "")
    changes_again: list[Request] = field(default_factory=list)


@pytest.fixture(scope="session")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real gcloud; these tests are about what it sends. Loaded once where it brings its own Python."""
    found = shutil.which("gcloud")
    if found is None:
        pytest.skip(
            "gcloud is not installed: https://cloud.google.com/sdk/docs/install, then run these again"
        )
    home = Path(found).resolve().parent.parent
    python = home / "platform" / "bundledpythonunix" / "bin" / "python3"
    if not python.exists():
        yield found
        return
    folder = tmp_path_factory.mktemp("gcloud")
    place, here = folder / "socket", Path(__file__).parent
    server = Child(
        [python, here / "gcloud_server.py", home / "lib", place],
        name="gcloud",
        ready=place.exists,
    ).start()
    client = f'exec {python} -ISs {here / "gcloud_client.py"} {place} {found} "$@"'
    (folder / "gcloud").write_text(f"#!/bin/sh\n{client}\n")
    (folder / "gcloud").chmod(0o755)
    yield str(server.wait_ready() and folder / "gcloud")
    server.stop()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that nobody edits meanwhile, with files of a developer's that must stay where they are."""
    copy = tmp_path_factory.mktemp("checkout") / "copy"
    left_out = shutil.ignore_patterns(
        ".*", "__pycache__", "node_modules", "tests", "bench"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    shutil.copy(ROOT / ".gcloudignore", copy)
    (copy / ".env").write_text("TWILIO_AUTH_TOKEN=mine")
    (copy / ".venv").mkdir()
    (copy / ".venv" / "module.py").write_text("")
    return copy


@pytest.fixture
def google(gcloud: str) -> Iterator[Google]:
    """A project of its own, with billing and the APIs on, and a database."""
    made_up = prepared(Google(f"demo-{secrets.token_hex(4)}"))
    yield made_up
    made_up.close()


def prepared(google: Google) -> Google:
    """The APIs on and a database in the functions' region."""
    apis = (
        (ROOT / "deploy" / "needs.sh")
        .read_text()
        .split('APIS="')[1]
        .split('"')[0]
        .split()
    )
    google.enabled.update(f"{api}.googleapis.com" for api in apis)
    name = f"projects/{google.project}/databases/(default)"
    google.resources[name] = {
        "name": name,
        "locationId": google.region,
        "type": "FIRESTORE_NATIVE",
    }
    return google


@pytest.fixture
def shell(gcloud: str, google: Google, checkout: Path, tmp_path: Path) -> Shell:
    """A shell with Twilio's account in its environment."""
    account = {
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
    }
    return Shell(
        google,
        checkout,
        tmp_path,
        account | {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"},
        gcloud,
    )


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """The address of somebody who signs workers in."""
    app = Flask("issuer")
    server = make_server(HOST, 0, app, threaded=True)
    address = f"http://{HOST}:{server.server_port}/oidc"
    app.register_blueprint(
        oidc.pages(oidc.Issuer(address, lambda: {"ann@example.com": "Ann"}))
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield address
    server.shutdown()


@pytest.fixture(scope="session")
def story(
    gcloud: str,
    emulator: Emulator,
    checkout: Path,
    issuer: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    """The deployment; every request is kept, and each of its three runs' words."""
    folder = tmp_path_factory.mktemp("deploy")
    google = _as_new_projects_are(Google(f"demo-{secrets.token_hex(4)}"))
    extra = {"FIRESTORE_EMULATOR_HOST": emulator.host}
    deployed = Deployed(google, folder, extra)
    twilio = StandIn(
        account_sid=f"AC{secrets.token_hex(16)}",
        auth_token=secrets.token_hex(16),
        port=0,
    )
    twilio.start()
    deployed.extra["TWILIO_API_BASE_URL"] = twilio.url
    account = {
        "TWILIO_ACCOUNT_SID": twilio.account_sid,
        "TWILIO_AUTH_TOKEN": twilio.auth_token,
    }
    sign_in = {
        "INBOX_URL": f"{deployed.url}/inbox",
        "DESK_URL": f"{deployed.url}/desk",
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_SECRET": oidc.CLIENT_SECRET,
    }
    more = extra | account | sign_in | {"TWILIO_API_BASE_URL": twilio.url}
    shell = Shell(google, checkout, folder, more, gcloud)
    told = Story(google, shell, deployed, twilio, google.project, emulator)
    try:
        _tell(told)
        yield told
    finally:
        deployed.close()
        twilio.stop()
        google.close()


def _as_new_projects_are(google: Google) -> Google:
    """What the first deployment of a stranger meets, and has to get through by itself."""
    google.slow_to_enable = 1
    google.unknown_accounts = 1
    google.build_failures = [
        "Build failed: Access to bucket gcf-v2-sources-1-us-central1 denied. You must grant Storage Object Viewer "
        "permission to inbound-build@demo.iam.gserviceaccount.com.",
        "Unable to retrieve the repository metadata for projects/demo/locations/us-central1/repositories/gcf-artifacts",
    ]
    return google


def _tell(story: Story) -> None:
    arguments = ("--base-url", story.deployed.url, "--min-instances", "1")
    story.stopped, story.left_running = _stop_in_the_middle(story, arguments)
    story.complete = story.shell.run(
        *arguments,
        "--twilio",
        "--number",
        "+12025550123",
        "--yes",
        "--oidc-client-id",
        oidc.CLIENT_ID,
        "--alert-email",
        "ops@example.com",
    )
    before = len(story.google.requests)
    story.again = story.shell.run()
    story.changes_again = [
        r for r in story.google.requests[before:] if r.changes_something
    ]


def _stop_in_the_middle(
    story: Story, arguments: tuple[str, ...]
) -> tuple[tuple[int, str], str]:
    """Ctrl-C once the first function is being made: a terminal sends SIGINT to the whole group."""
    story.google.operation_seconds = 1
    process = story.shell.start(*arguments)
    until = time.monotonic() + SECONDS
    while (
        not story.google.functions()
        and process.poll() is None
        and time.monotonic() < until
    ):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=SECONDS)
    story.google.operation_seconds = 0
    running = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    left = "\n".join(line for line in running.splitlines() if story.project in line)
    return (process.returncode, output), left
