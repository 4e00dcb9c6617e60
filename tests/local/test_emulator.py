"""The emulator is found and started with the rules, and one that runs already is used instead."""

from pathlib import Path

import pytest
import requests
from google.cloud import firestore

from local.emulator import Emulator
from local.emulator_install import find_jar, find_java
from local.errors import ChildFailedError


def read_without_signing_in(emulator: Emulator, project: str) -> int:
    url = f"http://{emulator.host}/v1/projects/{project}/databases/(default)/documents/workers/x"
    return requests.get(url, timeout=10).status_code


def test_the_jar_and_a_java_are_found() -> None:
    assert find_jar(fetch=False).suffix == ".jar"
    assert find_java().exists()


def test_the_newest_jar_of_the_firebase_cache_is_taken_where_there_is_no_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.9.0", "1.19.8", "1.19.10"):
        (tmp_path / f"cloud-firestore-emulator-v{version}.jar").touch()
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path))
    from local.emulator_install import _in_firebase_cache

    assert _in_firebase_cache()[0].name == "cloud-firestore-emulator-v1.19.10.jar"


def test_the_projects_rules_are_in_force_from_the_start(emulator: Emulator, project: str) -> None:
    assert read_without_signing_in(emulator, project) == 403


def test_other_rules_can_be_set_for_one_project(emulator: Emulator, project: str) -> None:
    emulator.set_rules(
        project,
        "rules_version='2'; service cloud.firestore { match /databases/{d}/documents {"
        " match /{x=**} { allow read: if true; } } }",
    )
    assert read_without_signing_in(emulator, project) == 404
    assert read_without_signing_in(emulator, f"{project}-other") == 403


def test_clear_removes_every_document(emulator: Emulator, project: str, db: firestore.Client) -> None:
    db.document("workers/x").set({})
    emulator.clear(project)
    assert not db.document("workers/x").get().exists


def test_a_running_emulator_is_used_and_left_running(emulator: Emulator, project: str) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIRESTORE_EMULATOR_HOST", emulator.host)
        other = Emulator().start()
        other.stop()
    assert other.host == emulator.host
    assert read_without_signing_in(emulator, project) == 403


def test_a_named_emulator_that_does_not_answer_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    with pytest.raises(ChildFailedError, match=r"FIRESTORE_EMULATOR_HOST is 127\.0\.0\.1:1"):
        Emulator().start()
