"""REST: participants and messages of a conversation."""

from local.twilio import changes, contents, members, shapes
from local.twilio.changes import NewMessage
from local.twilio.errors import ApiError
from local.twilio.members import NewParticipant
from local.twilio.records import Conversation, Message, Participant
from local.twilio.rest import media
from local.twilio.rest.calls import Call, RestAnswer, page


def shape(call: Call, record: Participant) -> shapes.Shape:
    return shapes.participant(call.account, record, call.scope)


def wanted(call: Call) -> NewParticipant:
    form = call.form
    return NewParticipant(
        identity=form.get("Identity"),
        address=form.get("MessagingBinding.Address"),
        proxy_address=form.get("MessagingBinding.ProxyAddress"),
        projected_address=form.get("MessagingBinding.ProjectedAddress"),
        attributes=form.get("Attributes"),
        role_sid=form.get("RoleSid"),
    )


def add(call: Call, conversation: Conversation, one: NewParticipant) -> Participant:
    """Adds a participant; an identity that is no user yet becomes one."""
    drafted = members.draft(call.account, conversation, one)
    if drafted.identity:
        _, made = changes.add_user(
            call.account, conversation.service_sid, drafted.identity
        )
        call.events += made
    call.events += members.join(call.account, conversation, drafted)
    return drafted


def create(call: Call) -> RestAnswer:
    return 201, shape(call, add(call, call.conversation(), wanted(call)))


def _by_sid(conversation: Conversation, sid: str) -> Participant:
    """Changes go by SID; only reading goes by identity, too."""
    if sid not in conversation.participants:
        raise ApiError(50432, sid)
    return conversation.participants[sid]


def fetch(call: Call) -> RestAnswer:
    return 200, shape(call, members.find(call.conversation(), call.sid))


def index(call: Call) -> RestAnswer:
    return page(
        call,
        "participants",
        call.conversation().participants.values(),
        lambda one: shape(call, one),
    )


def update(call: Call) -> RestAnswer:
    conversation = call.conversation()
    found = _by_sid(conversation, call.sid)
    call.events += members.update(call.account, conversation, found, wanted(call))
    if call.form.get("LastReadMessageIndex") is not None:
        found.last_read_index = call.form.number("LastReadMessageIndex", 0)
    found.last_read_at = call.form.get("LastReadTimestamp") or found.last_read_at
    return 200, shape(call, found)


def delete(call: Call) -> RestAnswer:
    conversation = call.conversation()
    call.events += members.leave(
        call.account, conversation, _by_sid(conversation, call.sid)
    )
    return 204, None


def message_shape(call: Call, record: Message) -> shapes.Shape:
    return shapes.message(call.account, record, call.scope)


def create_message(call: Call) -> RestAnswer:
    form = call.form
    content_sid = form.get("ContentSid")
    text = contents.filled(call.account, content_sid, form.get("ContentVariables"))
    wanted_sid = (
        None if content_sid else form.get("MediaSid")
    )  # Body and MediaSid are ignored beside a ContentSid
    file = call.account.files.get(wanted_sid or "")
    if wanted_sid and file is None:
        raise ApiError(20404, wanted_sid)
    sent = NewMessage(
        body=text if content_sid else form.get("Body"),
        author=form.get("Author") or "system",
        attributes=form.get("Attributes"),
        media=[media.in_message(file)] if file else None,
        content_sid=content_sid,
    )
    conversation = call.conversation()
    record, made = changes.add_message(call.account, conversation, sent)
    call.events += made
    call.sent.append((conversation, record))
    return 201, message_shape(call, record)


def list_messages(call: Call) -> RestAnswer:
    newest_first = (call.form.get("Order") or "asc") == "desc"
    return page(
        call,
        "messages",
        call.conversation().messages,
        lambda one: message_shape(call, one),
        newest_first=newest_first,
    )


def fetch_message(call: Call) -> RestAnswer:
    return 200, message_shape(call, _message(call, call.sid))


def update_message(call: Call) -> RestAnswer:
    record = _message(call, call.sid)
    if "Body" in call.form:
        call.events += changes.edit_message(
            call.account, call.conversation(), record, call.form.get("Body")
        )
    return 200, message_shape(call, record)


def delete_message(call: Call) -> RestAnswer:
    call.events += changes.remove_message(
        call.account, call.conversation(), _message(call, call.sid)
    )
    return 204, None


def list_receipts(call: Call) -> RestAnswer:
    found = _message(call, call.ids["message"]).receipts
    return page(
        call,
        "delivery_receipts",
        found,
        lambda one: shapes.receipt(call.account, one, call.scope),
    )


def fetch_metadata(call: Call) -> RestAnswer:
    """What the channel knows of a message beyond its text; most messages have none."""
    message = _message(call, call.ids["message"])
    if message.channel_metadata is None:
        raise ApiError(50530, message.sid)
    return 200, shapes.channel_metadata(call.account, message, call.scope)


def _message(call: Call, sid: str) -> Message:
    for record in call.conversation().messages:
        if record.sid == sid:
            return record
    raise ApiError(20404, sid)
