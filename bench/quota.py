"""A share of a CPU for a process and its children, by Linux control groups, as Cloud Run does it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PERIOD = 100_000  # microseconds
_V1, _V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
# Joins the group before it becomes the program, so that all of its life counts.
_JOIN = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); os.execv(sys.argv[2], sys.argv[2:])"


@dataclass(frozen=True)
class Quota:
    """So many CPUs; `note` says what is not as it should be."""

    cpus: float
    group: Path | None
    note: str = ""

    def wrapped(self, command: list[str]) -> list[str]:
        """The command, run within the quota."""
        if self.group is None:
            return command
        return [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _JOIN,
            str(self.group / "cgroup.procs"),
            *command,
        ]


def quotas(wanted: tuple[float, ...] = (1.0, 0.333)) -> Iterator[Quota]:
    """One after another; where the groups cannot be made, one without a quota, which says so."""
    for cpus in wanted:
        group = _made(cpus)
        if group is None:
            note = "NO QUOTA: control groups cannot be written here (needs root), so this is the whole machine"
            yield Quota(float(os.cpu_count() or 1), None, note)
            return
        try:
            yield Quota(cpus, group)
        finally:
            with suppress(OSError):
                group.rmdir()


def _made(cpus: float) -> Path | None:
    name = f"bench-{os.getpid()}-{round(cpus * 1000)}"
    try:
        if (_V1 / "cpu.cfs_quota_us").exists() or _V1.is_dir():
            group = _V1 / name
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(round(cpus * _PERIOD)))
        else:
            group = _V2 / name
            group.mkdir()
            (group / "cpu.max").write_text(f"{round(cpus * _PERIOD)} {_PERIOD}")
    except OSError:
        return None
    return group
