"""The doctor: finds nothing where all is well, and each thing that is not, with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from tests.deploy.conftest import ROOT, Story

pytestmark = pytest.mark.timeout(4000)


_NAMED = (
    "customers/ada",
    "customers/bob",
    "customers/cyd",
    "former_workers/gone@example.com",
)


@pytest.fixture
def swept(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[firestore.Client]:
    """A deployment whose sweep has run a moment ago; its records."""
    address = f"http://127.0.0.1:{story.deployed.port('sweep')}/"
    assert requests.post(address, timeout=30).status_code == 200
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", story.emulator.host)
    yield firestore.Client(project=story.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call] # untyped


def doctor(story: Story, *arguments: str) -> tuple[int, list[str]]:
    """Exit status and lines."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.doctor", "--project", story.project, *arguments],
        cwd=ROOT,
        env=story.shell.environment()
        | {"GOOGLE_ACCESS_TOKEN": "made-up", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_deployment_in_which_all_is_well_is_said_to_be_so(
    story: Story, swept: firestore.Client
) -> None:
    before = len(story.google.requests)
    status, lines = doctor(story)
    assert (status, lines[-1]) == (0, "All is well."), lines
    assert not [line for line in lines if line.startswith(("WRONG", "note"))]
    assert [
        r.path
        for r in story.google.requests[before:]
        if r.method not in ("GET", "POST")
    ] == []


def test_each_thing_that_is_wrong_is_named_with_what_to_do(
    story: Story, swept: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, project = story.google.resources, f"projects/{story.project}"
    place = f"{project}/locations/us-central1"
    monkeypatch.setitem(resources[f"{place}/jobs/sweep"], "state", "PAUSED")
    monkeypatch.delitem(resources, f"{place}/triggers/pool-written")
    monkeypatch.setitem(resources[f"{place}/functions/crm"], "state", "FAILED")
    monkeypatch.setitem(
        resources[f"{project}/secrets/inbox-secret/versions/1"], "state", "DISABLED"
    )
    monkeypatch.setitem(
        story.google.services["routing"]["spec"],
        "traffic",
        [{"revisionName": "routing-00007", "percent": 100}],
    )
    index = next(p for p in resources if "/indexes/" in p)
    monkeypatch.delitem(resources, index)
    swept.document("workers/ann@example.com").set(
        {"problem": "nobody can read this", "key": "ann@example.com", "confirmed": True}
    )
    swept.document("workers/new@example.com").set(
        {"made_by": "service", "confirmed": False, "key": "new@example.com"}
    )
    swept.document("customers/ada").set({"worker": "gone@example.com"})
    swept.document("customers/bob").set({"worker": "typo@example.com"})
    swept.document("customers/cyd").set({"worker": "Ann@example.com"})
    swept.document("former_workers/gone@example.com").set(
        {"identity": "gone@example.com"}
    )
    swept.document("workers/\x1b]0;title\x07x").set(
        {"problem": "red \x1b[31m and \x9b2J"}
    )
    swept.document("service/sweep").delete()
    status, lines = doctor(story)
    wrong = "\n".join(line for line in lines if line.startswith(("WRONG", "note")))
    assert status == 1
    for words in (
        "the scheduler job is PAUSED; run ./deploy.sh",
        "pool-written has lost its trigger: gcloud functions delete pool-written",
        "not serving: crm (FAILED); run ./deploy.sh",
        "version 1 of the secret inbox-secret is gone or disabled",
        "routing was rolled back to routing-00007 and stays so; to leave that: gcloud run services update-traffic",
        "Firestore: still to do: make the index",
        "workers/ann@example.com: nobody can read this",
        "no sweep has ever finished",
        "workers/new@example.com waits for confirmation: set confirmed: true in it, or delete it",
        "customers name the worker gone@example.com, whose record was deleted",
        "customers name the worker typo@example.com, who has no record yet",
    ):
        assert words in wrong, words
    assert "customers name the worker Ann@example.com" not in wrong
    assert r"\x1b]0;title\x07x: red \x1b[31m and \x9b2J" in wrong
    assert all(character.isprintable() for line in lines for character in line)
    for name in ("workers/ann@example.com", "workers/new@example.com", *_NAMED):
        swept.document(name).delete()
    swept.document("workers/\x1b]0;title\x07x").delete()


def test_where_nothing_was_deployed_there_is_nothing_to_look_at(story: Story) -> None:
    status, lines = doctor(story, "--prefix", "nobody")
    assert status == 2
    assert "run ./deploy.sh" in lines[0]
