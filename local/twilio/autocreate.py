"""What Twilio does with a customer's message: into the open conversation of its addresses, or a new one."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.twilio import changes, events, members, opt_outs
from local.twilio.account import Account
from local.twilio.changes import NewConversation, NewMessage
from local.twilio.events import Event, Origin
from local.twilio.members import NewParticipant
from local.twilio.pre_event_answers import RejectedError, name_and_attributes
from local.twilio.records import AddressConfig, Conversation, Message
from local.twilio.webhooks import Webhooks


@dataclass(frozen=True)
class Inbound:
    """What became of a customer's message; `why` is a sentence when it was dropped."""

    conversation_sid: str | None
    created: bool = False
    dropped: bool = False
    why: str = ""
    message_sid: str | None = None


def dropped(why: str) -> Inbound:
    return Inbound(None, dropped=True, why=why)


@dataclass(frozen=True)
class Letter:
    """One message on its way in. For a group, `to` holds all receivers."""

    author: str
    to: tuple[str, ...]
    body: str | None
    media: Sequence[dict[str, Any]] | None
    metadata: dict[str, Any] | None = None

    @property
    def origin(self) -> Origin:
        return events.by_channel(self.author)

    @property
    def message(self) -> NewMessage:
        return NewMessage(
            self.body,
            self.author,
            media=self.media,
            channel_metadata=self.metadata,
            is_inbound=True,
        )


class Autocreation:
    """The inbound side of an account's addresses."""

    def __init__(
        self, account: Account, webhooks: Webhooks, group_delay: float
    ) -> None:
        self.account = account
        self.webhooks = webhooks
        self.group_delay = group_delay
        self._lines: dict[frozenset[str], threading.Lock] = {}

    def receive(self, letter: Letter, wait: bool) -> Inbound:
        """One message of a pair (or group) at a time: the second finds the first one's conversation."""
        with self.account.lock:
            opt_outs.hear(self.account, letter.author, letter.to, letter.body)
            line = self._lines.setdefault(
                frozenset({letter.author, *letter.to}), threading.Lock()
            )
        with line:
            result, sent = self._receive(letter)
        for delivery in sent if wait else ():
            delivery.result()
        return result

    def _receive(self, letter: Letter) -> "tuple[Inbound, list[Future[None]]]":
        with self.account.lock:
            existing = self._existing(letter)
            config = self._config(letter)
        try:
            if existing is not None:
                return self._append(existing, letter)
            if config is None:
                return dropped(
                    f"no address of {', '.join(letter.to)} creates conversations"
                ), []
            if (
                config.service_sid or self.account.default_service_sid
            ) not in self.account.services:
                return dropped(
                    f"the service {config.service_sid} of {config.address} does not exist"
                ), []
            return self._create(letter, config)
        except RejectedError as rejection:
            return dropped(str(rejection)), []

    def _existing(self, letter: Letter) -> Conversation | None:
        if len(letter.to) == 1:
            sid = self.account.pairs.get((letter.author, letter.to[0]))
        else:
            sid = self.account.groups.get(frozenset({letter.author, *letter.to}))
        return self.account.conversations.get(sid or "")

    def _config(self, letter: Letter) -> AddressConfig | None:
        found = [self.account.address_config(one) for one in letter.to]
        return next((one for one in found if one is not None and one.enabled), None)

    def _append(
        self, conversation: Conversation, letter: Letter
    ) -> "tuple[Inbound, list[Future[None]]]":
        with self.account.lock:
            message = changes.draft_message(self.account, conversation, letter.message)
        self.webhooks.ask_about(message, conversation, letter.origin)
        with self.account.lock:
            if conversation.state == "closed":
                raise RejectedError(
                    "the conversation was closed while its pre-event was asked"
                )
            happened = changes.publish_message(self.account, conversation, message)
            self._open_window(letter, message)
        sent = self.webhooks.publish(happened, letter.origin)
        return Inbound(conversation.sid, message_sid=message.sid), sent

    def _create(
        self, letter: Letter, config: AddressConfig
    ) -> "tuple[Inbound, list[Future[None]]]":
        service_sid = config.service_sid or self.account.default_service_sid
        is_group = len(letter.to) > 1
        name, attributes = name_and_attributes(
            self.webhooks.ask(self._question(letter, service_sid), letter.origin)
        )
        with self.account.lock:
            wanted = NewConversation(name, attributes=attributes)
            conversation = changes.create_conversation(
                self.account, service_sid, wanted
            )
            happened = self._fill(conversation, letter, is_group)
            route = events.route(conversation)
        sent = self.webhooks.publish(happened, letter.origin) + self.webhooks.route(
            route
        )
        if is_group:
            activate = partial(self._activate, conversation, letter.origin)
            sent.append(self.webhooks.jobs.later(self.group_delay, activate))
        return Inbound(
            conversation.sid, created=True, message_sid=conversation.messages[0].sid
        ), sent

    def _question(self, letter: Letter, service_sid: str) -> Event:
        with self.account.lock:
            draft = changes.draft_conversation(self.account, service_sid)
        addresses: dict[str, str | None] = {
            "MessagingBinding.ProxyAddress": letter.to[0],
            "MessagingBinding.Address": letter.author,
        }
        if len(letter.to) > 1:
            addresses = {
                "MessagingBinding.Address": ", ".join(letter.to),
                "MessagingBinding.AuthorAddress": letter.author,
            }
            draft.state = "initializing"
        return events.conversation_add(draft, addresses, letter.body)

    def _fill(
        self, conversation: Conversation, letter: Letter, is_group: bool
    ) -> list[Event]:
        """Participants and first message, in Twilio's order of events."""
        account = self.account
        if not is_group:
            people = [NewParticipant(address=letter.author, proxy_address=letter.to[0])]
        else:
            people = [NewParticipant(address=letter.author)]
            for number in letter.to:
                ours = account.owns(number)
                people.append(
                    NewParticipant(projected_address=number)
                    if ours
                    else NewParticipant(address=number)
                )
            conversation.is_group, conversation.state = True, "initializing"
            conversation.receivers, conversation.author_address = (
                ", ".join(letter.to),
                letter.author,
            )
            account.groups[frozenset({letter.author, *letter.to})] = conversation.sid
        joined = [
            event
            for one in people
            for event in members.join(
                account, conversation, members.make(account, conversation, one)
            )
        ]
        message = changes.draft_message(account, conversation, letter.message)
        self._open_window(letter, message)
        added = events.conversation("onConversationAdded", conversation)
        return [
            added,
            *joined,
            *changes.publish_message(account, conversation, message),
        ]

    def _open_window(self, letter: Letter, message: Message) -> None:
        """For 24 hours this customer may be written to freely, from the address that they wrote to."""
        for ours in letter.to:
            self.account.wrote_at[letter.author, ours] = message.created

    def _activate(self, conversation: Conversation, origin: Origin) -> None:
        with self.account.lock:
            happened = changes.set_state(self.account, conversation, "active", "EVENT")
        for delivery in self.webhooks.publish(happened, origin):
            delivery.result()
