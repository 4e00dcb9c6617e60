"""main.py loads with nothing in the environment, and without the SDKs, which each function loads on first use."""

import json
import subprocess
import sys
from typing import Any

import pytest

from local.functions import MAIN, listed

_LOOK = """
import json, sys
import main
heavy = [name for name in ("google.cloud.firestore", "google.events", "twilio", "grpc", "phonenumbers", "pydantic")
         if name in sys.modules]
named = [name for name in vars(main) if callable(getattr(main, name)) and getattr(main, name).__module__ == "main"]
print(json.dumps({"heavy": heavy, "named": named}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    """What a fresh process with an empty environment finds after `import main`."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        cwd=MAIN.parent,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_importing_main_with_an_empty_environment_loads_no_sdk(
    imported: dict[str, Any],
) -> None:
    assert imported["heavy"] == []


def test_main_defines_nothing_but_the_functions(imported: dict[str, Any]) -> None:
    assert imported["named"] == [function.entry_point for function in listed()]
