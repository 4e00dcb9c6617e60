"""Who signs workers in on this machine: an OpenID Connect issuer at which one chooses who one is.

Everything but the choice is as at a real one: discovery, code with PKCE, a signed token, keys. It is the product's own
verifier that looks at them. https://openid.net/specs/openid-connect-core-1_0.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import unquote, urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local.oidc.kinds import USUAL, Kind

CLIENT_ID, CLIENT_SECRET = "local-inbox", "local-inbox-secret"
_CODE_FOR = 60.0  # seconds
# In the playground each frame is signed in as its own person.
_FRAME = re.compile(r"/as/([^/]+)/(?:inbox|desk)/back$")


@dataclass
class Code:
    """What was asked for when somebody chose who they are; good once."""

    email: str
    nonce: str
    challenge: str
    redirect_uri: str
    made: float = field(default_factory=time.monotonic)


class Issuer:
    """`address`: where it is reached; `people`: whom one can be, by e-mail address, with their names.

    For tests: `claims` and `sign`: what the next tokens say otherwise, and how they are signed. `name`: what the issuer
    calls itself, such as its address with a slash (Auth0). `delay`: seconds before each answer to the service.
    `is_down`: the service gets 503. `asked`: what the service has asked for, in order.
    """

    def __init__(self, address: str, people: Callable[[], Mapping[str, str]]) -> None:
        self.address = address.rstrip("/")
        self.people = people
        self.key = RSAKey.generate_key(2048, {"kid": "local-1", "use": "sig"})
        self.keys = KeySet([self.key])
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.name = self.address
        self.kind = USUAL
        self.delay = 0.0
        self.is_down = False
        self.asked: list[str] = []
        self._signed_in: dict[str, dict[str, Any]] = {}
        self._codes: dict[str, Code] = {}
        self._lock = threading.Lock()

    def as_usual(self) -> None:
        """Takes back what a test has changed."""
        self.claims, self.sign, self.name = {}, self.signed, self.address
        self.kind = USUAL
        self.delay, self.is_down, self.asked = 0.0, False, []

    def answers(self, path: str) -> bool:
        """Whether the service gets an answer there, after the delay."""
        self.asked.append(path)
        time.sleep(self.delay)
        return not self.is_down

    def behave_as(self, kind: Kind) -> None:
        """Behave as this product is documented to."""
        self.kind, self.claims = kind, dict(kind.claims)
        self.name = f"{self.address}/" if kind.ends_in_slash else self.address

    def listed_keys(self) -> dict[str, Any]:
        """Return the key set; some products list keys that are not for signatures, or of a kind that is new."""
        keys: dict[str, Any] = dict(self.keys.as_dict(private=False))
        return {**keys, "keys": [*self.kind.other_keys, *keys["keys"]]}

    def user_info(self, access_token: str) -> dict[str, Any] | None:
        """Return what UserInfo says of the person with this token; None for an unknown token."""
        return self._signed_in.get(access_token)

    def described(self) -> dict[str, Any]:
        more = {
            "token_endpoint_auth_methods_supported": self.kind.methods,
            "prompt_values_supported": self.kind.prompts,
        }
        return {
            **{name: list(value) for name, value in more.items() if value},
            "issuer": self.name,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def code_for(self, email: str, asked: Mapping[str, str]) -> str:
        """A code for somebody who has chosen to be this person."""
        code = secrets.token_urlsafe(24)
        made = Code(
            email, asked["nonce"], asked["code_challenge"], asked["redirect_uri"]
        )
        with self._lock:
            self._codes[code] = made
        return code

    def token_for(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        """The token for a code and its verifier; None where they do not fit, or did so once before."""
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = (
            code is not None
            and time.monotonic() - code.made < _CODE_FOR
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == code.redirect_uri
            and hmac.compare_digest(challenge, code.challenge)
        )
        if code is None or not fits:
            return None
        claims, access_token = (
            self.claims_of(code.email, code.nonce),
            secrets.token_urlsafe(16),
        )
        about_person = ("sub", "email", "email_verified")
        self._signed_in[access_token] = {
            name: claims[name] for name in about_person if name in claims
        }
        in_token = {
            name: value
            for name, value in claims.items()
            if name not in self.kind.only_at_user_info
        }
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": self.sign(in_token),
        }

    def knows_client(self, form: Mapping[str, str], basic: tuple[str, str]) -> bool:
        """Return whether the client has authenticated itself, by the method for which it is registered."""
        posted = (form.get("client_id", ""), form.get("client_secret", ""))
        given = {"client_secret_basic": basic, "client_secret_post": posted}
        methods = (self.kind.registered,) if self.kind.registered else tuple(given)
        return any(
            hmac.compare_digest(":".join(given[method]), f"{CLIENT_ID}:{CLIENT_SECRET}")
            for method in methods
        )

    def claims_of(self, email: str, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.name,
            "aud": CLIENT_ID,
            "sub": hashlib.sha256(email.lower().encode()).hexdigest()[:20],
            "email": email,
            "email_verified": True,
            "nonce": nonce,
            "iat": now,
            "exp": now + 3600,
        }
        return {
            name: value
            for name, value in (usual | self.claims).items()
            if value is not None
        }

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "local-1"}, claims, self.key)


def pages(issuer: Issuer, path: str = "/oidc") -> Blueprint:
    """The issuer's addresses, below this path."""
    blueprint = Blueprint("oidc", __name__, url_prefix=path)

    @blueprint.get("/.well-known/openid-configuration")
    def described() -> tuple[Response, int]:
        return _of_the_service(issuer, "description", issuer.described)

    @blueprint.get("/keys")
    def keys() -> tuple[Response, int]:
        return _of_the_service(issuer, "keys", issuer.listed_keys)

    @blueprint.get("/authorize")
    def authorize() -> Response:
        """Asks who one is; in a frame of the playground that is known."""
        if (wrong := _wrong(request.args)) is not None:
            return Response(f"{wrong}\n", 400, content_type="text/plain")
        frame = _FRAME.search(request.args["redirect_uri"])
        chosen = request.args.get("email") or (unquote(frame[1]) if frame else None)
        if chosen is None:
            return Response(
                _choice(issuer.people().items(), request.args), content_type="text/html"
            )
        code = issuer.code_for(chosen, request.args)
        back = urlencode({"code": code, "state": request.args.get("state", "")})
        answer: Response = redirect(f"{request.args['redirect_uri']}?{back}")  # type: ignore[assignment] # Flask's own
        return answer

    @blueprint.post("/token")
    def token() -> tuple[Response, int]:
        if not issuer.answers("token"):
            return jsonify(error="temporarily_unavailable"), 503
        sent = request.authorization
        basic = (
            (unquote(sent.username or ""), unquote(sent.password or ""))
            if sent
            else ("", "")
        )
        if not issuer.knows_client(request.form, basic):
            return jsonify(error="invalid_client"), 401
        found = issuer.token_for(request.form)
        return (jsonify(found), 200) if found else (jsonify(error="invalid_grant"), 400)

    @blueprint.get("/userinfo")
    def user_info() -> tuple[Response, int]:
        if not issuer.answers("userinfo"):
            return jsonify(error="temporarily_unavailable"), 503
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = issuer.user_info(sent)
        return (jsonify(found), 200) if found else (jsonify(error="invalid_token"), 401)

    return blueprint


def _of_the_service(
    issuer: Issuer, path: str, content: Callable[[], Mapping[str, Any]]
) -> tuple[Response, int]:
    return (
        (jsonify(content()), 200)
        if issuer.answers(path)
        else (jsonify(error="unavailable"), 503)
    )


def _wrong(asked: Mapping[str, str]) -> str | None:
    """What a real issuer would refuse."""
    if asked.get("client_id") != CLIENT_ID or asked.get("response_type") != "code":
        return "This client is not known here."
    if "openid" not in asked.get("scope", "").split() or not asked.get("nonce"):
        return "openid and a nonce are wanted."
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "PKCE with S256 is wanted."
    return None if asked.get("redirect_uri") else "redirect_uri is missing."


def _choice(people: Iterable[tuple[str, str]], asked: Mapping[str, str]) -> str:
    links = "".join(
        f'<li><a href="?{escape(urlencode({**asked, "email": email}))}">{escape(name)}'
        f"<small>{escape(email)}</small></a></li>"
        for email, name in people
    )
    return _PAGE.replace("LINKS", links)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Choose who you are</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<style>
body { font: 17px/1.4 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem; }
ul { list-style: none; padding: 0; }
a { display: block; padding: .8rem 1rem; margin: .5rem 0; border: 1px solid #8886; border-radius: .6rem;
    color: inherit; text-decoration: none; }
a:hover, a:focus { border-color: currentColor; }
small { display: block; opacity: .7; }
</style></head>
<body><h1>Choose who you are</h1><p>This stands in for your company's sign-in, on this machine only.</p>
<ul>LINKS</ul></body></html>
"""
