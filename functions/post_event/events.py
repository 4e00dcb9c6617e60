"""The events that post_event receives, as typed values: https://www.twilio.com/docs/conversations/conversations-webhooks"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import Field

from domain import messages, wordless
from domain.delivery import Receipt
from domain.messages import Message
from functions.http.forms import (
    Bound,
    ConversationSid,
    Identity,
    MessageSid,
    Moment,
    Parameters,
    ParticipantSid,
    ServiceSid,
    State,
)


class ParticipantEvent(Bound):
    """onParticipantAdded and onParticipantRemoved."""

    sid: ConversationSid = Field(alias="ConversationSid")
    participant_sid: ParticipantSid = Field(alias="ParticipantSid")
    service_sid: ServiceSid | None = Field(None, alias="ChatServiceSid")
    identity: Identity | None = Field(None, alias="Identity")
    needs = Bound.needs | {"Identity"}

    @property
    def is_customer(self) -> bool:
        """Whether the participant is a customer: with an address, and without an identity."""
        return self.address is not None and self.identity is None


class ConversationStateUpdated(Parameters):
    sid: ConversationSid = Field(alias="ConversationSid")
    state_from: State | None = Field(None, alias="StateFrom")
    state_to: State = Field(alias="StateTo")
    at: Moment | None = Field(None, alias="StateUpdated")
    reason: str | None = Field(None, alias="Reason")


class MessageAdded(Parameters):
    """onMessageAdded. A message without text has a description of its media in place of it."""

    sid: ConversationSid = Field(alias="ConversationSid")
    service_sid: ServiceSid | None = Field(None, alias="ChatServiceSid")
    index: int = Field(alias="Index", ge=0, le=2**53)
    author: str = Field("system", alias="Author", max_length=2000)
    body: str | None = Field(None, alias="Body")
    message_sid: MessageSid | None = Field(None, alias="MessageSid")
    media: str | None = Field(None, alias="Media")
    raw_attributes: str | None = Field(None, alias="Attributes")
    source: str | None = Field(None, alias="Source")
    at: Moment | None = Field(None, alias="DateCreated")

    def message(self, now: datetime) -> Message:
        """Return the message; a missing time, or one in the future, is replaced by `now`."""
        at = min(self.at or now, now)
        text = messages.text_of(self.body, wordless.has_media(self.media))
        attributes = messages.attributes(self.raw_attributes)
        return Message(
            self.index, at, self.author, text, attributes, self.source, self.message_sid
        )


class MessageChanged(MessageAdded):
    """onMessageUpdated and onMessageRemoved."""

    changed_sid: MessageSid = Field(alias="MessageSid")
    updated: Moment | None = Field(None, alias="DateUpdated")
    removed: Moment | None = Field(None, alias="DateRemoved")

    def message(self, now: datetime) -> Message:
        """Return the message as the event has it."""
        return replace(super().message(now), sid=self.changed_sid)

    def changed_at(self, now: datetime) -> datetime:
        """Return when the message was changed; a missing time, or one in the future, is replaced by `now`."""
        return min(self.removed or self.updated or now, now)


class DeliveryUpdated(Parameters):
    """onDeliveryUpdated: the delivery of one message to one participant."""

    sid: ConversationSid = Field(alias="ConversationSid")
    message_sid: MessageSid = Field(alias="MessageSid")
    status: str = Field("", alias="Status")
    code: int = Field(0, alias="ErrorCode", ge=0, le=2**31)
    at: Moment | None = Field(None, alias="DateUpdated")
    receipt_sid: str | None = Field(None, alias="DeliveryReceiptSid")
    participant_sid: str | None = Field(None, alias="ParticipantSid")

    @property
    def receipt(self) -> Receipt:
        """The delivery as Twilio's list of receipts shows it, with the status in small letters."""
        return Receipt(
            self.status.strip().lower(),
            self.code,
            self.at,
            self.receipt_sid,
            self.participant_sid,
        )


class ConversationRemoved(Parameters):
    sid: ConversationSid = Field(alias="ConversationSid")


class UserAdded(Parameters):
    identity: Identity = Field(alias="Identity")
    friendly_name: str | None = Field(None, alias="FriendlyName")
