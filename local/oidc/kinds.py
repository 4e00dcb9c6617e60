"""How the sign-in services that teams have behave, as their documents say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_BOTH = ("client_secret_post", "client_secret_basic")
_ADDRESS = frozenset({"email", "email_verified"})


@dataclass(frozen=True)
class Kind:
    """One product, with the settings of docs/inbox.md.

    `claims` differ from the usual ones; None leaves one out. `only_at_user_info`: claims that are not in the ID token.
    `methods`: how clients may authenticate themselves, as the description lists them; empty: it has no list.
    `registered`: the only one that this client may use. `prompts`: as the description lists them.
    `other_keys` stand before the signing key.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    ends_in_slash: bool = False
    only_at_user_info: frozenset[str] = frozenset()
    methods: tuple[str, ...] = _BOTH
    registered: str = ""
    prompts: tuple[str, ...] = ()
    other_keys: tuple[Mapping[str, Any], ...] = ()


USUAL = Kind()

# A key for encryption; of its kind this is the smallest that is well formed.
_ENCRYPTION = {
    "kty": "RSA",
    "use": "enc",
    "alg": "RSA-OAEP",
    "kid": "encryption",
    "n": "AK7E1w",
    "e": "AQAB",
}
# Kinds that came after this program: https://datatracker.ietf.org/doc/html/rfc7517#section-5
_NEW = (
    {"kty": "AKP", "alg": "ML-DSA-65", "kid": "new", "pub": "AAAA"},
    {"kty": "EC", "crv": "BP-256", "kid": "curve", "x": "AAAA", "y": "AAAA"},
    {"kty": "RSA", "kid": "broken", "n": 1, "key_ops": "sign"},
)

KINDS = {
    # https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    "Entra ID": Kind({"email_verified": None}, methods=(*_BOTH, "private_key_jwt")),
    # https://auth0.com/docs/get-started/applications/configure-applications-with-oidc-discovery
    "Auth0": Kind(ends_in_slash=True, registered="client_secret_post"),
    # https://docs.goauthentik.io/add-secure-apps/providers/oauth2/verify-email-address/
    "Authentik": Kind(ends_in_slash=True),
    # https://www.keycloak.org/docs/latest/server_admin/#_oidc
    "Keycloak": Kind(
        other_keys=(_ENCRYPTION,), prompts=("none", "login", "consent", "create")
    ),
    # https://www.authelia.com/integration/openid-connect/openid-connect-1.0-claims/
    "Authelia": Kind(
        only_at_user_info=_ADDRESS,
        registered="client_secret_basic",
        prompts=("none", "login", "consent", "select_account"),
    ),
    # https://zitadel.com/docs/apis/openidoauth/claims
    "Zitadel": Kind(only_at_user_info=_ADDRESS, registered="client_secret_basic"),
    # https://developer.okta.com/docs/reference/api/oidc/
    "Okta": Kind(only_at_user_info=_ADDRESS, registered="client_secret_basic"),
    "one with the default method": Kind(methods=(), registered="client_secret_basic"),
    "one with keys of new kinds": Kind(other_keys=_NEW),
}
