"""Defines the bodies and parameters that the inbox's page sends, as typed values."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.notes import LONGEST_NOTE
from functions.http.answers import BadInput
from functions.http.requests import RequestModel

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1500)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=320)]
Channel = Literal["sms", "whatsapp"]
MessageSid = Annotated[str, StringConstraints(pattern=r"^IM[0-9a-fA-F]{32}$")]
Body = Annotated[str, StringConstraints(min_length=1, max_length=32_000)]


def digest_of(content: object) -> str:
    """Return a short hash of JSON content."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


class Status(RequestModel):
    status: Literal["Available", "Unavailable"]


class Search(RequestModel):
    query: Annotated[str, StringConstraints(max_length=200)] = ""


class File(RequestModel):
    type: Annotated[str, StringConstraints(max_length=100, to_lower=True)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    data: str

    def content(self) -> bytes:
        """Return the decoded bytes. Raises BadInput."""
        try:
            content = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("The file is incomplete. Please send it again.") from None
        if not content:
            raise BadInput("The file is empty.")
        return content


class Message(RequestModel):
    """One of `body`, `template`, `media` and `again`, the SID of an undelivered message to send again.

    `token`: the page's name for the message, the same in repetitions.
    """

    token: Token
    body: Body | None = None
    template: Name | None = None
    media: File | None = None
    again: MessageSid | None = None

    @property
    def digest(self) -> str:
        """Return a hash of the content, by which another content under the same token is recognized."""
        return digest_of(self.model_dump(mode="json", exclude={"token"}))


class ReadUpTo(RequestModel):
    index: Annotated[int, Field(ge=0, le=2**53)]


class HandOver(RequestModel):
    to: Literal["queue", "pool", "worker"]
    pool: Name | None = None
    worker: Name | None = None
    word: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""


class NewNote(RequestModel):
    text: Annotated[
        str,
        StringConstraints(min_length=1, max_length=LONGEST_NOTE, strip_whitespace=True),
    ]


class NewConversation(RequestModel):
    """The first message is `body`, a text, or `template`, a template's name."""

    customer: Name
    channel: Channel
    address: Address
    body: Body | None = None
    template: Name | None = None
    token: Token

    @property
    def digest(self) -> str:
        """Return a hash of the customer, the address and the content."""
        return digest_of(self.model_dump(mode="json", exclude={"token"}))


class FirstTemplates(RequestModel):
    """The channel and address on which a worker wants to write first."""

    channel: Channel
    address: Address


class Keys(RequestModel):
    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{80,100}$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{20,30}$")]


class Subscription(RequestModel):
    endpoint: Annotated[str, StringConstraints(max_length=1000)]
    keys: Keys


class Device(RequestModel):
    subscription: Subscription
    text: bool = False
