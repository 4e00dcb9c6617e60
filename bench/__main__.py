"""python -m bench: every row of the table in under ten minutes; --quick in one, --row NAME for one alone."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback

from rich.console import Console
from urllib3.exceptions import HTTPError

from bench import report
from bench.result import Row
from bench.rows import ROWS
from bench.world import World
from local.errors import CannotRunError


def main() -> int:
    """0 when every row that was measured is reached."""
    given = _arguments()
    console = Console(stderr=True)
    logging.disable(logging.WARNING)
    began = time.monotonic()
    rows: list[Row] = []
    for name in given.row or ROWS:
        at = time.monotonic()
        found = _measured(name, given.quick)
        rows += found
        for row in found:
            console.print(
                f"{row.name}: {row.product_value}, floor {row.floor_value}",
                highlight=False,
            )
        console.print(f"{name}: {time.monotonic() - at:.0f} s")
    seconds = time.monotonic() - began
    report.show(rows)
    console.print(f"{seconds:.0f} s in all")
    if not given.quick and not given.row:
        report.write(rows, seconds)
    return 0 if all(row.is_reached for row in rows) else 1


def _measured(name: str, quick: bool) -> list[Row]:
    """The row; one that cannot be measured says so and does not cost the others."""
    try:
        with World(quick) as world:
            return ROWS[name](world)
    except (RuntimeError, OSError, HTTPError, CannotRunError) as error:
        traceback.print_exc()
        return [
            Row(
                name,
                "not measured",
                "",
                "-",
                "-",
                "a measurement",
                is_reached=False,
                note=str(error),
            )
        ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures the service against its floors."
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a few samples of each, to see that it runs",
    )
    parser.add_argument(
        "--row",
        action="append",
        choices=list(ROWS),
        help="only this one; may be repeated",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
