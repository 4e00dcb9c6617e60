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

from domain.sessions import Account, is_account
from providers import clock, configuration
from providers.configuration import ConfigurationError, Iap, Issuer

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwk import KeySet
    from joserfc.jwt import Claims

# Signed with a key that only the issuer has: a shared secret or no key at all would let others sign, too.
_ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
]
_IAP_ISSUER = "https://cloud.google.com/iap"
_SKEW = 30  # seconds by which clocks may differ
_KEPT = 3600.0  # seconds for which an issuer's description and keys are good
_AGAIN = 10.0  # seconds until keys are asked for again because of one that is not known
_PATIENCE = 5.0  # seconds for one call
_STALE = (
    24 * 3600.0
)  # seconds for which a description or keys still serve while the issuer does not answer
_FAILED_FOR = 5.0  # seconds in which an address that did not answer is not asked again
_ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class Untrue(Exception):
    """What should say who somebody is does not; the text is one sentence."""


class Unreachable(Exception):
    """The issuer does not answer."""


class Busy(Unreachable):
    """So many requests wait for the issuer that this one was not begun; it may be sent again."""


@dataclass(frozen=True)
class SignedIn:
    """A person whom an issuer has signed in: their verified e-mail address and their account there."""

    email: str
    account: Account


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
            _described(issuer)["authorization_endpoint"],
            nonce=nonce,
            code_verifier=verifier,
            **more,
        )
    return Begun(address, state, nonce, verifier)


def signed_in(
    issuer: Issuer, back: str, code: str, nonce: str, verifier: str
) -> SignedIn:
    """The person who has come back with this code. Raises Untrue and Unreachable."""
    from authlib.common.errors import AuthlibBaseError

    described = _described(issuer)
    with _session(issuer, back) as session:
        try:
            token = _asked(
                lambda: session.fetch_token(
                    described["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            )
        except AuthlibBaseError:
            raise Untrue(
                "Your sign-in was refused where you sign in: begin again."
            ) from None
    return verified(issuer, token.get("id_token"), nonce)


def verified(issuer: Issuer, token: object, nonce: str) -> SignedIn:
    """The person in an ID token that was made out for us, now, for this sign-in. Raises Untrue."""
    from authlib.oidc.core import CodeIDToken

    described = _described(issuer)
    claims, header = _decoded(token, described["jwks_uri"])
    wanted = {
        "iss": {"essential": True, "value": described["issuer"]},
        "aud": {"essential": True, "value": issuer.client_id},
    }
    checked = CodeIDToken(
        claims, header, wanted, {"nonce": nonce, "client_id": issuer.client_id}
    )
    _validate(lambda: checked.validate(leeway=_SKEW))
    if not _is_verified(claims, issuer.trusts_email):
        raise Untrue(
            "Your e-mail address is not verified where you sign in: verify it there, then try again."
        )
    return _person(claims)


def behind_proxy(iap: Iap, header: str) -> SignedIn:
    """The person in the header that Identity-Aware Proxy signs; the proxy takes verified addresses only.

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
    if not _is_verified({"email_verified": True, **claims}, trusts_email=False):
        raise Untrue("Your e-mail address is not verified where you sign in.")
    return _person(claims)


def _is_verified(claims: Mapping[str, Any], trusts_email: bool) -> bool:
    """Only the boolean true says so: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims.

    JumpCloud, and Apple until 2024, send the text "true"; Entra ID sends nothing. Both count only if the person who
    runs the service trusts the issuer's addresses (OIDC_TRUST_EMAIL).
    """
    said = claims.get("email_verified")
    if said is True:
        return True
    return trusts_email and (said is None or said == "true")


def _person(claims: Mapping[str, Any]) -> SignedIn:
    address = claims.get("email")
    address = address.strip(" ") if isinstance(address, str) else ""
    if not address:
        raise Untrue(
            "Your sign-in names no e-mail address, by which you would be known here."
        )
    if (
        not address.isprintable()
    ):  # a name is compared without such characters, so this could be another person's
        raise Untrue(
            "Your e-mail address has invisible characters in it, so it is not taken."
        )
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not is_account(issuer, subject):
        raise Untrue("The sign-in does not say which account of yours it is for (sub).")
    return SignedIn(address, Account(str(issuer), str(subject)))


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
        token_endpoint_auth_method="client_secret_post"
        if issuer.client_secret
        else "none",
        default_timeout=clock.remaining(_PATIENCE),
    )


def _described(issuer: Issuer) -> Mapping[str, str]:
    """What the issuer says of itself. https://openid.net/specs/openid-connect-discovery-1_0.html"""
    _refuse_open_line(issuer.address)
    found = _kept(f"{issuer.address}/.well-known/openid-configuration", _KEPT)
    wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    # Some issuers' names end in a slash (Auth0), which the setting may leave out; tokens are compared to the letter.
    if str(found.get("issuer", "")).rstrip("/") != issuer.address or not all(
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
        raise ConfigurationError(
            "The environment variable OIDC_ISSUER must begin with https://."
        )


def _keys(address: str, age: float) -> KeySet:
    from joserfc.jwk import KeySet

    return KeySet.import_key_set(_kept(address, age))  # type: ignore[arg-type] # a mistake in it is an error of joserfc


_pages: dict[str, tuple[float, Mapping[str, Any]]] = {}
_failed: dict[str, float] = {}  # when an address did not answer
_waiting = 0  # requests that wait for an issuer
_noting = threading.Lock()  # never held while something is asked of another machine


def _kept(address: str, age: float) -> Mapping[str, Any]:
    """A JSON object of the web that is at most so old; an older one if it cannot be had. Raises Unreachable."""
    now = clock.now().timestamp()
    with _noting:
        at, found = _pages.get(address, (0.0, {}))
        failed_at = _failed.get(address, 0.0)
    if found and now - at <= age:
        return found
    try:
        if 0 <= now - failed_at < _FAILED_FOR:
            raise Unreachable("It did not answer a moment ago.")
        return _renewed(address)
    except Unreachable:
        if found and now - at < _STALE:
            return found
        raise


def forget() -> None:
    """Forgets what was fetched and what failed: the next sign-in asks the issuer again."""
    with _noting:
        _pages.clear()
        _failed.clear()


def _renewed(address: str) -> Mapping[str, Any]:
    """Fetches it, and notes whether that worked."""
    try:
        found: Mapping[str, Any] = _asked(lambda: _fetched(address))
    except Busy:
        raise
    except Unreachable:
        with _noting:
            _failed[address] = clock.now().timestamp()
        raise
    with _noting:
        _failed.pop(address, None)
        _pages[address] = (clock.now().timestamp(), found)
    return found


def _fetched(address: str) -> Mapping[str, Any]:
    import requests

    answer = requests.get(address, timeout=clock.remaining(_PATIENCE))
    answer.raise_for_status()
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _asked(call: Callable[[], Any]) -> Any:
    """Asks the issuer. Half of an instance's requests at most wait for one at a time; the others serve who is in."""
    import requests

    global _waiting
    with _noting:
        if _waiting >= max(1, configuration.threads() // 2):
            raise Busy("Too many requests wait for the issuer.")
        _waiting += 1
    try:
        return call()
    except requests.RequestException as error:
        raise Unreachable(type(error).__name__) from None
    finally:
        with _noting:
            _waiting -= 1
