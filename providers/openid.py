"""Who somebody is, as a party that we trust signs it: OpenID Connect, and the header of Google's Identity-Aware Proxy.

The exchange is Authlib's, the signatures are joserfc's; both are imported where somebody signs in, and nowhere else.
https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth and #IDTokenValidation
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from providers import clock
from providers.configuration import ConfigurationError, Iap, Issuer

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwk import KeySet
    from joserfc.jwt import Claims

# Signed with a key that only the issuer has: a shared secret or no key at all would let others sign, too.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
_IAP_ISSUER = "https://cloud.google.com/iap"
_SKEW = 30  # seconds by which clocks may differ
_KEPT = 3600.0  # seconds for which an issuer's description and keys are good
_AGAIN = 10.0  # seconds until keys are asked for again because of one that is not known
_PATIENCE = 5.0  # seconds for one call
_ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class Untrue(Exception):
    """What should say who somebody is does not; the text is one sentence."""


class Unreachable(Exception):
    """The issuer does not answer just now."""


@dataclass(frozen=True)
class Begun:
    """A sign-in that is under way: where to send the browser, and what to keep until it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


def begin(issuer: Issuer, back: str, choose: bool) -> Begun:
    """Sends somebody to the issuer. `back`: the address to come back to; `choose`: ask which account.

    Raises Unreachable, and ConfigurationError for an issuer that is none.
    """
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    with _session(issuer, back) as session:
        more = {"prompt": "select_account"} if choose else {}
        address, state = session.create_authorization_url(
            _described(issuer)["authorization_endpoint"], nonce=nonce, code_verifier=verifier, **more
        )
    return Begun(address, state, nonce, verifier)


def email(issuer: Issuer, back: str, code: str, nonce: str, verifier: str) -> str:
    """The verified e-mail address of whoever has come back with this code. Raises Untrue and Unreachable."""
    from authlib.common.errors import AuthlibBaseError

    with _session(issuer, back) as session:
        try:
            token = _asked(
                lambda: session.fetch_token(
                    _described(issuer)["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            )
        except AuthlibBaseError:
            raise Untrue("Your sign-in was refused where you sign in: begin again.") from None
    return verified(issuer, token.get("id_token"), nonce)


def verified(issuer: Issuer, token: object, nonce: str) -> str:
    """The verified e-mail address in an ID token that was made out for us, now, for this sign-in. Raises Untrue."""
    from authlib.oidc.core import CodeIDToken

    jwks = _described(issuer)["jwks_uri"]
    claims, header = _decoded(token, jwks)
    wanted = {
        "iss": {"essential": True, "value": issuer.address},
        "aud": {"essential": True, "value": issuer.client_id},
    }
    checked = CodeIDToken(claims, header, wanted, {"nonce": nonce, "client_id": issuer.client_id})
    _validate(lambda: checked.validate(leeway=_SKEW))
    return _email(claims)


def behind_proxy(iap: Iap, header: str) -> str:
    """The e-mail address in the header that Identity-Aware Proxy signs; the proxy takes verified ones only.

    https://cloud.google.com/iap/docs/signed-headers-howto. Raises Untrue and Unreachable.
    """
    from joserfc.jwt import JWTClaimsRegistry

    claims, _ = _decoded(header, iap.keys, ["ES256"])
    registry = JWTClaimsRegistry(
        leeway=_SKEW,
        iss={"essential": True, "value": _IAP_ISSUER},
        aud={"essential": True, "value": iap.audience},
        exp={"essential": True},
        iat={"essential": True},
    )
    _validate(lambda: registry.validate(claims))
    return _email({"email_verified": True, **claims})


def _email(claims: Mapping[str, Any]) -> str:
    if claims.get("email_verified") not in (True, "true"):  # some issuers write it as a text
        raise Untrue(
            "Your e-mail address is not verified where you sign in: verify it there, then try again."
        )
    address = claims.get("email")
    if not isinstance(address, str) or not address.strip():
        raise Untrue("Your sign-in names no e-mail address, by which you would be known here.")
    return address.strip()


def _validate(check: Callable[[], None]) -> None:
    from joserfc.errors import JoseError

    try:
        check()
    except (JoseError, ValueError, TypeError) as error:
        claim = getattr(error, "claim", None)
        raise Untrue(
            f"The sign-in is not one that was made for this page just now{f' ({claim})' if claim else ''}: begin again."
        ) from None


def _decoded(
    token: object, keys: str, algorithms: list[str] = _ALGORITHMS
) -> tuple[Claims, Mapping[str, Any]]:
    """The claims and the header of a token that one of the keys has signed."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    if not isinstance(token, str):
        raise Untrue("The sign-in came back without a token that says who you are.")
    for age in (_KEPT, _AGAIN):  # an issuer changes its keys now and then
        try:
            found = jwt.decode(token, _keys(keys, age), algorithms=algorithms)
            return found.claims, found.header
        except (JoseError, LookupError, ValueError, TypeError, RecursionError):
            continue
    raise Untrue("The sign-in is not signed by whom this page trusts: begin again.")


def _session(issuer: Issuer, back: str) -> OAuth2Session:
    """Authlib's client; the secret goes in the body, which every issuer takes, and a public client has none."""
    from authlib.integrations.requests_client import OAuth2Session

    return OAuth2Session(
        issuer.client_id,
        issuer.client_secret or None,
        scope="openid email",
        redirect_uri=back,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post" if issuer.client_secret else "none",
        default_timeout=clock.remaining(_PATIENCE),
    )


def _described(issuer: Issuer) -> Mapping[str, str]:
    """What the issuer says of itself. https://openid.net/specs/openid-connect-discovery-1_0.html"""
    _refuse_open_line(issuer.address)
    found = _kept(f"{issuer.address}/.well-known/openid-configuration", _KEPT)
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if found.get("issuer", "").rstrip("/") != issuer.address or not all(
        isinstance(found.get(name), str) for name in wanted
    ):
        raise ConfigurationError(
            "The environment variable OIDC_ISSUER is not the address of an OpenID Connect issuer: its description "
            "says something else."
        )
    return found


def _refuse_open_line(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _ON_THIS_MACHINE:
        raise ConfigurationError("The environment variable OIDC_ISSUER must begin with https://.")


def _keys(address: str, age: float) -> KeySet:
    from joserfc.jwk import KeySet

    return KeySet.import_key_set(_kept(address, age))  # type: ignore[arg-type] # a mistake in it is an error of joserfc


_pages: dict[str, tuple[float, Mapping[str, Any]]] = {}
_asking = threading.Lock()


def _kept(address: str, age: float) -> Mapping[str, Any]:
    """A JSON object of the web that is at most so old; asked for once, however many want it."""
    with _asking:
        at, found = _pages.get(address, (0.0, {}))
        now = clock.now().timestamp()
        if not found or now - at > age:
            found = _asked(lambda: _fetched(address))
            _pages[address] = (now, found)
        return found


def _fetched(address: str) -> Mapping[str, Any]:
    import requests

    answer = requests.get(address, timeout=clock.remaining(_PATIENCE))
    answer.raise_for_status()
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _asked(call: Callable[[], Any]) -> Any:
    import requests

    try:
        return call()
    except requests.RequestException as error:
        raise Unreachable(type(error).__name__) from None
