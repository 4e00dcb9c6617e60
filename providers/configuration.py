"""The one place that reads the environment; every other module asks here, anew on each request."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_LOCAL = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?=[:/]|$)")  # a test of what is deployed
_SHORTEST_SECRET = 32  # characters


class ConfigurationError(Exception):
    """Our own set-up is wrong; the message names the variable and says what to do."""


@dataclass(frozen=True)
class Firestore:
    """Where the database is; the names are those that Google's libraries use."""

    project: str | None
    database: str
    emulator: str | None


@dataclass(frozen=True)
class Twilio:
    """The account in use. `tokens` are tried in order: the primary, then one being rotated in or out.

    `signing_secrets`: what a webhook may be signed with, the tokens and the shared key of SHA-256 signatures if set.
    """

    account_sid: str
    tokens: tuple[str, ...]
    signing_secrets: tuple[str, ...]
    api_base_url: str | None


@dataclass(frozen=True)
class Issuer:
    """Who signs workers in by OpenID Connect, and as what they know the inbox."""

    address: str
    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Iap:
    """Google's proxy that signs people in: for whom its header must be made out, and where its keys are."""

    audience: str
    keys: str


@dataclass(frozen=True)
class Vapid:
    """What our notifications are signed with, and whom a push service may write to about them."""

    private_key: str
    subject: str


def firestore() -> Firestore:
    return Firestore(
        project=_optional("GOOGLE_CLOUD_PROJECT"),
        database=_optional("FIRESTORE_DATABASE") or "(default)",
        emulator=_optional("FIRESTORE_EMULATOR_HOST"),
    )


def twilio() -> Twilio:
    """The Twilio account; raises ConfigurationError naming what is missing."""
    primary, *others = _required("TWILIO_AUTH_TOKEN"), _optional("TWILIO_AUTH_TOKEN_SECONDARY")
    tokens = (primary, *filter(None, others))
    shared = _optional("TWILIO_WEBHOOK_SHARED_KEY")
    return Twilio(
        account_sid=_required("TWILIO_ACCOUNT_SID"),
        tokens=tokens,
        signing_secrets=(*tokens, shared) if shared else tokens,
        api_base_url=_optional("TWILIO_API_BASE_URL"),
    )


def twilio_api_base_url() -> str | None:
    """Where REST calls to Twilio go instead, in local runs."""
    return _optional("TWILIO_API_BASE_URL")


def service_in_use(named: str | None) -> str | None:
    """The Conversations service: the one that a webhook names, for the conversation lives there, else the one
    configured; None: the account's default."""
    return named or _optional("TWILIO_CONVERSATION_SERVICE_SID")


def public_address(entry_point: str) -> str | None:
    """Where the world reaches a function: the address in front of all of them and its deployed name there, which is
    Cloud Run's K_SERVICE, else the entry point with hyphens."""
    base, name = _public("WEBHOOK_BASE_URL"), _optional("K_SERVICE") or entry_point.replace("_", "-")
    return f"{base}/{name}" if base else None


def inbox_url() -> str | None:
    """The public address of the inbox, without a slash at its end."""
    return _public("INBOX_URL")


def inbox_secret() -> str:
    """Signs the session's cookie; raises ConfigurationError for none and for one that can be guessed."""
    secret = _required("INBOX_SECRET")
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigurationError(
            f"The environment variable INBOX_SECRET has less than {_SHORTEST_SECRET} characters; set a longer one."
        )
    return secret


def issuer() -> Issuer | None:
    """None: nobody has set up a sign-in yet."""
    client_id = _optional("OIDC_CLIENT_ID")
    if client_id is None:
        return None
    address = _optional("OIDC_ISSUER") or "https://accounts.google.com"
    return Issuer(address.rstrip("/"), client_id, _optional("OIDC_CLIENT_SECRET") or "")


def iap() -> Iap | None:
    """None: people sign in by OpenID Connect. Raises ConfigurationError where the proxy's audience is missing."""
    if (_optional("INBOX_SIGN_IN") or "").lower() != "iap":
        return None
    keys = _optional("IAP_KEYS_URL") or "https://www.gstatic.com/iap/verify/public_key-jwk"
    return Iap(_required("IAP_AUDIENCE"), keys)


def vapid() -> Vapid | None:
    """None: there are no notifications."""
    key, subject = _optional("VAPID_PRIVATE_KEY"), _optional("VAPID_SUBJECT")
    return Vapid(key, subject) if key and subject else None


def function_target() -> str | None:
    """The entry point that this process serves, as functions-framework names it; None if main.py is only imported."""
    return _optional("FUNCTION_TARGET")


def outgoing_number(channel: str) -> str | None:
    """The proxy address for conversations that a worker starts; `channel` is sms or whatsapp."""
    return _optional({"sms": "TWILIO_SMS_NUMBER", "whatsapp": "TWILIO_WHATSAPP_NUMBER"}.get(channel, ""))


def own_numbers() -> frozenset[str]:
    """The Twilio numbers named in the environment."""
    return frozenset(n for n in map(outgoing_number, ("sms", "whatsapp")) if n)


def _public(name: str) -> str | None:
    """An address without a slash at its end; None: take the one that was called, which only a local run may do.

    Raise ConfigurationError behind Cloud Run, where the Host of a request is the caller's own choice.
    """
    base = (_optional(name) or "").rstrip("/")
    if not is_deployed():
        return base or None
    if not base:
        raise ConfigurationError(f"The environment variable {name} is not set; run deploy.sh, which sets it.")
    if not base.startswith("https://") and not _LOCAL.match(base):
        raise ConfigurationError(
            f"The environment variable {name} must begin with https://; run deploy.sh with such an address."
        )
    return base


def is_deployed() -> bool:
    """Whether Cloud Run serves this process."""
    return _optional("K_SERVICE") is not None


def _optional(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _required(name: str) -> str:
    value = _optional(name)
    if value is None:
        raise ConfigurationError(f"The environment variable {name} is not set; set it and start again.")
    return value
