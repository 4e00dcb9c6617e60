"""Who may join a conversation, and how: Twilio's rules about participants. The caller holds the lock."""

from dataclasses import dataclass

from local.twilio import checks, events
from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.events import Event
from local.twilio.records import Conversation, Participant, address_type

PARTICIPANTS = 1000
NOT_ON_CHAT = 50
IN_A_GROUP = 10


@dataclass(frozen=True)
class NewParticipant:
    """A chat identity, or an address with a proxy address, or a member of a group MMS."""

    identity: str | None = None
    address: str | None = None
    proxy_address: str | None = None
    projected_address: str | None = None
    attributes: str | None = None
    role_sid: str | None = None


def refuse_unless_open(conversation: Conversation) -> None:
    if conversation.state == "closed":
        raise ApiError(50377, conversation.sid)
    if conversation.state == "initializing":
        raise ApiError(50386, conversation.sid)


def draft(
    account: Account, conversation: Conversation, wanted: NewParticipant
) -> Participant:
    """The participant as it would be added, all rules checked; nothing is changed yet."""
    refuse_unless_open(conversation)
    if wanted.identity and (wanted.address or wanted.proxy_address):
        raise ApiError(50211, wanted.identity)
    if wanted.identity:
        _check_identity(account, conversation, wanted)
    elif wanted.address:
        _check_address(account, conversation, wanted.address, wanted.proxy_address)
    elif not wanted.projected_address:
        raise ApiError(50407, "neither identity nor address")
    if wanted.projected_address and not account.owns(wanted.projected_address):
        raise ApiError(50439, wanted.projected_address)
    if wanted.role_sid and wanted.role_sid not in account.roles:
        raise ApiError(50109, wanted.role_sid)
    _check_room(conversation, wanted)
    return make(account, conversation, wanted)


def _check_identity(
    account: Account, conversation: Conversation, wanted: NewParticipant
) -> None:
    identity = checks.identity(wanted.identity or "")
    if conversation.sid in account.memberships.get(
        (conversation.service_sid, identity), {}
    ):
        raise ApiError(50437 if conversation.is_group else 50433, identity)
    if conversation.is_group and not wanted.projected_address:
        raise ApiError(50434, identity)
    if account.is_full(identity, conversation.service_sid):
        raise ApiError(50214, identity)


def _check_address(
    account: Account, conversation: Conversation, address: str, proxy: str | None
) -> None:
    checks.address(address)
    if not proxy:
        if not address.startswith("+1"):
            raise ApiError(50412, address)
        if conversation.sid in account.correspondents.get(address, {}):
            raise ApiError(50437, address)
        return
    checks.address(proxy, 50408)
    if address_type(address) != address_type(proxy):
        raise ApiError(50414, f"{address} and {proxy}")
    if not account.may_use(proxy):
        raise ApiError(50413, proxy)
    if (address, proxy) in account.pairs:
        raise ApiError(
            50416, f"{address} and {proxy} in {account.pairs[address, proxy]}"
        )


def _check_room(conversation: Conversation, wanted: NewParticipant) -> None:
    present = conversation.participants
    if conversation.is_group and len(present) >= IN_A_GROUP:
        raise ApiError(50436)
    if len(present) >= PARTICIPANTS:
        raise ApiError(50417)
    if (
        wanted.address
        and sum(one.address is not None for one in present.values()) >= NOT_ON_CHAT
    ):
        raise ApiError(50418)


def make(
    account: Account, conversation: Conversation, wanted: NewParticipant
) -> Participant:
    return account.make(
        Participant,
        conversation_sid=conversation.sid,
        role_sid=wanted.role_sid
        or account.services[conversation.service_sid].conversation_role,
        attributes=checks.attributes(wanted.attributes, checks.OTHER_ATTRIBUTES),
        identity=wanted.identity,
        address=wanted.address,
        proxy_address=wanted.proxy_address,
        projected_address=wanted.projected_address,
    )


def join(
    account: Account, conversation: Conversation, participant: Participant
) -> list[Event]:
    """Adds a drafted participant. A member by address alone makes the conversation a group MMS."""
    if (participant.address and not participant.proxy_address) or (
        participant.projected_address and not participant.identity
    ):
        conversation.is_group = True
    account.remember_participant(conversation, participant)
    return [events.participant("onParticipantAdded", participant, conversation)]


def find(conversation: Conversation, sid_or_identity: str) -> Participant:
    found = conversation.participants.get(sid_or_identity)
    if found is None:
        found = next(
            (
                one
                for one in conversation.participants.values()
                if one.identity == sid_or_identity
            ),
            None,
        )
    if found is None:
        raise ApiError(50432, sid_or_identity)
    return found


def update(
    account: Account,
    conversation: Conversation,
    participant: Participant,
    wanted: NewParticipant,
) -> list[Event]:
    """Changes what is given; an anonymous member of a group can be given an identity."""
    refuse_unless_open(conversation)
    if wanted.role_sid and wanted.role_sid not in account.roles:
        raise ApiError(50109, wanted.role_sid)
    if wanted.projected_address and not account.owns(wanted.projected_address):
        raise ApiError(50439, wanted.projected_address)
    attributes = participant.attributes
    if wanted.attributes is not None:
        attributes = checks.attributes(wanted.attributes, checks.OTHER_ATTRIBUTES)
    if wanted.identity and wanted.identity != participant.identity:
        if participant.address:
            raise ApiError(50211, wanted.identity)
        projected = wanted.projected_address or participant.projected_address
        _check_identity(
            account,
            conversation,
            NewParticipant(wanted.identity, projected_address=projected),
        )
    account.forget_participant(conversation, participant)
    participant.attributes = attributes
    participant.identity = wanted.identity or participant.identity
    participant.role_sid = wanted.role_sid or participant.role_sid
    participant.projected_address = (
        wanted.projected_address or participant.projected_address
    )
    participant.updated = account.now()
    account.remember_participant(conversation, participant)
    return [events.participant("onParticipantUpdated", participant, conversation)]


def leave(
    account: Account, conversation: Conversation, participant: Participant
) -> list[Event]:
    participant.updated = account.now()
    account.forget_participant(conversation, participant)
    return [
        events.participant(
            "onParticipantRemoved", participant, conversation, removed=account.now()
        )
    ]
