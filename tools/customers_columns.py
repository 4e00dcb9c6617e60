"""What a CSV file's columns are called: in any spelling a person would recognise; what is nearly one is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from domain.customer_record import KEPT

ID = "customer_id"
COLUMNS = (
    ID,
    "display_name",
    "addresses",
    "worker",
    "priority",
    "avatar",
    "language",
    "do_not_contact",
    "links",
    "details_title",
    "details_content",
)
EXPORTED_ONLY = "opted_out"  # only the customer can opt out, or in again: an import changes nothing about it
_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_ -]*(?<! )")
_HEADER = re.compile(r"(?P<name>.*?)(?: \((?P<kind>json|time)\))?")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_ALIKE = (
    0.8  # of 1; `address` and `adress` are that near to addresses, `company` to nothing
)
# What other programs call these columns:
_OTHER_NAMES = {
    "display_name": (
        "name",
        "full name",
        "customer name",
        "contact name",
        "nom",
        "nombre",
        "nome",
        "naam",
    ),
    "addresses": (
        "phone",
        "phone number",
        "telephone",
        "telephone number",
        "tel",
        "telefon",
        "telefonnummer",
        "telefono",
        "teléfono",
        "téléphone",
        "telefone",
        "telefoon",
        "mobile",
        "mobile phone",
        "mobile number",
        "cell",
        "cell phone",
        "handy",
        "mobil",
        "number",
        "sms",
        "whatsapp",
        "mail",
        "e-mail",
        "e-mail address",
        "correo",
    ),
    "worker": ("agent", "assigned to", "assignee"),
    "language": ("lang", "locale", "sprache", "langue", "idioma"),
}


def _folded(name: str) -> str:
    return _BETWEEN_WORDS.sub("", name).casefold()


_KNOWN = {_folded(name): name for name in (*COLUMNS, *KEPT)}


_BY_OTHER_NAME = {
    _folded(other): name for name, others in _OTHER_NAMES.items() for other in others
}


def parts(column: str) -> tuple[str, str | None]:
    """A column's field, and whether it holds JSON or a time: `age (json)`."""
    match = _HEADER.fullmatch(column)
    return (match["name"], match["kind"]) if match else (column, None)


def can_be(name: str) -> bool:
    """Whether a column can have this name."""
    return _NAME.fullmatch(name) is not None


def is_like_another(name: str) -> bool:
    """Whether a column of this name would be taken for one that we know, or refused for it."""
    return name not in COLUMNS and _meant(name) is not None


def understood(header: Sequence[str]) -> list[str]:
    """The columns by their right names; one that says what it holds, `age (json)`, is called exactly as it is."""
    return [
        _KNOWN.get(_folded(column), column)
        for column in (_INVISIBLE.sub("", c).strip() for c in header)
    ]


def wrong_in(header: Sequence[str]) -> list[str]:
    """What is wrong in a header that is `understood`, a sentence each. A column without a name is none."""
    named = [column for column in header if column]
    wrong = [
        f"the column {name} comes twice"
        for name in dict.fromkeys(named)
        if named.count(name) > 1
    ]
    for column in named:
        name, kind = parts(column)
        if name in KEPT:
            wrong.append(f"the column {name} is kept by the service: leave it out")
        elif not can_be(name):
            wrong.append(
                f"the column “{column}” is not a name: letters, digits, blanks, - and _"
            )
        elif kind is None and is_like_another(name):
            wrong.append(_question(name))
    if not {ID, "addresses"} & set(named):
        wrong.append("there is neither a column customer_id nor a column addresses")
    return wrong


def _question(name: str) -> str:
    """Return the sentence about a column that probably has another right name."""
    meant = _meant(name)
    several = (
        " (one column holds all of a customer's numbers and e-mail addresses, separated by ;)"
        if meant == "addresses"
        else ""
    )
    return (
        f"the column {name}: did you mean {meant}{several}? For a field of its own call it {name} (json), "
        "and write its cells as JSON"
    )


def own(header: Sequence[str]) -> list[str]:
    """Return the columns of fields that only templates read."""
    known = (*COLUMNS, "details", EXPORTED_ONLY)
    return [column for column in header if column and parts(column)[0] not in known]


def _meant(name: str) -> str | None:
    if (folded := _folded(name)) in _BY_OTHER_NAME:
        return _BY_OTHER_NAME[folded]
    near = get_close_matches(folded, _KNOWN, n=1, cutoff=_ALIKE)
    return _KNOWN[near[0]] if near else None
