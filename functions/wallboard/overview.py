"""The wallboard's first page: now, today, what is stuck."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from functions.answers import Answer
from functions.wallboard import charts, rendering
from functions.wallboard.board import NOW_FOR, Board
from functions.wallboard.figures import Today, stuck_now


def page(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Shown at once, with today's figures if they are at hand: else the page asks for them a moment later."""
    today = shown.today() if "full" in args else shown.today_if_known()
    return rendering.html("overview.html", **_values(shown, today))


def panels(shown: Board, args: MultiDict[str, str]) -> Answer:
    """The inside of the page, by which it renews itself."""
    return rendering.html("panels.html", **_values(shown, shown.today()))


def _values(shown: Board, today: Today | None) -> dict[str, Any]:
    now = shown.now()
    drawn = (charts.arrivals(today), charts.average_waits(today), charts.waits(today)) if today else None
    return {
        "now": now,
        "today": today,
        "zone": shown.settings().time_zone,
        "charts": drawn,
        "stuck": [*stuck_now(now), *(today.stuck if today else ())],
        "reads": shown.meter.last_minute(),
        "every": int(NOW_FOR),
        "pool_names": {pool.id: pool.name for pool in now.pools},
    }
