"""Verifies a person's identity: an OpenID Connect sign-in, or the header of Google's Identity-Aware Proxy (IAP).

Authlib does the exchange, joserfc checks the signatures; both are imported only when a person signs in.
https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth and #IDTokenValidation
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain import issuers
from domain.sessions import Account, is_account
from providers import clock, configuration, token_exchange
from providers.configuration import ConfigurationError, Iap, Issuer
from providers.token_exchange import Redirect

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwk import Key, KeySet
    from joserfc.jwt import Claims

# Signed with a key that only the issuer has: with a shared secret or without a key, others could sign as well.
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
_SKEW = 90  # seconds by which clocks may differ
_FRESH_FOR = 3600.0  # seconds for which an issuer's description and keys are used
_UNKNOWN_KEY_AFTER = 10.0  # seconds until an unknown key makes us fetch the keys again
_PATIENCE = 5.0  # seconds for one call
_STALE_FOR = 24 * 3600.0  # seconds for which they are used if the issuer is unreachable
_FAILED_FOR = 5.0  # seconds for which an unreachable address is not called again
_ON_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_CHOOSE = "select_account"
_VERIFIED = ("email_verified", "xms_edov")
_NO_ADDRESS = "Your account has no e-mail address, so we can't match it to a worker."
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Untrue(Exception):
    """A proof of identity is invalid; the text is one sentence."""


class Unreachable(Exception):
    """The issuer does not respond."""


class Busy(Unreachable):
    """Too many requests are waiting for the issuer, so this one was not sent; it can be repeated."""


@dataclass(frozen=True)
class SignedIn:
    """A signed-in person: the verified e-mail address and the account at the issuer."""

    email: str
    account: Account


@dataclass(frozen=True)
class Begun:
    """A sign-in in progress: where to send the browser, and what to keep until it returns."""

    address: str
    state: str
    nonce: str
    verifier: str


def begin(issuer: Issuer, back: str, choose: bool) -> Begun:
    """Start a sign-in. `back`: the address to return to; `choose`: let the person choose an account.

    Raises Unreachable, and ConfigurationError if the address is not an issuer's.
    """
    nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    with _session(issuer, back) as session:
        description = _described(issuer)
        more = {"prompt": _prompt(description)} if choose else {}
        address, state = session.create_authorization_url(
            description["authorization_endpoint"],
            nonce=nonce,
            code_verifier=verifier,
            **more,
        )
    return Begun(address, state, nonce, verifier)


def _prompt(description: Mapping[str, Any]) -> str:
    """Return what makes the issuer ask for an account; some only know how to ask for the password again.

    https://openid.net/specs/openid-connect-prompt-create-1_0.html#section-4.2
    """
    known = description.get("prompt_values_supported")
    is_listed = not isinstance(known, list) or _CHOOSE in known
    return _CHOOSE if is_listed else "login"


def signed_in(
    issuer: Issuer, back: str, code: str, nonce: str, verifier: str
) -> SignedIn:
    """Exchange the code for the person's identity. Raises Untrue and Unreachable."""
    description = _described(issuer)
    token = token_exchange.token(
        issuer, description, Redirect(back, code, verifier), _asked
    )
    if token is None:
        raise Untrue("Your sign-in service refused this sign-in. Please start over.")
    access_token = str(token.get("access_token") or "")
    return verified(issuer, token.get("id_token"), nonce, access_token)


def verified(
    issuer: Issuer, token: object, nonce: str, access_token: str = ""
) -> SignedIn:
    """Return the person in an ID token that was issued to us, now, for this sign-in. Raises Untrue and Unreachable.

    If the token has no e-mail address, the issuer's UserInfo is asked.
    """
    from authlib.oidc.core import CodeIDToken

    description = _described(issuer)
    claims, header = _decoded(token, description["jwks_uri"])
    options = {
        "iss": {"essential": True, "value": description["issuer"]},
        "aud": {"essential": True, "value": issuer.client_id},
    }
    parameters = {"nonce": nonce, "client_id": issuer.client_id}
    id_token = CodeIDToken(claims, header, options, parameters)
    _validate(lambda: id_token.validate(leeway=_SKEW))
    known = {**claims, **_address_at(description, claims, access_token)}
    if not is_verified(known, issuer):
        raise Untrue(_not_verified(known))
    return _person(known)


def _address_at(
    description: Mapping[str, Any], claims: Mapping[str, Any], access_token: str
) -> Mapping[str, Any]:
    """Return the e-mail address and whether it is verified, both from UserInfo, if the token has no address.

    https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims: with an access token, an issuer may send the
    address at UserInfo only. Raises Untrue and Unreachable.
    """
    endpoint = description.get("userinfo_endpoint")
    if claims.get("email") or not access_token or not isinstance(endpoint, str):
        return {}
    answer = _asked(lambda: _fetched(endpoint, access_token))
    # https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse: it may be another person's.
    if answer.get("sub") != claims.get("sub"):
        raise Untrue("The sign-in service named another account. Please start over.")
    return {name: answer.get(name) for name in ("email", *_VERIFIED)}


def _not_verified(claims: Mapping[str, Any]) -> str:
    """Return the sentence for an address that does not count, with what has to be done."""
    if not claims.get("email"):
        return _NO_ADDRESS
    if claims.get("email_verified") is None:
        return (
            "Your sign-in service doesn't say that your e-mail address is verified. Ask your administrator to set that "
            "up (docs/inbox.md, Sign-in services)."
        )
    return "Your e-mail address is not verified at your sign-in service. Verify it there, then try again."


def behind_proxy(iap: Iap, header: str) -> SignedIn:
    """Return the person in the header that Identity-Aware Proxy signs; the proxy accepts verified addresses only.

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
    if claims.get("email_verified", True) is not True:
        raise Untrue("Your e-mail address is not verified at your sign-in service.")
    return _person(claims)


def is_verified(claims: Mapping[str, Any], issuer: Issuer) -> bool:
    """Return whether the e-mail address counts. Only the boolean true means verified: https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims.

    JumpCloud, and Apple until 2024, send the text "true"; Entra ID sends nothing. Both count only if the administrator
    trusts the issuer's addresses (OIDC_TRUST_EMAIL). Entra ID can be set up to say in a claim of its own that the
    organisation owns the address's domain: https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
    """
    claim = claims.get("email_verified")
    if claim is True:
        return True
    owns_domain = claims.get("xms_edov") in (True, "1", "true")
    if claim is None and owns_domain and issuers.is_microsoft(issuer.address):
        return True
    return issuer.trusts_email and (claim is None or claim == "true")


def _person(claims: Mapping[str, Any]) -> SignedIn:
    claim = claims.get("email")
    address = claim.strip(" ") if isinstance(claim, str) else ""
    if not address:
        raise Untrue(_NO_ADDRESS)
    # Names are compared without invisible characters, so this could be another person's.
    if not address.isprintable():
        raise Untrue("Your e-mail address contains invisible characters.")
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not is_account(issuer, subject):
        raise Untrue("The sign-in doesn't say which account it is for (sub).")
    return SignedIn(address, Account(str(issuer), str(subject)))


def _validate(check: Callable[[], None]) -> None:
    from joserfc.errors import JoseError

    try:
        check()
    except (JoseError, ValueError, TypeError) as error:
        claim = getattr(error, "claim", None)
        detail = f" ({claim})" if claim else ""
        raise Untrue(
            f"This sign-in is not valid for this page{detail}. Please start over."
        ) from None


def _decoded(
    token: object, keys: str, algorithms: list[str] = _ALGORITHMS
) -> tuple[Claims, Mapping[str, Any]]:
    """Return the claims and the header of a token that one of the keys has signed."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    if not isinstance(token, str):
        raise Untrue("The sign-in returned no token. Please start over.")
    # An issuer changes its keys from time to time, so a failure is checked against new ones.
    for age in (_FRESH_FOR, _UNKNOWN_KEY_AFTER):
        try:
            decoded = jwt.decode(token, _keys(keys, age), algorithms=algorithms)
            return decoded.claims, decoded.header
        except (JoseError, LookupError, ValueError, TypeError, RecursionError):
            continue
    raise Untrue("The sign-in response has an invalid signature. Please start over.")


def _session(issuer: Issuer, back: str) -> OAuth2Session:
    """Return Authlib's client for the address to which the browser is sent."""
    from authlib.integrations.requests_client import OAuth2Session

    return OAuth2Session(
        issuer.client_id,
        scope="openid email",
        redirect_uri=back,
        code_challenge_method="S256",
    )


def _described(issuer: Issuer) -> Mapping[str, str]:
    """Return the issuer's description. https://openid.net/specs/openid-connect-discovery-1_0.html

    Raises Unreachable, and ConfigurationError if the address is not an issuer's.
    """
    _refuse_insecure(issuer.address)
    url = f"{issuer.address}/.well-known/openid-configuration"
    description = _fresh(url, _FRESH_FOR)
    # Some issuers' names end in a slash (Auth0), which the setting may omit; tokens must match exactly.
    is_its_own = str(description.get("issuer", "")).rstrip("/") == issuer.address
    endpoints = [description.get(name) for name in _ENDPOINTS]
    if not is_its_own or not all(isinstance(url, str) for url in endpoints):
        raise ConfigurationError(
            "The environment variable OIDC_ISSUER is not the address of an OpenID Connect issuer: its description "
            "doesn't match. Set it to the issuer's exact address."
        )
    return description


def _refuse_insecure(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _ON_THIS_MACHINE:
        raise ConfigurationError(
            "The environment variable OIDC_ISSUER must begin with https://."
        )


def _keys(address: str, age: float) -> KeySet:
    from joserfc.jwk import KeySet

    listed = _fresh(address, age).get("keys")
    read = map(_key, listed if isinstance(listed, list) else [])
    return KeySet([key for key in read if key is not None])


def _key(data: object) -> Key | None:
    """Return one key; None for a kind that is unknown here, which has to be ignored.

    https://datatracker.ietf.org/doc/html/rfc7517#section-5
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    try:
        return JWKRegistry.import_key(data)  # type: ignore[arg-type] # a mistake in it raises
    except (JoseError, LookupError, ValueError, TypeError, AttributeError):
        return None


_documents: dict[str, tuple[float, Mapping[str, Any]]] = {}
_failed: dict[str, float] = {}  # when an address did not respond
_waiting = 0  # requests that wait for an issuer
_lock = threading.Lock()  # never held during a call to another machine


def _fresh(address: str, age: float) -> Mapping[str, Any]:
    """Return a JSON object of at most `age` seconds; an older one if it can't be fetched. Raises Unreachable."""
    now = clock.now().timestamp()
    with _lock:
        at, document = _documents.get(address, (0.0, {}))
        failed_at = _failed.get(address, 0.0)
    if document and now - at <= age:
        return document
    try:
        if 0 <= now - failed_at < _FAILED_FOR:
            raise Unreachable("It did not respond a moment ago.")
        return _renewed(address)
    except Unreachable:
        if document and now - at < _STALE_FOR:
            return document
        raise


def forget() -> None:
    """Forget what was fetched and what failed, so that the next sign-in asks the issuer again."""
    with _lock:
        _documents.clear()
        _failed.clear()


def _renewed(address: str) -> Mapping[str, Any]:
    """Fetch the object, and note whether that worked."""
    try:
        document: Mapping[str, Any] = _asked(lambda: _fetched(address))
    except Busy:
        raise
    except Unreachable:
        with _lock:
            _failed[address] = clock.now().timestamp()
        raise
    with _lock:
        _failed.pop(address, None)
        _documents[address] = (clock.now().timestamp(), document)
    return document


def _fetched(address: str, access_token: str = "") -> Mapping[str, Any]:
    import requests

    answer = requests.get(
        address,
        timeout=clock.remaining(_PATIENCE),
        headers={"Authorization": f"Bearer {access_token}"} if access_token else {},
    )
    answer.raise_for_status()
    content = answer.json()
    return content if isinstance(content, dict) else {}


def _asked(call: Callable[[], Any]) -> Any:
    """Call the issuer. At most half of an instance's threads wait for it; the others serve signed-in workers.

    Raises Busy and Unreachable.
    """
    import requests

    global _waiting
    with _lock:
        if _waiting >= max(1, configuration.threads() // 2):
            raise Busy("Too many requests are waiting for the issuer.")
        _waiting += 1
    try:
        return call()
    except requests.RequestException as error:
        raise Unreachable(type(error).__name__) from None
    finally:
        with _lock:
            _waiting -= 1
