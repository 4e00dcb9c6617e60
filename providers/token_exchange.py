"""Exchanges an authorization code at an OpenID Connect issuer, by whichever client authentication the issuer takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from providers import clock
from providers.configuration import Issuer

_PATIENCE = 5.0  # seconds for one call
_BASIC, _POST, _NONE = "client_secret_basic", "client_secret_post", "none"
_accepted: dict[
    tuple[str, str], str
] = {}  # the method that worked, by issuer and client


class Redirect(NamedTuple):
    """What the issuer's redirect brought: the page's own address, the code, and the secret of PKCE."""

    back: str
    code: str
    verifier: str


def token(
    issuer: Issuer,
    description: Mapping[str, Any],
    redirect: Redirect,
    asked: Callable[[Callable[[], Any]], Any],
) -> Mapping[str, Any] | None:
    """Return the issuer's tokens; None if the issuer refuses the code. `asked` makes a call to the issuer.

    An issuer can be set up to accept a client by one method only, and does not say which one. A refused client has not
    used up the code: https://datatracker.ietf.org/doc/html/rfc6749#section-5.2
    """
    from authlib.common.errors import AuthlibBaseError

    url = description["token_endpoint"]
    for method in _methods(issuer, description):
        try:
            answer: Mapping[str, Any] = asked(
                partial(_exchanged, issuer, url, method, redirect)
            )
        except AuthlibBaseError as error:
            if error.error == "invalid_client":
                continue
            return None
        _accepted[issuer.address, issuer.client_id] = method
        return answer
    return None


def _methods(issuer: Issuer, description: Mapping[str, Any]) -> list[str]:
    """Return the methods to try, in order.

    Without a list, an issuer takes basic: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
    """
    if not issuer.client_secret:
        return [_NONE]
    listed = description.get("token_endpoint_auth_methods_supported")
    supported = listed if isinstance(listed, list) else [_BASIC, _POST]
    methods = [method for method in (_POST, _BASIC) if method in supported]
    accepted = _accepted.get((issuer.address, issuer.client_id))
    return sorted(methods or [_POST], key=lambda method: method != accepted)


def _exchanged(
    issuer: Issuer, url: str, method: str, redirect: Redirect
) -> Mapping[str, Any]:
    """Make one try. Raises AuthlibBaseError for a refusal, and requests' errors."""
    from authlib.integrations.requests_client import OAuth2Session

    with OAuth2Session(
        issuer.client_id,
        issuer.client_secret or None,
        redirect_uri=redirect.back,
        token_endpoint_auth_method=method,
        default_timeout=clock.remaining(_PATIENCE),
    ) as session:
        answer: Mapping[str, Any] = session.fetch_token(
            url,
            grant_type="authorization_code",
            code=redirect.code,
            code_verifier=redirect.verifier,
        )
    return answer
