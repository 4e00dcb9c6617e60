"""A customer's opt-out is exported, and no import lifts it."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from tools import customers_csv, customers_plan

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADA = "+447700900001"


def test_it_is_exported_and_an_import_leaves_it_alone() -> None:
    record = {"display_name": "Ada", "addresses": [ADA], "opted_out": {ADA: AT}}
    file = io.StringIO()
    customers_csv.write(file, [("ada", record)])
    assert f"{ADA} {AT.isoformat()}" in file.getvalue()
    for text in (file.getvalue(), "customer_id,display_name,opted_out\nada,Ada,\n"):
        sheet = customers_csv.read(io.StringIO(text))
        assert (sheet.mistakes, sheet.own_columns) == ([], [])
        plan = customers_plan.plan(sheet.rows, {"ada": record}, b"key")
        assert not plan.mistakes
        assert "opted_out" not in plan.changes.get("ada", {})
