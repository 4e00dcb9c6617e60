"""Describes a page where workers sign in: the inbox, the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.worker import Worker
from providers import configuration


def _admit_everyone(worker: Worker) -> str | None:
    return None


@dataclass(frozen=True)
class Page:
    """One page with its own sign-in, session, address and static files.

    `name` is the function's name, and the name of the session's cookie.
    `title` and `lead` stand on the sign-in page.
    `static` is the folder of its files; `shared` names the files of
    functions/static that it serves as well.
    `why_not` returns a sentence for a worker who may not use the page, else None.
    """

    name: str
    title: str
    lead: str
    static: Path
    shared: tuple[str, ...] = (
        "preact.js",
        "server.js",
        "parts.js",
        "icon.svg",
        "icon-192.png",
        "sign-in.html",
        "sign-in.js",
    )
    why_not: Callable[[Worker], str | None] = _admit_everyone

    @property
    def header(self) -> str:
        """Return the name of the header that only the page's own script sends."""
        return f"X-{self.name.capitalize()}"

    @property
    def has_manifest(self) -> bool:
        """Return whether the page can be installed on a phone."""
        return (self.static / "manifest.webmanifest").exists()

    @property
    def stylesheet(self) -> str:
        """Return the name of the page's own style sheet, which the shared theme precedes."""
        return f"{self.name}.css"

    def url(self) -> str | None:
        """Return the public address without a slash at its end; None in a local run."""
        return configuration.page_url(self.name)

    def iap(self) -> configuration.Iap | None:
        """Return the Identity-Aware Proxy in front; None: sign-in by OpenID Connect."""
        return configuration.iap(self.name)
