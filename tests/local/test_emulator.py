"""The emulator is found and started with the rules, and one that runs already is used instead."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from google.cloud import firestore

from local.emulator import Emulator
from local.emulator_install import GOOGLES, Download, find_jar, find_java
from local.errors import ChildFailedError, EmulatorMissingError


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


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a jar; where it is to go."""
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path / "cache"))
    return tmp_path / "cache"


class _Shelf(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Download]:
    """A server with a jar of which address, size and checksum are known, as Google's is."""
    content = b"jar" * 100_000
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf/cloud-firestore-emulator-v1.22.0.jar").write_bytes(content)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Shelf, directory=str(tmp_path / "shelf"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/cloud-firestore-emulator-v1.22.0.jar"
    yield Download(url, len(content), hashlib.sha256(content).hexdigest())
    server.shutdown()
    server.server_close()


def test_the_jar_is_fetched_once_where_there_is_none(
    bare: Path, shelf: Download, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EmulatorMissingError, match="not installed: run `gcloud"):
        find_jar(fetch=False, download=shelf, sdks=())
    jar = find_jar(download=shelf, sdks=())
    assert jar == bare / shelf.name
    assert hashlib.sha256(jar.read_bytes()).hexdigest() == shelf.sha256
    assert "Fetching the Firestore emulator" in capsys.readouterr().err
    nowhere = replace(shelf, url="http://127.0.0.1:9/x.jar")
    assert find_jar(download=nowhere, sdks=()) == jar


@pytest.mark.parametrize(
    ("url", "sha256", "why"),
    [
        ("", "0" * 64, "checksum"),
        ("gone.jar", "", "404"),
        ("http://127.0.0.1:9/x.jar", "", "refused"),
    ],
    ids=["another file", "not there", "no connection"],
)
def test_what_cannot_be_fetched_whole_is_not_kept_and_the_sentence_says_what_to_do(
    bare: Path, shelf: Download, url: str, sha256: str, why: str
) -> None:
    wrong = replace(shelf, url=urljoin(shelf.url, url), sha256=sha256 or shelf.sha256)
    with pytest.raises(EmulatorMissingError, match=f"{why}.*gcloud components install"):
        find_jar(download=wrong, sdks=())
    assert list(bare.iterdir()) == []


def test_the_release_is_named_as_googles_own_tools_name_it() -> None:
    assert GOOGLES.name == "cloud-firestore-emulator-v1.22.0.jar"
    assert (GOOGLES.url[:30], len(GOOGLES.sha256)) == (
        "https://storage.googleapis.com",
        64,
    )


def test_the_projects_rules_are_in_force_from_the_start(
    emulator: Emulator, project: str
) -> None:
    assert read_without_signing_in(emulator, project) == 403


def test_other_rules_can_be_set_for_one_project(
    emulator: Emulator, project: str
) -> None:
    emulator.set_rules(
        project,
        "rules_version='2'; service cloud.firestore { match /databases/{d}/documents {"
        " match /{x=**} { allow read: if true; } } }",
    )
    assert read_without_signing_in(emulator, project) == 404
    assert read_without_signing_in(emulator, f"{project}-other") == 403


def test_clear_removes_every_document(
    emulator: Emulator, project: str, db: firestore.Client
) -> None:
    db.document("workers/x").set({})
    emulator.clear(project)
    assert not db.document("workers/x").get().exists


def test_a_running_emulator_is_used_and_left_running(
    emulator: Emulator, project: str
) -> None:
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
    with pytest.raises(
        ChildFailedError, match=r"FIRESTORE_EMULATOR_HOST is 127\.0\.0\.1:1"
    ):
        Emulator().start()
