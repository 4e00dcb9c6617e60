"""The first requests of a fresh process come at the same moment: the libraries are imported by all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import Emulator

_CROWD = """
import sys, threading, time
from functools import partial
from assignment import claim
from providers import customers, pending, pools, workers

steps = [
    partial(workers.load, "ann@example.com"),
    partial(customers.find, "+15550000001"),
    partial(pools.of_numbers, ["+15550009999"]),
    partial(pending.heads, ["default"], 1),
    partial(workers.how_many, "default"),
    partial(claim.end, "CH" + "0" * 32, "it was closed"),
]
errors = []

def run(number, step):
    while number and "google.cloud.firestore_v1" not in sys.modules:
        time.sleep(0.001)  # the others come while the first one is importing
    try:
        step()
    except Exception as error:
        if not type(error).__module__.startswith("google.api_core."):  # Firestore is slow just now: no matter here
            errors.append(f"{type(error).__name__}: {error}")

threads = [threading.Thread(target=run, args=(n, steps[n % len(steps)])) for n in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit("\\n".join(errors) or 0)
"""


_ROOT = Path(__file__).parent.parent.parent


def test_the_library_is_imported_as_a_package_only() -> None:
    """What lies inside must not be entered past the package: see providers/database.py."""
    sources = [
        path
        for folder in ("functions", "assignment", "domain", "providers")
        for path in (_ROOT / folder).rglob("*.py")
    ]
    inside = re.compile(r"(from|import) google\.cloud\.firestore(_v1)?\.")
    assert [path.name for path in sources if inside.search(path.read_text())] == []


def _run(
    script: str, emulator: Emulator, project: str
) -> subprocess.CompletedProcess[str]:
    env = {"FIRESTORE_EMULATOR_HOST": emulator.host, "GOOGLE_CLOUD_PROJECT": project}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=_ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_many_first_requests_at_once_import_the_libraries_without_falling_over_each_other(
    emulator: Emulator, project: str
) -> None:
    for _ in range(2):
        done = _run(_CROWD, emulator, project)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("step", "mistaken", "error"),
    [
        ("workers.load,", "workers.gone,", "AttributeError"),
        ('["default"], 1)', '["default"])', "TypeError"),
    ],
    ids=["it is gone", "it takes something else"],
)
def test_a_step_that_the_service_does_not_have_is_said(
    emulator: Emulator, project: str, step: str, mistaken: str, error: str
) -> None:
    """Else this page would go on without it, and say that all is well."""
    assert step in _CROWD
    done = _run(_CROWD.replace(step, mistaken), emulator, project)
    assert done.returncode
    assert error in done.stderr
