"""REST: users."""

from local.twilio import changes, checks, events, members, shapes
from local.twilio.errors import ApiError
from local.twilio.records import User
from local.twilio.rest.calls import Call, RestAnswer, page


def shape(call: Call, record: User) -> shapes.Shape:
    return shapes.user(call.account, record, call.scope)


def find(call: Call) -> User:
    return call.account.find_user(call.ids["user"], call.service.sid)


def create(call: Call) -> RestAnswer:
    identity = call.form.need("Identity")
    if (call.service.sid, identity) in call.account.identities:
        raise ApiError(50201, identity)
    record, made = changes.add_user(call.account, call.service.sid, identity)
    apply(call, record)
    call.events += made
    return 201, shape(call, record)


def fetch(call: Call) -> RestAnswer:
    return 200, shape(call, find(call))


def index(call: Call) -> RestAnswer:
    here = [
        one
        for one in call.account.users.values()
        if one.service_sid == call.service.sid
    ]
    return page(call, "users", here, lambda one: shape(call, one), maximum=50)


def apply(call: Call, record: User) -> None:
    """Changes what is given."""
    form = call.form
    if form.get("Attributes") is not None:
        record.attributes = checks.attributes(
            form.get("Attributes"), checks.OTHER_ATTRIBUTES
        )
    if form.get("FriendlyName") is not None:
        record.friendly_name = checks.friendly_name(form.get("FriendlyName"))
    record.role_sid = form.get("RoleSid") or record.role_sid
    record.updated = call.account.now()


def update(call: Call) -> RestAnswer:
    record = find(call)
    apply(call, record)
    call.events.append(events.user_updated(record))
    return 200, shape(call, record)


def delete(call: Call) -> RestAnswer:
    account, record = call.account, find(call)
    for member in list(
        account.memberships.get((record.service_sid, record.identity), {}).values()
    ):
        conversation = account.conversations[member.conversation_sid]
        call.events += members.leave(account, conversation, member)
    del account.users[record.sid]
    del account.identities[record.service_sid, record.identity]
    return 204, None
