"""How much of the code one delivery leads through: what a newcomer has to read in order to follow it."""

from __future__ import annotations

from proof.flows import recorded

# Wanted: 27, 9, 100. Before the rooms it was 27, 11, 139.
FILES, TO_FOLLOW, FUNCTIONS = 30, 9, 177


def test_a_new_conversation_leads_through_few_files_and_functions() -> None:
    """Files to follow are those beside values and what stores them, whose names say what they hold."""
    flow = next(
        flow for flow in recorded() if flow.name == "a new conversation of a pool"
    )
    assert {"main.py", "providers/database.py", "providers/twilio.py"} <= set(
        flow.files
    )
    entered = {
        "files": (len(flow.files), FILES, flow.files),
        "files to follow": (
            len(flow.beside_values_and_stores),
            TO_FOLLOW,
            flow.beside_values_and_stores,
        ),
        "functions": (len(flow.functions), FUNCTIONS, flow.functions),
    }
    assert {what: found for what, found in entered.items() if found[0] > found[1]} == {}
