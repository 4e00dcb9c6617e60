"""REST: conversations, and conversations with participants."""

import json

from local.twilio import changes, checks, events, members, shapes
from local.twilio.changes import NewConversation
from local.twilio.errors import ApiError
from local.twilio.members import NewParticipant
from local.twilio.records import Conversation, ScopedWebhook, new_sid
from local.twilio.rest.calls import Answer, Call, page
from local.twilio.rest.participants import add

WEBHOOKS_PER_CONVERSATION = 5
PARTICIPANTS_PER_REQUEST = 10


def shape(call: Call, record: Conversation) -> shapes.Shape:
    return shapes.conversation(call.account, record, call.scope)


def create(call: Call) -> Answer:
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


def fetch(call: Call) -> Answer:
    return 200, shape(call, call.conversation())


def index(call: Call) -> Answer:
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
    return page(call, "conversations", found, lambda one: shape(call, one), newest_first=newest_first)


def update(call: Call) -> Answer:
    account, form, record = call.account, call.form, call.conversation()
    members.refuse_unless_open(record)
    timers = {name: form.get(f"Timers.{name}") for name in ("Inactive", "Closed")}
    inactive = checks.inactive_timer(timers["Inactive"]) if timers["Inactive"] is not None else None
    closed = checks.closed_timer(timers["Closed"]) if timers["Closed"] is not None else None
    state = form.get("State")
    if state is not None and state not in changes.STATES:
        raise ApiError(50378, state)
    if form.get("UniqueName") is not None:
        changes.rename(account, record, form.get("UniqueName"))
    call.events += changes.describe(account, record, form.get("FriendlyName"), form.get("Attributes"))
    if timers["Inactive"] is not None:
        record.inactive_after = inactive
    if timers["Closed"] is not None:
        record.closed_after = closed
    if any(value is not None for value in timers.values()):
        record.active_at = account.now()
    record.messaging_service_sid = form.get("MessagingServiceSid") or record.messaging_service_sid
    if state:
        call.events += changes.set_state(account, record, state, "API")
    return 200, shape(call, record)


def delete(call: Call) -> Answer:
    call.events += changes.remove_conversation(call.account, call.conversation())
    return 204, None


def create_with_participants(call: Call) -> Answer:
    """All or nothing, at once; Twilio itself adds the participants in the background."""
    given = call.form.all("Participant") or []
    if len(given) > PARTICIPANTS_PER_REQUEST:
        raise ApiError(50426)
    people = [_participant(text) for text in given]
    status, made = create(call)
    record = call.account.conversations[(made or {})["sid"]]
    try:
        for one in people:
            add(call, record, one)
    except ApiError:
        call.events.clear()
        changes.remove_conversation(call.account, record)
        raise
    return status, shape(call, record)


def _participant(text: str) -> NewParticipant:
    try:
        given = json.loads(text)
        binding = given.get("messaging_binding") or {}
    except (ValueError, AttributeError):
        raise ApiError(50424, text[:80]) from None
    return NewParticipant(
        identity=given.get("identity"),
        address=binding.get("address"),
        proxy_address=binding.get("proxy_address"),
        projected_address=binding.get("projected_address"),
        attributes=given.get("attributes"),
        role_sid=given.get("role_sid"),
    )


def hook_shape(call: Call, hook: ScopedWebhook) -> shapes.Shape:
    return shapes.scoped_webhook(call.account, hook, call.scope)


def create_hook(call: Call) -> Answer:
    record, now = call.conversation(), call.account.now()
    if len(record.webhooks) >= WEBHOOKS_PER_CONVERSATION:
        raise ApiError(50361)
    hook = ScopedWebhook(
        sid=new_sid("WH"),
        order=call.account.next_order(),
        conversation_sid=record.sid,
        target=call.form.need("Target"),
        url=call.form.get("Configuration.Url"),
        method=(call.form.get("Configuration.Method") or "post").lower(),
        filters=call.form.all("Configuration.Filters") or [],
        created=now,
        updated=now,
    )
    record.webhooks[hook.sid] = hook
    return 201, hook_shape(call, hook)


def find_hook(call: Call) -> ScopedWebhook:
    hook = call.conversation().webhooks.get(call.sid)
    if hook is None:
        raise ApiError(20404, call.sid)
    return hook


def fetch_hook(call: Call) -> Answer:
    return 200, hook_shape(call, find_hook(call))


def list_hooks(call: Call) -> Answer:
    return page(call, "webhooks", call.conversation().webhooks.values(), lambda one: hook_shape(call, one))


def update_hook(call: Call) -> Answer:
    hook = find_hook(call)
    hook.url = call.form.get("Configuration.Url") or hook.url
    hook.method = (call.form.get("Configuration.Method") or hook.method).lower()
    filters = call.form.all("Configuration.Filters")
    hook.filters = hook.filters if filters is None else filters
    hook.updated = call.account.now()
    return 200, hook_shape(call, hook)


def delete_hook(call: Call) -> Answer:
    del call.conversation().webhooks[find_hook(call).sid]
    return 204, None
