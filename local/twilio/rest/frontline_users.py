"""REST: users of Frontline, on a host of its own; a path such as /v1/Users/NAME is the Conversations API's, too.

https://www.twilio.com/docs/frontline/frontline-users-api
"""

from local.twilio.errors import ApiError
from local.twilio.records import FrontlineUser
from local.twilio.rest.calls import Call, RestAnswer
from local.twilio.shapes import Shape

HOST = "frontline-api.twilio.com"
STATES = ("active", "deactivated")


def shape(record: FrontlineUser) -> Shape:
    return {
        "sid": record.sid,
        "identity": record.identity,
        "friendly_name": record.identity,
        "avatar": None,
        "state": record.state,
        "is_available": record.is_available,
        "url": f"https://{HOST}/v1/Users/{record.sid}",
    }


def find(call: Call) -> FrontlineUser:
    """By identity, whose case counts, or by SID; nobody is there before they have signed in."""
    wanted = call.ids["user"]
    for record in call.account.frontline.values():
        if wanted in (record.identity, record.sid):
            return record
    raise ApiError(20404, wanted)


def fetch(call: Call) -> RestAnswer:
    return 200, shape(find(call))


def update(call: Call) -> RestAnswer:
    record = find(call)
    available, state = call.form.flag("IsAvailable"), call.form.get("State")
    if state is not None and state not in STATES:
        raise ApiError(20001, f"State must be one of {', '.join(STATES)}")
    record.is_available = record.is_available if available is None else available
    record.state = state or record.state
    return 200, shape(record)
