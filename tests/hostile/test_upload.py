"""What lies about in the folders that are deployed stays at home: asked of the real gcloud."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("assignment", "domain", "functions", "providers")
KINDS = {
    ".py",
    ".html",
    ".css",
    ".js",
    ".svg",
    ".png",
    ".webmanifest",
    ".preact",
    ".htm",
}  # and two licences
NOT_OURS = [
    ".env",
    ".env.local",
    "functions/.env",
    "functions/notes",
    "functions/notes.txt",
    "functions/NOTES.md",
    "functions/http/secret.p12",
    "functions/frontline/crm.py.bak",
    "functions/wallboard/static/customers.csv",
    "functions/inbox/static/customers.csv",
    "functions/static/LICENSE",
    "functions/old/old.py",
    "functions/.venv/module.py",
    "assignment/.hidden",
    "domain/customers.csv",
    "domain/customers.csv.part",
    "providers/service-account.json",
    "providers/twilio.pem",
    "providers/id_rsa",
    "providers/twilio.key",
    "tests/module.py",
    "module.py",
]


def test_the_whole_program_is_uploaded_and_nothing_else(tmp_path: Path) -> None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip(
            "gcloud is not installed: https://cloud.google.com/sdk/docs/install, then run this again"
        )
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("main.py", "requirements.txt", ".gcloudignore"):
        shutil.copy(ROOT / name, copy)
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    paths = (path for room in ROOMS for path in (copy / room).rglob("*"))
    program = {
        path.relative_to(copy).as_posix() for path in paths if path.suffix in KINDS
    }
    for name in NOT_OURS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("private")
    environment = os.environ | {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    listed = subprocess.run(
        [gcloud, "meta", "list-files-for-upload", "."],
        cwd=copy,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(listed.stdout.splitlines()) == program | {"main.py", "requirements.txt"}
