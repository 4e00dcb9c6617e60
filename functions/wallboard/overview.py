"""The wallboard's first page: the current figures, what is stuck, and today's figures."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from functions.http.answers import Answer
from functions.wallboard import charts, rendering
from functions.wallboard.figures import Today
from functions.wallboard.refresh import NOW_FOR, TODAY_FOR, Board


def page(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Show the page at once. If today's figures are not in the cache, the page asks for them a moment later."""
    today = shown.today() if "full" in args else shown.today_if_known()
    values = _now(shown) | _today(shown, today)
    return rendering.html("overview.html", now_every=int(NOW_FOR), **values)


def now_panels(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Show the upper half, for the page's refresh; it never waits for today's figures."""
    return rendering.html("renewed_now.html", **_now(shown))


def today_panels(shown: Board, args: MultiDict[str, str]) -> Answer:
    """Show the lower half, for the page's refresh."""
    return rendering.html("today.html", **_today(shown, shown.today()))


def _now(shown: Board) -> dict[str, Any]:
    now = shown.now()
    return {
        "now": now,
        "zone": shown.settings().time_zone,
        "stuck": shown.stuck(),
        "awaited": shown.awaited(),
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
