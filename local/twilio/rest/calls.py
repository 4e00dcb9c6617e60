"""One REST call: its parameters, what it is about, the events it makes, and pages of results."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.events import Event
from local.twilio.records import Conversation, Message, Record, Service
from local.twilio.shapes import HOST, Shape

RestAnswer = tuple[int, Shape | None]


class Form(MultiDict[str, str]):
    """Form or query parameters; a name may come several times."""

    def __init__(self, encoded: str) -> None:
        super().__init__(parse_qsl(encoded, keep_blank_values=True))

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise ApiError(20001, f"missing required parameter {name}")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise ApiError(20001, f"{name} must be true or false")
        return value.lower() == "true"

    def number(self, name: str, default: int) -> int:
        value = self.get(name)
        if value is None:
            return default
        if not value.isdigit():
            raise ApiError(20001, f"{name} must be a whole number")
        return int(value)

    def plain(self) -> dict[str, Any]:
        """The parameters for the record of requests: a list only where a name came several times."""
        return {name: one if len(one) > 1 else one[0] for name, one in self.lists()}


@dataclass
class Call:
    """A request that was let in, with the path's parts resolved."""

    account: Account
    method: str
    path: str
    form: Form
    ids: Mapping[str, str]
    service: Service
    scope: str | None
    body: bytes = b""
    content_type: str = ""
    events: list[Event] = field(default_factory=list)
    sent: list[tuple[Conversation, Message]] = field(default_factory=list)

    @property
    def sid(self) -> str:
        return self.ids["sid"]

    def conversation(self) -> Conversation:
        return self.account.find_conversation(
            self.ids["conversation"], self.service.sid
        )


Listed = TypeVar("Listed", bound=Record)


def page(
    call: Call,
    key: str,
    records: Iterable[Listed],
    shape: Callable[[Listed], Shape],
    maximum: int = 100,
    newest_first: bool = False,
    host: str = HOST,
) -> RestAnswer:
    """One page, with links to the others on Twilio's host. A token names the last record before its page."""
    size = min(max(call.form.number("PageSize", 50), 1), maximum)
    number, token = call.form.number("Page", 0), call.form.get("PageToken")
    listed = sorted(records, key=lambda record: record.order, reverse=newest_first)
    start = number * size
    if token:
        order = _order_of(token)
        passed = (
            record.order >= order if newest_first else record.order <= order
            for record in listed
        )
        start = sum(passed)
    shown = listed[start : start + size]
    more = len(listed) > start + size
    link = _Links(call, size, host)
    meta = {
        "page": number,
        "page_size": size,
        "first_page_url": link.to(0),
        "previous_page_url": link.to(number - 1) if number else None,
        "url": link.to(number, token),
        "next_page_url": link.to(number + 1, f"PT{shown[-1].order}") if more else None,
        "key": key,
    }
    return 200, {key: [shape(record) for record in shown], "meta": meta}


def _order_of(token: str) -> int:
    if not token.startswith("PT") or not token[2:].isdigit():
        raise ApiError(20001, "PageToken is not one that was given out")
    return int(token[2:])


class _Links:
    """Addresses of the pages of one list."""

    def __init__(self, call: Call, size: int, host: str) -> None:
        kept = [
            (name, value)
            for name, value in call.form.items(multi=True)
            if not name.startswith("Page")
        ]
        self._start = f"{host}{call.path}?"
        self._pairs = [*kept, ("PageSize", str(size))]

    def to(self, number: int, token: str | None = None) -> str:
        extra = [("PageToken", token)] if token else []
        return self._start + urlencode([*self._pairs, ("Page", str(number)), *extra])
