"""The wallboard's first page: now, today, what is stuck."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from functions.http.answers import Answer
from functions.wallboard import charts, rendering
from functions.wallboard.figures import Today
from functions.wallboard.refresh import NOW_FOR, TODAY_FOR, Board


def page(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Shown at once, with today's figures if they are at hand: else the page asks for them a moment later."""
    today = shown.today() if "full" in args else shown.today_if_known()
    values = _now(shown) | _today(shown, today)
    return rendering.html("overview.html", now_every=int(NOW_FOR), **values)


def now_panels(shown: Board, args: MultiDict[str, str]) -> Answer:
    """The upper half of the page, by which it renews itself; it never waits for the other."""
    return rendering.html("renewed_now.html", **_now(shown))


def today_panels(shown: Board, args: MultiDict[str, str]) -> Answer:
    """The lower half."""
    return rendering.html("today.html", **_today(shown, shown.today()))


def _now(shown: Board) -> dict[str, Any]:
    now = shown.now()
    return {
        "now": now,
        "zone": shown.settings().time_zone,
        "stuck": shown.stuck(),
        "reads": shown.meter.last_minute(),
        "pool_names": {pool.id: pool.name for pool in now.pools},
    }


def _today(shown: Board, today: Today | None) -> dict[str, Any]:
    drawn = (
        (charts.arrivals(today), charts.average_waits(today), charts.waits(today))
        if today
        else None
    )
    return {
        "today": today,
        "zone": shown.settings().time_zone,
        "charts": drawn,
        "today_every": int(TODAY_FOR),
    }
