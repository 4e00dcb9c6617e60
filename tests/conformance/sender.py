"""Sends a webhook as Twilio does, or with one thing wrong, over a real connection."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from local import raw_http

Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Sender:
    """An account, and where the functions listen. `public` is the address that Twilio knows, if another."""

    account_sid: str
    auth_token: str
    base_url: str
    public: str | None = None

    def url(self, name: str, path: str = "", query: str = "") -> str:
        """The address of a function as Twilio signs it."""
        base = self.public or self.base_url
        return f"{base}/{name.replace('_', '-')}{path}" + (f"?{query}" if query else "")

    def completed(self, form: Pairs) -> list[tuple[str, str]]:
        """The form as Twilio Conversations sends it: it names the account with every event."""
        pairs = list(form.items() if isinstance(form, Mapping) else form)
        names = {name for name, _ in pairs}
        is_event = "EventType" in names and "AccountSid" not in names
        return [*pairs, ("AccountSid", self.account_sid)] if is_event else pairs

    def signature(
        self,
        url: str,
        form: Pairs,
        token: str | None = None,
        algorithm: str | None = None,
    ) -> str:
        """Worked out by Twilio's own SDK."""
        params = MultiDict(self.completed(form))
        return str(
            RequestValidator(token or self.auth_token).compute_signature(
                url, params, algorithm
            )
        )

    def send(
        self,
        name: str,
        form: Pairs = (),
        *,
        method: str = "POST",
        path: str = "",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        signature: str | None = None,
    ) -> Response:
        """`signature`: what to send as such, None for the right one, "" for none. `body`: instead of the form."""
        pairs = self.completed(form)
        sent = {"Content-Type": FORM, **(headers or {})}
        if signature is None:
            signature = self.signature(self.url(name, path, query), pairs)
        if signature:
            sent["X-Twilio-Signature"] = signature
        target = f"{self.base_url}/{name.replace('_', '-')}{path}" + (
            f"?{query}" if query else ""
        )
        content = urlencode(pairs).encode() if body is None else body
        return raw_http.send(method, target, list(sent.items()), content, timeout=20)
