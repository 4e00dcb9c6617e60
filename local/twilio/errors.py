"""Twilio's error codes, the HTTP status each is answered with, and the two forms of an error body."""

from typing import Any

# Texts are our own. Twilio documents what a code means but seldom its status: 400 where nothing says otherwise.
CODES: dict[int, tuple[int, str]] = {
    20001: (400, "A parameter is missing or has a value of the wrong form"),
    20003: (401, "Authenticate"),
    20004: (405, "This method is not allowed on this resource"),
    20404: (404, "The requested resource was not found"),
    20409: (409, "The resource exists already"),
    20429: (429, "Too many requests at once"),
    20500: (500, "The server failed"),
    20503: (503, "The service is not available at the moment"),
    21655: (400, "The content SID is not one of this account's content templates"),
    21656: (400, "The content variables are not valid"),
    21658: (400, "A content variable is too long"),
    70051: (403, "Authorization failed"),
    50003: (400, "Friendly name is too long"),
    50050: (404, "Service instance not found"),
    50056: (400, "A webhook stopped the command"),
    50063: (429, "Actions per second limit exceeded"),
    50077: (400, "Pre-webhook URL is not valid"),
    50078: (400, "Post-webhook URL is not valid"),
    50109: (400, "Conversation role not found"),
    50200: (404, "User not found"),
    50201: (409, "User exists already"),
    50203: (400, "Identity is reserved"),
    50206: (400, "Identity must not look like a user SID"),
    50207: (400, "Identity is too long"),
    50211: (400, "Identity is not accepted together with a messaging binding address"),
    50214: (400, "The user is in as many conversations as allowed"),
    50303: (400, "Attributes are too long"),
    50304: (400, "Attributes are not valid JSON"),
    50350: (404, "Conversation not found"),
    50353: (409, "A conversation with this unique name exists"),
    50375: (400, "The inactive timer must be one minute or longer"),
    50376: (400, "The closed timer must be ten minutes or longer"),
    50377: (400, "The conversation is closed, which is final"),
    50378: (400, "The value of State is not valid"),
    50379: (400, "The inactive timer is not an ISO 8601 duration"),
    50380: (400, "The closed timer is not an ISO 8601 duration"),
    50384: (400, "A conversation cannot be created closed"),
    50386: (400, "The conversation is initializing: no update and no message yet"),
    50390: (400, "Unique name must not look like a conversation SID"),
    50396: (400, "EndDate is before StartDate"),
    50407: (400, "Messaging binding address is not valid"),
    50408: (400, "Messaging binding proxy address is not valid"),
    50412: (400, "Messaging binding proxy address is empty"),
    50413: (400, "The account may not use this proxy address"),
    50414: (400, "Address and proxy address are of different types"),
    50416: (409, "Address and proxy address are in an active conversation already"),
    50417: (400, "Too many participants"),
    50418: (400, "Too many participants who are not on chat"),
    50432: (404, "Participant not found"),
    50433: (409, "Participant exists already"),
    50434: (400, "A group conversation needs the participant's projected address"),
    50436: (400, "Too many participants for a group conversation"),
    50437: (409, "The group has this participant already"),
    50438: (409, "A group conversation with the same participants exists"),
    50439: (400, "The projected address does not belong to the account"),
    50503: (400, "The message has neither body nor media nor content"),
    50504: (400, "The message's body is too long"),
    50513: (400, "The author is not a participant of the group"),
    50526: (400, "The content SID is not HX and 32 hexadecimal digits"),
    50527: (400, "The content variables are not JSON"),
    50528: (400, "There are content variables without a content SID"),
    50542: (400, "Conversations cannot send a content template of this type"),
    50530: (404, "The message has no channel metadata"),
}


class ApiError(Exception):
    """A refusal, as Twilio's REST API answers it."""

    def __init__(self, code: int, detail: str = "", status: int | None = None) -> None:
        known_status, text = CODES.get(code, (400, "The request failed"))
        self.code = code
        self.status = known_status if status is None else status
        self.message = f"{text}: {detail}" if detail else text
        super().__init__(self.message)


def classic_body(error: ApiError) -> dict[str, Any]:
    """The body that most of Twilio's API answers."""
    more_info = f"https://www.twilio.com/docs/errors/{error.code}"
    return {
        "code": error.code,
        "message": error.message,
        "more_info": more_info,
        "status": error.status,
    }


def problem_body(error: ApiError) -> dict[str, Any]:
    """The body of RFC 9457, which the SDK raises as TwilioServiceException."""
    return {
        "type": f"https://www.twilio.com/docs/api/errors/{error.code}",
        "title": CODES.get(error.code, (0, "The request failed"))[1],
        "status": error.status,
        "code": error.code,
        "detail": error.message,
    }
