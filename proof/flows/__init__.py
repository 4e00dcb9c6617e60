"""Which files and functions of the deployed code each of four flows enters, counted while they run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent.parent.parent
# This package is ours, whatever the other checkout has under its name; all else comes from the other checkout.
_PLAY = """
import sys
import proof
sys.path[sys.path.index(sys.argv[1])] = sys.argv[2]
from proof.flows import played
played.main()
"""
_VALUES_AND_STORES = ("domain/", "providers/")
# One kind of record each: what it means and how it is stored, in the names of all checkouts that are compared.
_RECORDS = (
    "conversation",
    "conversations",
    "pending",
    "worker",
    "workers",
    "worker_records",
    "pool",
    "pools",
    "customer",
    "customers",
    "customer_record",
    "settings",
    "template",
    "templates",
    "sweeps",
)


@dataclass(frozen=True)
class Flow:
    """What one flow entered: the file and the qualified name of each function."""

    name: str
    entered: tuple[tuple[str, str], ...]

    @cached_property
    def files(self) -> list[str]:
        return sorted({file for file, _ in self.entered})

    @cached_property
    def functions(self) -> list[tuple[str, str]]:
        """Named ones: what a function defines within itself, with or without a name, is part of it."""
        outer = {(file, name.partition(".<locals>")[0]) for file, name in self.entered}
        return sorted(
            (file, name)
            for file, name in outer
            if not name.rpartition(".")[2].startswith("<")
        )

    @property
    def beside_values_and_stores(self) -> list[str]:
        """Files outside domain/ and providers/: those that one reads to follow it."""
        return [file for file in self.files if not file.startswith(_VALUES_AND_STORES)]

    @property
    def beside_records(self) -> list[str]:
        """Files that are not about one kind of record."""
        return [file for file in self.files if Path(file).stem not in _RECORDS]


def recorded(tree: Path = HERE) -> list[Flow]:
    """The flows through the checkout in `tree`; raises RuntimeError if they could not be played."""
    tree = tree.resolve()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TWILIO_")
    }
    for name in (
        "K_SERVICE",
        "FUNCTION_TARGET",
        "FIRESTORE_EMULATOR_HOST",
        "FIRESTORE_DATABASE",
    ):
        environment.pop(name, None)
    ended = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-P", "-c", _PLAY, str(HERE), str(tree)],
        cwd=tree,
        env=environment | {"PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise RuntimeError(
            f"The flows could not be played in {tree}:\n{ended.stderr[-3000:]}"
        )
    found: dict[str, list[tuple[str, str]]] = json.loads(ended.stdout)
    return [
        Flow(name, tuple((file, function) for file, function in pairs))
        for name, pairs in found.items()
    ]
