"""Opens the inbox or the desk and begins to sign in, as a browser would, as far as the issuer's first page."""

from __future__ import annotations

import argparse
import sys
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

_SECONDS = 30
_BETWEEN = 3.0
_BROWSER = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (deploy.sh)"}


def complaint(url: str, client: str | None, page: str = "inbox") -> str | None:
    """What is wrong, as a sentence; None if the page is there and, with a client, the issuer takes the request."""
    try:
        answer = requests.get(f"{url}/", headers=_BROWSER, timeout=_SECONDS)
    except requests.RequestException as error:
        return f"nothing answers at {url} ({type(error).__name__})"
    status = answer.status_code
    if status in (403, 404):
        return f"{url} answers {status}: Google refuses visitors, or {page.upper()}_URL is another address"
    if status >= 500:
        return f"{url} answers {status}: see the function's log"
    return _sign_in(url, client, page) if client else None


def _sign_in(url: str, client: str, page: str) -> str | None:
    try:
        begun = requests.get(
            f"{url}/sign-in", headers=_BROWSER, timeout=_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        return f"nothing answers at {url}/sign-in ({type(error).__name__})"
    to = urljoin(f"{url}/sign-in", begun.headers.get("Location", ""))
    asked = parse_qs(urlsplit(to).query)
    if begun.status_code not in (302, 303, 307) or asked.get("client_id") != [client]:
        return f"{url}/sign-in does not lead to the issuer with the client {client}: see the function's log"
    redirect = asked.get("redirect_uri", [""])[0]
    if redirect != f"{url}/back":
        return f"the {page} believes that it is at {redirect.removesuffix('/back')}: set {page.upper()}_URL"
    return _issuer(to, redirect)


def _issuer(to: str, redirect: str) -> str | None:
    """Google answers a wrong client or redirect with a page that has "error" in its address."""
    try:
        answer = requests.get(to, headers=_BROWSER, timeout=_SECONDS)
    except requests.RequestException as error:
        return f"the issuer does not answer ({type(error).__name__})"
    if answer.status_code >= 400 or "/error" in urlsplit(answer.url).path:
        return (
            "the issuer refuses the client: check its id, and that it has the authorised redirect URI "
            f"{redirect} (a change there takes some minutes)"
        )
    return None


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="the page's public address")
    parser.add_argument("--page", choices=("inbox", "desk"), default="inbox")
    parser.add_argument(
        "--client", help="the OAuth client; without one only the page is looked at"
    )
    parser.add_argument(
        "--patience", type=float, default=0, help="seconds to go on asking"
    )
    arguments = parser.parse_args(words)
    until = time.monotonic() + arguments.patience
    while (
        found := complaint(arguments.url.rstrip("/"), arguments.client, arguments.page)
    ) and time.monotonic() < until:
        time.sleep(_BETWEEN)
    print(
        f"  {found or 'the page is there' + (' and signing in begins' if arguments.client else '')}"
    )
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
