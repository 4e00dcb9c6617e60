"""The results: a table on the screen and for the README, JSON with everything, a chart."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style
from rich.console import Console
from rich.table import Table

from bench.result import Row

RESULTS = Path(__file__).parent / "results"


def show(rows: Sequence[Row]) -> None:
    """Prints the table."""
    table = Table(title="Product against floor, measured in the same run")
    for heading in ("what", "product", "floor", "ratio", "wanted", ""):
        table.add_column(heading, overflow="fold")
    for row in rows:
        colour, word = _verdict(row)
        verdict = f"[{colour}]{word}[/{colour}]"
        table.add_row(
            row.name,
            row.product_value,
            row.floor_value,
            _ratio(row),
            row.wanted,
            verdict,
        )
    console = Console(width=150)
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.name}: {row.note}")


def write(rows: Sequence[Row], seconds: float) -> None:
    """latest.json, table.md and chart.svg; git keeps the earlier ones."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "machine": _machine(),
        "seconds": round(seconds),
        "rows": [asdict(row) for row in rows],
    }
    (RESULTS / "latest.json").write_text(json.dumps(content, indent=1) + "\n")
    (RESULTS / "table.md").write_text(_markdown(rows))
    _chart(rows, RESULTS / "chart.svg")


def _verdict(row: Row) -> tuple[str, str]:
    return ("green", "reached") if row.is_reached else ("red", "not reached")


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return ""
    spread = f" ({row.spread[0]:.2f} to {row.spread[1]:.2f})" if row.spread else ""
    return f"{row.ratio:.2f}{spread}"


def _markdown(rows: Sequence[Row]) -> str:
    lines = ["| what | here | floor | ratio | wanted | |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (
            row.name,
            row.product_value,
            row.floor_value,
            _ratio(row),
            row.wanted,
            _verdict(row)[1],
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _chart(rows: Sequence[Row], path: Path) -> None:
    """A bar per row: how many times its floor."""
    shown = [row for row in rows if row.ratio is not None]
    style = Style(
        background="white",
        plot_background="white",
        font_family="sans-serif",
        colors=("#3a6ea5", "#c0504d"),
    )
    chart = pygal.HorizontalStackedBar(
        style=style,
        height=26 * len(shown) + 110,
        width=900,
        legend_at_bottom=True,
        js=[],
    )
    chart.title = "How many times the floor (1 is the floor itself)"
    chart.x_labels = [row.name for row in reversed(shown)]
    for title, is_reached in (("reached", True), ("not reached", False)):
        values = [
            round(row.ratio or 0, 2) if row.is_reached == is_reached else None
            for row in reversed(shown)
        ]
        chart.add(title, values)
    path.write_bytes(
        chart.render(is_unicode=False, disable_xml_declaration=True).encode()
    )


def _machine() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=RESULTS,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": [round(load, 1) for load in os.getloadavg()],
        "commit": commit.stdout.strip(),
    }
