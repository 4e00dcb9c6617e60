"""The first requests of a fresh process come at the same moment: the libraries are imported by all of them."""

import re
import subprocess
import sys
from pathlib import Path

from local.emulator import Emulator

_CROWD = """
import sys, threading, time
from assignment import claim
from providers import customers, database, pending, pools, workers

steps = [
    lambda: workers.load("ann@example.com"),
    lambda: customers.find("+15550000001"),
    lambda: pools.of_numbers(["+15550009999"]),
    lambda: pending.heads(["default"], 1),
    lambda: database.count(database.filtered("workers", []), 5),
    lambda: claim.end("CH" + "0" * 32, "it was closed"),
]
errors = []

def run(number, step):
    while number and "google.cloud.firestore_v1" not in sys.modules:
        time.sleep(0.001)  # the others come while the first one is importing
    try:
        step()
    except (ImportError, AttributeError) as error:
        errors.append(f"{type(error).__name__}: {error}")
    except Exception:
        pass  # Firestore is slow just now: no matter here

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


def test_many_first_requests_at_once_import_the_libraries_without_falling_over_each_other(
    emulator: Emulator, project: str
) -> None:
    env = {"FIRESTORE_EMULATOR_HOST": emulator.host, "GOOGLE_CLOUD_PROJECT": project}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", _CROWD], cwd=_ROOT, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
