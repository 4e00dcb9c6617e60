"""REST: content templates and their approval by WhatsApp. At Twilio they have a host of their own.

https://www.twilio.com/docs/content/content-api-resources
"""

from local.twilio.errors import ApiError
from local.twilio.records import Content
from local.twilio.rest.calls import Call, RestAnswer, page
from local.twilio.shapes import Shape, dates

ROOT = "https://content.twilio.com"


def shape(call: Call, record: Content) -> Shape:
    url = f"{ROOT}/v1/Content/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": call.account.sid,
        "friendly_name": record.friendly_name,
        "language": record.language,
        "variables": record.variables,
        "types": record.types,
        **dates(record),
        "url": url,
        "links": {
            "approval_create": f"{url}/ApprovalRequests/whatsapp",
            "approval_fetch": f"{url}/ApprovalRequests",
        },
    }


def with_approval(call: Call, record: Content) -> Shape:
    """In this list the approval stands by itself, without a level that names the channel."""
    found = shape(call, record)
    found = {
        name: value for name, value in found.items() if name not in ("url", "links")
    }
    return found | {"approval_requests": record.approval}


def find(call: Call) -> Content:
    found = call.account.contents.get(call.sid)
    if found is None:
        raise ApiError(20404, call.sid)
    return found


def fetch(call: Call) -> RestAnswer:
    return 200, shape(call, find(call))


def index(call: Call) -> RestAnswer:
    return page(
        call,
        "contents",
        call.account.contents.values(),
        lambda one: shape(call, one),
        host=ROOT,
    )


def index_with_approvals(call: Call) -> RestAnswer:
    found = call.account.contents.values()
    return page(
        call, "contents", found, lambda one: with_approval(call, one), host=ROOT
    )


def fetch_approval(call: Call) -> RestAnswer:
    record = find(call)
    url = f"{ROOT}/v1/Content/{record.sid}/ApprovalRequests"
    answer = {
        "sid": record.sid,
        "account_sid": call.account.sid,
        "url": url,
        "whatsapp": record.approval,
    }
    return 200, answer
