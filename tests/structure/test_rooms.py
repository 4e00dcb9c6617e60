"""What each folder is for, held by reading the source; which way imports point is import-linter's (pyproject.toml)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("functions", "assignment", "domain", "providers")
LEDGER = "assignment/ledger.py"
OTHER_WRITERS = {  # of other collections, or of the one field `problem`
    "providers/audit.py",
    "providers/backlog.py",
    "providers/contents.py",
    "providers/customers.py",
    "providers/opt_outs.py",
    "providers/outbox.py",
    "providers/pools.py",
    "providers/sent_texts.py",
    "providers/status_changes.py",
    "providers/text_counts.py",
    "providers/sweeps.py",
}
WRITES = {"set", "create", "update", "delete", "commit"}
THE_LEDGERS = {
    "state",
    "active",
    "full",
    "workers",
    "conversations",
    "pending_conversations",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in [
        ROOT / "main.py",
        *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))),
    ]:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Calls of something's method: `batch.set`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func), node


def writers() -> dict[str, set[str]]:
    """Who writes to Firestore: each file with the texts that stand in it."""
    found = {}
    for name, tree in sources():
        for called, _ in calls(tree):
            owner, _, method = called.rpartition(".")
            by_batch = (
                owner.split(".")[-1] == "batch" and method in WRITES
            ) or called.endswith(".batch")
            if by_batch or called == "database.write":
                constants = (
                    n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)
                )
                found[name] = {value for value in constants if isinstance(value, str)}
    return found


def test_only_the_ledger_writes_states_queue_entries_and_counts() -> None:
    found = writers()
    assert set(found) == {LEDGER, "providers/database.py", *OTHER_WRITERS}
    for name in OTHER_WRITERS:
        assert not found[name] & THE_LEDGERS, name
    assert found[LEDGER] & THE_LEDGERS


def test_who_compares_and_sets_is_a_writer() -> None:
    ways = ("database.put", "database.write")
    callers = {
        name for name, tree in sources() for called, _ in calls(tree) if called in ways
    }
    only_counts = {
        "providers/backlog.py",
        "providers/text_counts.py",
    }  # a second writer loses nothing there
    assert callers == {LEDGER, *OTHER_WRITERS} - only_counts


def test_rules_and_values_know_the_standard_library_and_phone_numbers_only() -> None:
    allowed = {*sys.stdlib_module_names, "phonenumbers", "domain"} - {
        "os",
        "socket",
        "threading",
        "logging",
    }
    for name, tree in sources():
        for node in ast.walk(tree) if name.startswith("domain/") else ():
            imported = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {one.partition(".")[0] for one in imported} <= allowed, name


def test_only_the_table_names_a_module_of_ours_in_a_text() -> None:
    for name, tree in sources():
        texts = {
            n.value
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        }
        named = {
            text
            for text in texts
            if text.startswith(tuple(f"{room}." for room in ROOMS)) and " " not in text
        }
        assert not named or name == "functions/table.py", (name, named)


def test_nobody_imports_main() -> None:
    for name, tree in sources():
        for node in ast.walk(tree):
            assert not (
                isinstance(node, ast.Import)
                and any(one.name == "main" for one in node.names)
            ), name


def test_what_is_uploaded_is_what_is_deployed() -> None:
    lines = (ROOT / ".gcloudignore").read_text().splitlines()
    uploaded = {line.removeprefix("!/") for line in lines if line.startswith("!/")}
    assert uploaded == {"main.py", "requirements.txt", *ROOMS}


def test_every_folder_and_file_says_in_its_first_line_what_it_is_for() -> None:
    for name, tree in sources():
        assert (ast.get_docstring(tree) or "").strip(), name
