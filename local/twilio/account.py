"""One Twilio account in memory: its records, their indexes, its clock and its lock."""

import itertools
import secrets
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from local.twilio.errors import ApiError
from local.twilio.records import (
    AddressConfig,
    Content,
    Conversation,
    File,
    FrontlineUser,
    Participant,
    Record,
    Service,
    User,
    WebhookConfig,
    new_sid,
)

Made = TypeVar("Made", bound=Record)
USER_LIMIT = 1000  # conversations of one identity that are not closed


class Account:
    """All state of one account. Whoever reads or writes it holds `lock`."""

    def __init__(self, sid: str, auth_token: str) -> None:
        self.sid = sid
        self.auth_token = auth_token
        self.api_keys: dict[str, str] = {}  # SID and secret
        self.lock = threading.RLock()
        self.ahead = timedelta()
        self._orders = itertools.count(1)
        self.services: dict[str, Service] = {}
        self.roles: set[str] = set()
        self.conversations: dict[str, Conversation] = {}
        self.unique_names: dict[tuple[str, str], str] = {}
        self.pairs: dict[tuple[str, str], str] = {}
        self.groups: dict[frozenset[str], str] = {}
        self.users: dict[str, User] = {}
        self.identities: dict[tuple[str, str], User] = {}
        self.frontline: dict[str, FrontlineUser] = {}
        self.memberships: dict[tuple[str, str], dict[str, Participant]] = {}
        self.correspondents: dict[str, dict[str, Participant]] = {}
        self.addresses: dict[str, AddressConfig] = {}
        self.files: dict[str, File] = {}
        self.contents: dict[str, Content] = {}
        self.wrote_at: dict[
            tuple[str, str], datetime
        ] = {}  # by the customer's address and ours
        self.address = "https://media.us1.twilio.com"
        self.own_numbers: set[str] | None = None
        self.user_limits: dict[str, int] = {}
        self.undeliverable: dict[str, tuple[str, int]] = {}
        self.opted_out: set[tuple[str, str]] = (
            set()
        )  # a customer's number and the one of ours that it stopped
        self.webhooks = WebhookConfig()
        self.default_messaging_service_sid = new_sid("MG")
        self.default_inactive_after: int | None = None
        self.default_closed_after: int | None = None
        self.default_service_sid = self.add_service("Default Conversations Service").sid

    def secret(self) -> str:
        return secrets.token_urlsafe(16)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def make(self, kind: type[Made], **fields: Any) -> Made:
        """A new record of that kind, with a SID and the time of now; nobody knows it yet."""
        now = self.now()
        return kind(
            sid=new_sid(kind.PREFIX),
            order=next(self._orders),
            created=now,
            updated=now,
            **fields,
        )

    def add_service(self, friendly_name: str) -> Service:
        roles = {"conversation_role": new_sid("RL"), "service_role": new_sid("RL")}
        service = self.make(Service, friendly_name=friendly_name, **roles)
        self.roles.update(roles.values())
        self.services[service.sid] = service
        return service

    def service(self, sid: str) -> Service:
        if sid not in self.services:
            raise ApiError(50050 if sid.startswith("IS") else 20404, sid)
        return self.services[sid]

    def find_conversation(self, sid_or_name: str, service_sid: str) -> Conversation:
        """The conversation of that SID or unique name, of that service only."""
        sid = self.unique_names.get((service_sid, sid_or_name), sid_or_name)
        found = self.conversations.get(sid)
        if found is None or found.service_sid != service_sid:
            raise ApiError(50350, sid_or_name)
        return found

    def find_user(self, sid_or_identity: str, service_sid: str) -> User:
        found = self.users.get(sid_or_identity) or self.identities.get(
            (service_sid, sid_or_identity)
        )
        if found is None or found.service_sid != service_sid:
            raise ApiError(20404, f"user {sid_or_identity}")
        return found

    def address_config(self, address: str) -> AddressConfig | None:
        """The configuration of one of the account's own addresses, by its SID or the address itself."""
        found = self.addresses.get(address)
        if found is not None:
            return found
        bare = address.removeprefix("whatsapp:")
        for config in self.addresses.values():
            if config.address == address or (
                config.type == "whatsapp" and config.address == bare
            ):
                return config
        return None

    def owns(self, address: str) -> bool:
        return (
            address in (self.own_numbers or ())
            or self.address_config(address) is not None
        )

    def may_use(self, proxy_address: str) -> bool:
        """Whether a conversation can be bound to it: any address, as long as none of the account's own is named. A
        number serves SMS and WhatsApp."""
        if self.own_numbers is None and not self.addresses:
            return True
        named = {
            *(self.own_numbers or ()),
            *(config.address for config in self.addresses.values()),
        }
        bare = proxy_address.removeprefix("whatsapp:")
        return self.owns(proxy_address) or bare in {
            one.removeprefix("whatsapp:") for one in named
        }

    def remember_participant(
        self, conversation: Conversation, participant: Participant
    ) -> None:
        """Enters a participant in its conversation and in the indexes."""
        conversation.participants[participant.sid] = participant
        if participant.identity:
            key = (conversation.service_sid, participant.identity)
            self.memberships.setdefault(key, {})[conversation.sid] = participant
        if participant.address:
            self.correspondents.setdefault(participant.address, {})[
                conversation.sid
            ] = participant
        if participant.address and participant.proxy_address:
            self.pairs[participant.address, participant.proxy_address] = (
                conversation.sid
            )

    def forget_participant(
        self, conversation: Conversation, participant: Participant
    ) -> None:
        conversation.participants.pop(participant.sid, None)
        if participant.identity:
            self.memberships.get(
                (conversation.service_sid, participant.identity), {}
            ).pop(conversation.sid, None)
        if participant.address:
            self.correspondents.get(participant.address, {}).pop(conversation.sid, None)
        self.free_pair(conversation, participant)

    def free_pair(self, conversation: Conversation, participant: Participant) -> None:
        pair = (participant.address or "", participant.proxy_address or "")
        if self.pairs.get(pair) == conversation.sid:
            del self.pairs[pair]

    def free_addresses(self, conversation: Conversation) -> None:
        """A closed or removed conversation keeps no address pair and no group roster to itself."""
        for participant in conversation.participants.values():
            self.free_pair(conversation, participant)
        for roster in [
            roster for roster, sid in self.groups.items() if sid == conversation.sid
        ]:
            del self.groups[roster]

    def is_full(self, identity: str, service_sid: str) -> bool:
        """Whether that identity is in as many conversations as allowed (closed ones do not count)."""
        limit = self.user_limits.get(identity, USER_LIMIT)
        held = self.memberships.get((service_sid, identity), {})
        if len(held) < limit:
            return False
        return sum(self.conversations[sid].state != "closed" for sid in held) >= limit
