"""Customers in bulk, `import FILE.csv` and `export FILE.csv` (docs/frontline.md); `erase ID` one (docs/privacy.md)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from google.api_core.exceptions import (
    FailedPrecondition,
    GoogleAPICallError,
    RetryError,
)
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.firestore import Client
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from domain import phone_numbers
from domain.fields import is_record_name
from tools import customers_csv, customers_store
from tools import erase as eraser
from tools.customers_csv import Mistake
from tools.customers_plan import Plan, plan
from tools.seed import connect
from tools.terminal import plain

T = TypeVar("T")
_MOST_SHOWN = 200
_TOKEN_LOGIN = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
_KEY_LOGIN = ("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET")
_AS_USER = """printf 'user = "%s:%s"\\n' """
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def _login() -> str:
    """Return the shell's words that hand curl the login, which stands in the environment."""
    names = _KEY_LOGIN if os.environ.get("TWILIO_API_KEY_SID") else _TOKEN_LOGIN
    return _AS_USER + " ".join(f'"${name}"' for name in names)


def import_(arguments: argparse.Namespace) -> int:
    """Writes all rows, or none and says why."""
    with arguments.file.open(encoding="utf-8-sig", newline="") as file:
        sheet = customers_csv.read(file, arguments.country)
    if not sheet.rows:
        return _complain(
            arguments.file,
            sheet.mistakes or [Mistake(1, "there is no customer in this file")],
        )
    db = connect(arguments.project, arguments.database)
    with _progress() as progress:
        count = customers_store.how_many(db)
        existing = dict(
            _watched(
                progress, "reading what is there", customers_store.read_all(db), count
            )
        )
        made = plan(sheet.rows, existing, customers_store.key(db))
    if sheet.mistakes or made.mistakes:
        return _complain(arguments.file, [*sheet.mistakes, *made.mistakes])
    if sheet.own_columns:
        _say(f"columns that only templates read: {', '.join(sheet.own_columns)}")
    print(_summary(made, arguments.dry_run))
    return 0 if arguments.dry_run else _write(db, made)


def _write(db: Client, made: Plan) -> int:
    written = 0

    def finished(number: int) -> None:
        nonlocal written
        written += number
        progress.advance(task, number)

    with _progress() as progress:
        task = progress.add_task("writing", total=len(made.changes))
        try:
            customers_store.write_all(db, made.changes, finished)
        except (GoogleAPICallError, RetryError) as error:
            _say(
                f"Firestore failed after {written} of {len(made.changes)} customers ({error}). "
                "Run the same command again: what is right already is left alone."
            )
            return 1
    return 0


def export(arguments: argparse.Namespace) -> int:
    db = connect(arguments.project, arguments.database)
    with _progress() as progress:
        count = customers_store.how_many(db)
        records = _watched(progress, "reading", customers_store.read_all(db), count)
        if str(arguments.file) == "-":
            number = customers_csv.write(sys.stdout, records)
        else:
            number = _write_for_owner(arguments.file, records)
    _errors.print(f"{number} customers exported")
    return 0


def erase(arguments: argparse.Namespace) -> int:
    """Refuses to erase a customer with an open conversation: its worker would lose the name."""
    db = connect(arguments.project, arguments.database)
    found = eraser.find(db, arguments.customer_id)
    for one in found.open:
        _say(
            f"{one.id} is still {(one.to_dict() or {}).get('state')}: close it at Twilio, then run this again."
        )
    if found.open:
        _say("Nothing was erased.")
        return 1
    for one in found.others:
        _say(
            f"{one.id} has the same address, but is the customer {one.get('customer_id')}'s: erase that one too?"
        )
    if found.is_nothing:
        _say(f"Nothing is kept here of {arguments.customer_id}.")
        return 0
    try:
        if not arguments.dry_run:
            eraser.erase(db, found)
    except FailedPrecondition:
        _say(
            "One of the conversations has just changed. Run the same command again: it goes on where it ended."
        )
        return 1
    what = (
        f"{int(found.record.exists)} record, {len(found.conversations)} conversations"
    )
    print(
        f"{what}; nothing is erased (--dry-run)"
        if arguments.dry_run
        else f"erased: {what}"
    )
    _tell_what_is_left(eraser.at_twilio(found))
    return 0


def _tell_what_is_left(addresses: Sequence[str]) -> None:
    if addresses:
        print("Left at Twilio, with all messages. To remove them there:")
    for address in (
        addresses
    ):  # printf is the shell's own, so that no list of processes shows the token
        print(f"  {_login()} | curl -K - -X DELETE {plain(address)}")
    print("docs/privacy.md says what else Twilio and Google keep, and for how long.")


def _write_for_owner(
    path: Path, records: Iterable[tuple[str, Mapping[str, Any]]]
) -> int:
    """All or nothing, and readable by its owner only: other users of this machine have no right to the customers."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        created = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(
            created, "w", encoding="utf-8-sig", newline=""
        ) as file:  # with a mark for Excel
            number = customers_csv.write(file, records)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return number


def _say(text: str) -> None:
    """Print for the person at the terminal."""
    _errors.print(plain(text), markup=False)


def _summary(made: Plan, dry_run: bool) -> str:
    counts = f"{made.new} new, {len(made.changes) - made.new} changed, {made.unchanged} unchanged"
    return f"{counts}; nothing is written (--dry-run)" if dry_run else counts


def _complain(file: Path, mistakes: Sequence[Mistake]) -> int:
    """Names every mistake with its line, as compilers do; returns the exit status."""
    for mistake in sorted(mistakes, key=lambda mistake: mistake.line)[:_MOST_SHOWN]:
        _say(f"{file}:{mistake.line}: {mistake.text}")
    if len(mistakes) > _MOST_SHOWN:
        _errors.print(f"and {len(mistakes) - _MOST_SHOWN} more")
    _errors.print("Nothing was written.")
    return 1


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=_errors)


def _watched(
    progress: Progress, what: str, items: Iterable[T], total: int
) -> Iterable[T]:
    return progress.track(items, total=total, description=what)


def _country(code: str) -> str:
    if not phone_numbers.is_country(code.upper()):
        raise argparse.ArgumentTypeError("two letters such as DE are wanted")
    return code.upper()


def _record_name(text: str) -> str:
    if not is_record_name(text):
        raise argparse.ArgumentTypeError("no record can be called that")
    return text


def _parsed(words: Sequence[str] | None) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    default = os.environ.get("GOOGLE_CLOUD_PROJECT")
    common.add_argument("--project", default=default, required=default is None)
    common.add_argument(
        "--database", default=os.environ.get("FIRESTORE_DATABASE") or "(default)"
    )
    parser = argparse.ArgumentParser(
        prog="python -m tools.customers", description=__doc__
    )
    commands = parser.add_subparsers(required=True)
    bring = commands.add_parser(
        "import", parents=[common], help="write the customers of a CSV file"
    )
    bring.add_argument("file", type=Path)
    bring.add_argument(
        "--dry-run", action="store_true", help="check everything and write nothing"
    )
    bring.add_argument(
        "--country",
        type=_country,
        help="where numbers without a plus belong, such as DE",
    )
    bring.set_defaults(run=import_)
    fetch = commands.add_parser(
        "export", parents=[common], help="write all customers into a CSV file"
    )
    fetch.add_argument("file", type=Path, help="- for the standard output")
    fetch.set_defaults(run=export)
    forget = commands.add_parser(
        "erase", parents=[common], help="erase one customer and what was kept of them"
    )
    forget.add_argument(
        "customer_id",
        type=_record_name,
        metavar="ID",
        help="the record's name in customers",
    )
    forget.add_argument(
        "--dry-run", action="store_true", help="say what there is and erase nothing"
    )
    forget.set_defaults(run=erase, file="")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    arguments = _parsed(words)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except OSError as error:
        _say(f"{error.filename or arguments.file}: {error.strerror}")
    except (GoogleAPICallError, RetryError, DefaultCredentialsError) as error:
        _say(f"Firestore cannot be reached: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
