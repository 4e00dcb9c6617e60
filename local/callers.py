"""Who is calling a local server: a program or page of this machine, the internet through a tunnel, or another site."""

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit

_OURSELVES = ("127.0.0.1", "localhost")
# A tunnel may call this machine by its own name, and then says in one of these for whom.
_FROM_A_PROXY = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Real-Ip",
    "Cf-Connecting-Ip",
    "Via",
)
_READING = ("GET", "HEAD", "OPTIONS")


Header: TypeAlias = Callable[[str], str | None]  # a header's value by its name


def refusal(method: str, header: Header) -> str | None:
    """Why this request gets nothing private, in one sentence; None: it comes from this machine."""
    host = header("Host") or ""
    if _name(host) not in _OURSELVES:
        return "Only Twilio's webhooks are reachable under this host name: open http://127.0.0.1 on this machine."
    if any(header(name) is not None for name in _FROM_A_PROXY):
        return "Only Twilio's webhooks are reachable through a tunnel: open http://127.0.0.1 on this machine."
    if method not in _READING and _is_from_another_site(host, header):
        return "A change is only accepted from a page of this server, not from another site."
    return None


def _name(host: str) -> str:
    """The host without its port."""
    name, _, port = host.rpartition(":")
    return name if port.isdecimal() else host


def _is_from_another_site(host: str, header: Header) -> bool:
    """Browsers send Origin with every POST of another site; programs send none."""
    origin = header("Origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return True
    return (header("Sec-Fetch-Site") or "none") not in ("same-origin", "none")
