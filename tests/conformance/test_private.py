"""`sweep` and `wallboard` are private by IAM: Google turns outsiders away, and they check no signature."""

import ast
import importlib
from pathlib import Path

import pytest

from functions import table
from functions.table import FUNCTIONS
from local.functions import MAIN
from tests.conformance.entry_points import METHODS, PRIVATE, SIGNED, SIGNED_IN, TRIGGERS
from tests.conformance.sender import Sender

POSTED = {"wallboard": "view=log"}  # where a POST goes that is not for the root
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_main_says_who_checks_a_signature_and_who_is_private() -> None:
    doors = {
        definition.name: ast.unparse(definition.body[-1])
        for definition in ast.parse(MAIN.read_text()).body
        if isinstance(definition, ast.FunctionDef)
    }
    for name in SIGNED:
        assert (
            doors.pop(name) == f"return webhook.signed(table.{name.upper()}, request)"
        )
    for name in PRIVATE:
        assert (
            doors.pop(name) == f"return webhook.private(table.{name.upper()}, request)"
        )
    for name in SIGNED_IN:
        assert (
            doors.pop(name) == f"return webhook.worker(table.{name.upper()}, request)"
        )
    for name in TRIGGERS:
        assert doors.pop(name) == f"trigger.delivered(table.{name.upper()}, event)"
    assert not doors


def test_the_table_lists_what_main_serves_and_each_has_a_handler_and_its_libraries() -> (
    None
):
    assert [one.name for one in FUNCTIONS] == [*SIGNED, *TRIGGERS, *PRIVATE, *SIGNED_IN]
    for one in FUNCTIONS:
        assert getattr(table, one.name.upper()) is one
        assert callable(importlib.import_module(one.module).handle)
        assert one.seconds < one.limit
        for library in one.libraries:
            importlib.import_module(library)


def test_the_page_for_operators_names_the_private_ones() -> None:
    lines = [line for line in OPERATIONS.read_text().splitlines() if "private" in line]
    for name in PRIVATE:
        assert any(f"`{name}`" in line for line in lines)


@pytest.mark.parametrize(("name", "methods"), PRIVATE.items())
def test_a_private_function_asks_for_no_signature(
    whole: Sender, name: str, methods: tuple[str, ...]
) -> None:
    for method in methods:
        query = POSTED.get(name, "") if method == "POST" else ""
        answer = whole.send(
            name,
            method=method,
            headers={"Content-Type": ""},
            signature="",
            query=query,
        )
        assert answer.status_code == 200


def test_the_wallboard_takes_a_post_for_a_search_only(whole: Sender) -> None:
    for query in (
        "",
        "view=now",
        "view=metrics",
        f"view=conversation&sid=CH{'0' * 32}",
    ):
        answer = whole.send("wallboard", method="POST", signature="", query=query)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(("name", "methods"), PRIVATE.items())
def test_another_method_is_405_and_says_which_one_to_use(
    twilio: Sender, name: str, methods: tuple[str, ...]
) -> None:
    for method in set(METHODS) - set(methods):
        answer = twilio.send(name, method=method, signature="")
        assert (
            answer.headers["X-Content-Type-Options"],
            answer.headers["Cache-Control"],
        ) == (
            "nosniff",
            "no-store",
        )
        assert (answer.status_code, answer.headers["Allow"]) == (
            405,
            ", ".join(methods),
        )
