"""What the stand-in remembers: one record per Twilio resource, without behaviour."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


def new_sid(prefix: str) -> str:
    """A Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + uuid.uuid4().hex


@dataclass
class Record:
    """What all have in common; `order` grows with every record."""

    PREFIX: ClassVar[str]
    sid: str
    order: int
    created: datetime
    updated: datetime


@dataclass
class WebhookConfig:
    """Where a global or service configuration sends its events; `filters` None means every event."""

    pre_url: str | None = None
    post_url: str | None = None
    filters: list[str] | None = field(default_factory=list)
    method: str = "POST"
    target: str = "webhook"

    def wants(self, event: str) -> bool:
        """Whether the event goes to these URLs; with the target flex every event goes to Flex instead."""
        return self.target == "webhook" and (
            self.filters is None or event in self.filters
        )


@dataclass
class Service(Record):
    PREFIX: ClassVar[str] = "IS"
    friendly_name: str
    conversation_role: str
    service_role: str
    webhooks: WebhookConfig = field(default_factory=WebhookConfig)


@dataclass
class Participant(Record):
    PREFIX: ClassVar[str] = "MB"
    conversation_sid: str
    role_sid: str
    attributes: str = "{}"
    identity: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None
    last_read_index: int | None = None
    last_read_at: str | None = None

    @property
    def names(self) -> tuple[str | None, ...]:
        """What a message's author may be called."""
        return self.identity, self.address, self.projected_address

    @property
    def type(self) -> str:
        number = self.address or self.projected_address
        return address_type(number) if number else "chat"


@dataclass
class Receipt(Record):
    """How far a message came on its way to one participant."""

    PREFIX: ClassVar[str] = "DY"
    conversation_sid: str
    message_sid: str
    participant_sid: str
    channel_message_sid: str
    status: str
    error_code: int = 0


@dataclass
class Message(Record):
    PREFIX: ClassVar[str] = "IM"
    conversation_sid: str
    index: int
    author: str
    body: str | None = None
    attributes: str = "{}"
    participant_sid: str | None = None
    media: list[dict[str, Any]] | None = None
    content_sid: str | None = None
    channel_metadata: dict[str, Any] | None = None
    receipts: list[Receipt] = field(default_factory=list)


@dataclass
class File(Record):
    """`key`: what makes its temporary link one that nobody guesses."""

    PREFIX: ClassVar[str] = "ME"
    service_sid: str
    name: str | None
    content_type: str
    content: bytes
    key: str


@dataclass
class Content(Record):
    """A content template. `approval`: what WhatsApp says of it, as the Content API writes it."""

    PREFIX: ClassVar[str] = "HX"
    friendly_name: str
    language: str
    variables: dict[str, str]
    types: dict[str, dict[str, Any]]
    approval: dict[str, Any]


@dataclass
class Conversation(Record):
    PREFIX: ClassVar[str] = "CH"
    service_sid: str
    messaging_service_sid: str
    active_at: datetime
    friendly_name: str | None = None
    unique_name: str | None = None
    attributes: str = "{}"
    state: str = "active"
    inactive_after: int | None = None
    closed_after: int | None = None
    is_group: bool = False
    receivers: str | None = None
    author_address: str | None = None
    participants: dict[str, Participant] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    next_index: int = 0  # the index of a removed message is not used again


@dataclass
class User(Record):
    PREFIX: ClassVar[str] = "US"
    service_sid: str
    identity: str
    role_sid: str
    friendly_name: str | None = None
    attributes: str = "{}"


@dataclass
class FrontlineUser:
    """Somebody who has signed in to Frontline's app, and the switch there."""

    sid: str
    identity: str
    is_available: bool = False
    state: str = "active"


@dataclass
class AddressConfig(Record):
    PREFIX: ClassVar[str] = "IG"
    type: str
    address: str
    friendly_name: str | None = None
    country: str | None = None
    enabled: bool = False
    service_sid: str | None = None


def address_type(address: str) -> str:
    """The channel that an address belongs to, by its form."""
    scheme, found, _ = address.partition(":")
    if found:
        return {"urn": "apple"}.get(scheme, scheme)
    return "email" if "@" in address else "sms"
