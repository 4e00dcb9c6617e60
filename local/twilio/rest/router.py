"""Which path and method is which resource; lets a request in, acts on it, and sends the webhooks it made."""

import base64
import binascii
import functools
import hmac
from collections.abc import Callable, Mapping
from email.message import Message
from typing import NamedTuple

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from local.twilio.account import Account
from local.twilio.carriers import Carriers
from local.twilio.errors import ApiError
from local.twilio.events import Origin
from local.twilio.rest import (
    contents,
    conversations,
    frontline_users,
    media,
    participants,
    settings,
    users,
)
from local.twilio.rest.calls import Call, Form, RestAnswer
from local.twilio.webhooks import Webhooks

Handler = Callable[[Call], RestAnswer]
CONVERSATION = "/Conversations/<conversation>"
USER = "/Users/<user>"

# Under /v1 for the default service and under /v1/Services/<service> for any: the same resources.
IN_A_SERVICE: list[tuple[str, str, Handler]] = [
    ("POST", "/Conversations", conversations.create),
    ("GET", "/Conversations", conversations.index),
    ("GET", CONVERSATION, conversations.fetch),
    ("POST", CONVERSATION, conversations.update),
    ("DELETE", CONVERSATION, conversations.delete),
    ("POST", f"{CONVERSATION}/Participants", participants.create),
    ("GET", f"{CONVERSATION}/Participants", participants.index),
    ("GET", f"{CONVERSATION}/Participants/<sid>", participants.fetch),
    ("POST", f"{CONVERSATION}/Participants/<sid>", participants.update),
    ("DELETE", f"{CONVERSATION}/Participants/<sid>", participants.delete),
    ("POST", f"{CONVERSATION}/Messages", participants.create_message),
    ("GET", f"{CONVERSATION}/Messages", participants.list_messages),
    ("GET", f"{CONVERSATION}/Messages/<sid>", participants.fetch_message),
    ("POST", f"{CONVERSATION}/Messages/<sid>", participants.update_message),
    ("DELETE", f"{CONVERSATION}/Messages/<sid>", participants.delete_message),
    ("GET", f"{CONVERSATION}/Messages/<message>/Receipts", participants.list_receipts),
    (
        "GET",
        f"{CONVERSATION}/Messages/<message>/ChannelMetadata",
        participants.fetch_metadata,
    ),
    ("POST", "/Users", users.create),
    ("GET", "/Users", users.index),
    ("GET", USER, users.fetch),
    ("POST", USER, users.update),
    ("DELETE", USER, users.delete),
    ("GET", "/Configuration/Webhooks", settings.fetch_webhooks),
    ("POST", "/Configuration/Webhooks", settings.update_webhooks),
]
ELSEWHERE: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/Services", settings.list_services),
    ("POST", "/v1/Services", settings.create_service),
    ("GET", "/v1/Services/<service>", settings.fetch_service),
    ("DELETE", "/v1/Services/<service>", settings.delete_service),
    ("POST", "/v1/Services/<service>/Media", media.upload),
    ("GET", "/v1/Services/<service>/Media/<sid>", media.fetch),
    ("GET", "/v1/Configuration", settings.fetch_configuration),
    ("POST", "/v1/Configuration", settings.update_configuration),
    ("GET", "/v1/Configuration/Addresses", settings.list_addresses),
    ("POST", "/v1/Configuration/Addresses", settings.create_address),
    ("GET", "/v1/Configuration/Addresses/<sid>", settings.fetch_address),
    ("POST", "/v1/Configuration/Addresses/<sid>", settings.update_address),
    ("DELETE", "/v1/Configuration/Addresses/<sid>", settings.delete_address),
    ("GET", "/v1/Content", contents.index),
    ("GET", "/v1/ContentAndApprovals", contents.index_with_approvals),
    ("GET", "/v1/Content/<sid>", contents.fetch),
    ("GET", "/v1/Content/<sid>/ApprovalRequests", contents.fetch_approval),
]


@functools.cache
def _map() -> Map:
    """Made once: compiling the rules takes a tenth of a second."""
    rules = [
        Rule(path, endpoint=handler, methods=[method])
        for method, path, handler in ELSEWHERE
    ]
    for method, path, handler in IN_A_SERVICE:
        for prefix in ("/v1", "/v1/Services/<service>"):
            rules.append(Rule(prefix + path, endpoint=handler, methods=[method]))
    return Map(rules, strict_slashes=False, merge_slashes=False)


FRONTLINE: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/Users/<user>", frontline_users.fetch),
    ("POST", "/v1/Users/<user>", frontline_users.update),
]


@functools.cache
def _frontline_map() -> Map:
    return Map(
        [
            Rule(path, endpoint=handler, methods=[method])
            for method, path, handler in FRONTLINE
        ]
    )


class Request(NamedTuple):
    """What came in, as far as the API looks at it."""

    method: str
    path: str
    form: Form
    headers: Message
    body: bytes = b""


class Router:
    """Answers REST requests on one account."""

    def __init__(
        self, account: Account, webhooks: Webhooks, carriers: Carriers
    ) -> None:
        self.account = account
        self._webhooks = webhooks
        self._carriers = carriers
        self._map = _map().bind("conversations.twilio.com")
        self._frontline_map = _frontline_map().bind(frontline_users.HOST)

    def handle(self, request: Request) -> RestAnswer:
        """Acts under the account's lock; then, if the request asks for it, sends webhooks without it."""
        self._authenticate(request.headers.get("Authorization") or "")
        handler, ids = self._resolve(request)
        with self.account.lock:
            scope = ids.get("service")
            service = self.account.service(scope or self.account.default_service_sid)
            call = Call(
                self.account,
                request.method,
                request.path,
                request.form,
                ids,
                service,
                scope,
            )
            call.body, call.content_type = (
                request.body,
                request.headers.get("Content-Type") or "",
            )
            answer = handler(call)
        wanted = (
            request.headers.get("X-Twilio-Webhook-Enabled") or ""
        ).lower() == "true"
        self._webhooks.publish(call.events, Origin("API", fires=wanted))
        for conversation, message in call.sent:
            self._carriers.take(conversation, message)
        return answer

    def _authenticate(self, header: str) -> None:
        """Basic authentication: the account SID with its token, or an API key's SID with its secret.

        https://www.twilio.com/docs/usage/requests-to-twilio
        """
        try:
            user, _, password = (
                base64.b64decode(header.partition(" ")[2]).decode().partition(":")
            )
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        logins = {self.account.sid: self.account.auth_token, **self.account.api_keys}
        wanted = logins.get(user, "")
        if not wanted or not hmac.compare_digest(password.encode(), wanted.encode()):
            raise ApiError(20003)

    def _resolve(self, request: Request) -> tuple[Handler, Mapping[str, str]]:
        to_frontline = (request.headers.get("Host") or "") == frontline_users.HOST
        resources = self._frontline_map if to_frontline else self._map
        try:
            handler, ids = resources.match(request.path, method=request.method)
        except NotFound:
            raise ApiError(20404, request.path) from None
        except MethodNotAllowed:
            raise ApiError(20004, f"{request.method} {request.path}") from None
        return handler, ids
