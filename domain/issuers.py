"""OpenID Connect issuers with open registration: there, an address without `email_verified` proves nothing."""

from __future__ import annotations

from urllib.parse import urlsplit

# Issuers at which any person can open an account, by host.
_SHARED_HOSTS = frozenset(
    {
        "accounts.google.com",  # https://developers.google.com/identity/openid-connect/openid-connect
        "securetoken.google.com",  # Firebase projects, open to sign-up by default
        "appleid.apple.com",
        "account.apple.com",
        "login.live.com",
        "www.facebook.com",
        "www.linkedin.com",
        "www.paypal.com",
        "www.paypalobjects.com",
        "api.login.yahoo.com",
        "access.line.me",
        "id.twitch.tv",
        "gitlab.com",
        "slack.com",
        "discord.com",
        "login.salesforce.com",
        "orcid.org",
        "oauth.telegram.org",
    }
)
_MICROSOFT = frozenset(
    {
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "sts.windows.net",
    }
)
# https://learn.microsoft.com/entra/identity-platform/v2-protocols#endpoints; personal accounts have a tenant, too.
_SHARED_TENANTS = frozenset(
    {"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad", ""}
)


def is_microsoft(issuer: str) -> bool:
    """Return whether it is an issuer of Microsoft Entra ID."""
    try:
        return (urlsplit(issuer).hostname or "").rstrip(".") in _MICROSOFT
    except ValueError:
        return False


def is_shared(issuer: str) -> bool:
    """Return whether any person can get an account of this issuer, with an address of
    their choice. An invalid URL counts as shared.
    """
    try:
        parts = urlsplit(issuer)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return True
    if host in _MICROSOFT:
        tenant = parts.path.strip("/").partition("/")[0].lower()
        return tenant in _SHARED_TENANTS
    return host in _SHARED_HOSTS
