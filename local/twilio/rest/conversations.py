"""REST: conversations."""

from local.twilio import changes, checks, events, members, shapes
from local.twilio.changes import NewConversation
from local.twilio.errors import ApiError
from local.twilio.records import Conversation
from local.twilio.rest.calls import Call, RestAnswer, page


def shape(call: Call, record: Conversation) -> shapes.Shape:
    return shapes.conversation(call.account, record, call.scope)


def create(call: Call) -> RestAnswer:
    form = call.form
    wanted = NewConversation(
        friendly_name=form.get("FriendlyName"),
        unique_name=form.get("UniqueName"),
        attributes=form.get("Attributes"),
        state=form.get("State") or "active",
        messaging_service_sid=form.get("MessagingServiceSid"),
        inactive_timer=form.get("Timers.Inactive"),
        closed_timer=form.get("Timers.Closed"),
    )
    record = changes.create_conversation(call.account, call.service.sid, wanted)
    call.events.append(events.conversation("onConversationAdded", record))
    return 201, shape(call, record)


def fetch(call: Call) -> RestAnswer:
    return 200, shape(call, call.conversation())


def index(call: Call) -> RestAnswer:
    """By state, and by the day of creation (UTC); a list of certain days comes newest first."""
    state = call.form.get("State")
    start, end = ((call.form.get(name) or "")[:10] for name in ("StartDate", "EndDate"))
    if start and end and end < start:
        raise ApiError(50396)
    if state and state not in changes.STATES:
        raise ApiError(50378, state)
    found = [
        one
        for one in call.account.conversations.values()
        if one.service_sid == call.service.sid
        and (not state or one.state == state)
        and (not start or shapes.stamp(one.created)[:10] >= start)
        and (not end or shapes.stamp(one.created)[:10] <= end)
    ]
    newest_first = bool(start or end)
    return page(
        call,
        "conversations",
        found,
        lambda one: shape(call, one),
        newest_first=newest_first,
    )


def update(call: Call) -> RestAnswer:
    account, form, record = call.account, call.form, call.conversation()
    members.refuse_unless_open(record)
    inactive = checks.inactive_timer(form.get("Timers.Inactive"), record.inactive_after)
    closed = checks.closed_timer(form.get("Timers.Closed"), record.closed_after)
    state = form.get("State")
    if state is not None and state not in changes.STATES:
        raise ApiError(50378, state)
    if form.get("UniqueName") is not None:
        changes.rename(account, record, form.get("UniqueName"))
    call.events += changes.describe(
        account, record, form.get("FriendlyName"), form.get("Attributes")
    )
    record.inactive_after, record.closed_after = inactive, closed
    if "Timers.Inactive" in form or "Timers.Closed" in form:
        record.active_at = account.now()
    record.messaging_service_sid = (
        form.get("MessagingServiceSid") or record.messaging_service_sid
    )
    if state:
        call.events += changes.set_state(account, record, state, "API")
    return 200, shape(call, record)


def delete(call: Call) -> RestAnswer:
    call.events += changes.remove_conversation(call.account, call.conversation())
    return 204, None
