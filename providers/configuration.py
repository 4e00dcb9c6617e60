"""The one place that reads the environment; every other module asks here on each request."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from domain import issuers

_LOCAL = re.compile(
    r"http://(?:127\.0\.0\.1|localhost)(?=[:/]|$)"
)  # a test of what is deployed
_SHORTEST_SECRET = 32  # characters
_API_KEY_SID = re.compile(r"SK[0-9a-fA-F]{32}")
_DOMAIN = re.compile(r"[^\s@/\\:;*.]+(?:\.[^\s@/\\:;*.]+)+")
_USUAL_THREADS = 16  # the default, as in local runs

_NUMBERS = {"sms": "TWILIO_SMS_NUMBER", "whatsapp": "TWILIO_WHATSAPP_NUMBER"}


class ConfigurationError(Exception):
    """The service's own set-up is invalid; the message names the variable and says what to do."""


@dataclass(frozen=True)
class Firestore:
    """The database's place, under the names that Google's libraries use."""

    project: str | None
    database: str
    emulator: str | None


@dataclass(frozen=True)
class Twilio:
    """The account in use. `tokens` are tried in order: the primary, then one being rotated in or out.

    `signing_secrets`: the secrets that may sign a webhook: the tokens, and the shared key of SHA-256 signatures if set.
    """

    account_sid: str
    tokens: tuple[str, ...]
    signing_secrets: tuple[str, ...]
    api_base_url: str | None


@dataclass(frozen=True)
class TwilioLogin:
    """The login of REST calls: an API key with its secret, else the account with its auth tokens.

    `passwords` are tried in order when Twilio refuses one; an API key has a single one.
    """

    account_sid: str
    user: str
    passwords: tuple[str, ...]
    api_base_url: str | None

    @property
    def is_api_key(self) -> bool:
        """Whether this is an API key's login, not the account's."""
        return self.user != self.account_sid


@dataclass(frozen=True)
class Issuer:
    """Who signs workers in by OpenID Connect, and as what they know the inbox.

    `trusts_email`: an address counts even if the issuer does not say that it is verified.
    """

    address: str
    client_id: str
    client_secret: str
    trusts_email: bool = False


@dataclass(frozen=True)
class Iap:
    """Google's proxy that signs people in: for whom its header must be made out, and where its keys are."""

    audience: str
    keys: str


@dataclass(frozen=True)
class Vapid:
    """The key that signs our notifications, and the contact for push services (RFC 8292)."""

    private_key: str
    subject: str


def firestore() -> Firestore:
    """Return the database's place; the default is the database “(default)” of Google's own project setting."""
    return Firestore(
        project=_optional("GOOGLE_CLOUD_PROJECT"),
        database=_optional("FIRESTORE_DATABASE") or "(default)",
        emulator=_optional("FIRESTORE_EMULATOR_HOST"),
    )


def twilio() -> Twilio:
    """Return the Twilio account. Raises ConfigurationError with the name of a missing variable."""
    tokens = (
        _required("TWILIO_AUTH_TOKEN"),
        *_if_set("TWILIO_AUTH_TOKEN_SECONDARY"),
    )
    return Twilio(
        account_sid=_required("TWILIO_ACCOUNT_SID"),
        tokens=tokens,
        signing_secrets=(*tokens, *_if_set("TWILIO_WEBHOOK_SHARED_KEY")),
        api_base_url=_optional("TWILIO_API_BASE_URL"),
    )


def twilio_login() -> TwilioLogin:
    """Return the login for REST calls, which needs no auth token when an API key is set.

    Raises ConfigurationError for a missing account, for half an API key, and for a SID that is not an API key's.
    """
    account_sid = _required("TWILIO_ACCOUNT_SID")
    base_url = twilio_api_base_url()
    key_sid = _optional("TWILIO_API_KEY_SID")
    secret = _optional("TWILIO_API_KEY_SECRET")
    if key_sid is None and secret is None:
        return TwilioLogin(account_sid, account_sid, twilio().tokens, base_url)
    if key_sid is None:
        raise _half_a_key("TWILIO_API_KEY_SECRET", "TWILIO_API_KEY_SID")
    if secret is None:
        raise _half_a_key("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET")
    if not _API_KEY_SID.fullmatch(key_sid):  # not shown: it may be the secret
        raise ConfigurationError(
            "The environment variable TWILIO_API_KEY_SID is not the SID of an API key; "
            "set it to SK and 32 hexadecimal digits, as the Twilio Console shows it."
        )
    return TwilioLogin(account_sid, key_sid, (secret,), base_url)


def _half_a_key(present: str, missing: str) -> ConfigurationError:
    """Return the error for an API key without its secret, or a secret without its key."""
    return ConfigurationError(
        f"The environment variable {present} is set without {missing}; set both to use an API key, or neither."
    )


def twilio_api_base_url() -> str | None:
    """Return the address that receives REST calls in place of Twilio, in local runs."""
    return _optional("TWILIO_API_BASE_URL")


def service_in_use(service_sid: str | None) -> str | None:
    """Return the SID of the Conversations service: the one that a webhook names, because the conversation lives there,
    else the configured one. None: the account's default service."""
    return service_sid or _optional("TWILIO_CONVERSATION_SERVICE_SID")


def public_address(entry_point: str) -> str | None:
    """Return the public address of a function: the common base address and the function's deployed name, which is
    Cloud Run's K_SERVICE, else the entry point with hyphens. None: there is no base address."""
    base = _public("WEBHOOK_BASE_URL")
    name = _optional("K_SERVICE") or entry_point.replace("_", "-")
    return f"{base}/{name}" if base else None


def page_url(page: str) -> str | None:
    """Return the public address of the inbox or the desk, without a slash at its end; None: see _public."""
    return _public({"inbox": "INBOX_URL", "desk": "DESK_URL"}[page])


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
    address = (_optional("OIDC_ISSUER") or "https://accounts.google.com").rstrip("/")
    return Issuer(
        address,
        client_id,
        _optional("OIDC_CLIENT_SECRET") or "",
        _trusts_email(address),
    )


def _trusts_email(issuer: str) -> bool:
    """OIDC_TRUST_EMAIL; raises ConfigurationError if it is neither 1 nor 0, or the issuer signs anybody in."""
    value = _optional("OIDC_TRUST_EMAIL") or "0"
    if value not in ("0", "1"):
        raise ConfigurationError(
            "The environment variable OIDC_TRUST_EMAIL must be 1 or 0; set one of them."
        )
    if value == "1" and issuers.is_shared(issuer):
        raise ConfigurationError(
            f"OIDC_TRUST_EMAIL=1 is refused for {issuer}, where anybody can open an account: unset it, or set "
            "OIDC_ISSUER to the issuer of your organisation alone."
        )
    return value == "1"


def allowed_domains() -> frozenset[str]:
    """The domains whose e-mail addresses sign in, in small letters; empty: every domain.

    Raises ConfigurationError for an entry that is no domain: ignoring it would let others in, or nobody.
    """
    listed = os.environ.get("OIDC_ALLOWED_DOMAINS", "")
    domains = [one.removeprefix("@") for one in re.split(r"[\s,]+", listed) if one]
    wrong = next((one for one in domains if not _DOMAIN.fullmatch(one)), None)
    if wrong is not None or (listed.strip() and not domains):
        raise ConfigurationError(
            f"The environment variable OIDC_ALLOWED_DOMAINS has “{wrong or listed.strip()}”, which is not a domain: "
            "write domains such as example.com, with commas between them."
        )
    return frozenset(map(str.lower, domains))


def threads() -> int:
    """Return how many requests this instance answers at a time."""
    number = _optional("THREADS") or ""
    is_valid = re.fullmatch(r"\d{1,4}", number)
    return int(number) if is_valid else _USUAL_THREADS


def iap(page: str) -> Iap | None:
    """Return the proxy in front of the inbox or the desk; None: people sign in by OpenID Connect.

    Raises ConfigurationError if the proxy's audience is missing.
    """
    if (_optional("INBOX_SIGN_IN") or "").lower() != "iap":
        return None
    keys = (
        _optional("IAP_KEYS_URL") or "https://www.gstatic.com/iap/verify/public_key-jwk"
    )
    audience = {"inbox": "IAP_AUDIENCE", "desk": "DESK_IAP_AUDIENCE"}[page]
    return Iap(_required(audience), keys)


def vapid() -> Vapid | None:
    """Return the key of Web Push; None: there are no notifications."""
    key, subject = _optional("VAPID_PRIVATE_KEY"), _optional("VAPID_SUBJECT")
    return Vapid(key, subject) if key and subject else None


def function_target() -> str | None:
    """Return the entry point that this process serves, as functions-framework names it; None if main.py is only
    imported."""
    return _optional("FUNCTION_TARGET")


def outgoing_number(channel: str) -> str | None:
    """Return the proxy address for conversations that a worker starts; `channel` is sms or whatsapp."""
    return _optional(_NUMBERS.get(channel, ""))


def own_numbers() -> frozenset[str]:
    """Return the Twilio numbers named in the environment."""
    return frozenset(filter(None, map(outgoing_number, _NUMBERS)))


def _public(name: str) -> str | None:
    """Return an address without a slash at its end. None: use the address that was called, as only a local run may.

    Raises ConfigurationError behind Cloud Run, where the caller chooses the Host of a request.
    """
    base = (_optional(name) or "").rstrip("/")
    if not is_deployed():
        return base or None
    if not base:
        raise ConfigurationError(
            f"The environment variable {name} is not set; run deploy.sh, which sets it."
        )
    if not base.startswith("https://") and not _LOCAL.match(base):
        raise ConfigurationError(
            f"The environment variable {name} must begin with https://; run deploy.sh with such an address."
        )
    return base


def is_deployed() -> bool:
    """Return whether Cloud Run serves this process."""
    return _optional("K_SERVICE") is not None


def _if_set(name: str) -> tuple[str, ...]:
    """Return the variable as a tuple of one value, empty if it is not set."""
    value = _optional(name)
    return (value,) if value else ()


def _optional(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _required(name: str) -> str:
    """Return the variable. Raises ConfigurationError if it is not set."""
    value = _optional(name)
    if value is None:
        raise ConfigurationError(
            f"The environment variable {name} is not set; set it and start again."
        )
    return value
