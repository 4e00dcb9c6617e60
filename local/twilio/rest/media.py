"""REST: files (on mcs.us1.twilio.com at Twilio), and the temporary links by which anybody fetches one."""

import hmac
from typing import Any

from local.twilio import shapes
from local.twilio.account import Account
from local.twilio.errors import ApiError
from local.twilio.records import File
from local.twilio.rest.calls import Call, RestAnswer

FILES = "/_files/"


def upload(call: Call) -> RestAnswer:
    """The body is the file itself, its name a parameter of the address."""
    if not call.body:
        raise ApiError(20001, "the file is empty")
    kind = call.content_type or "application/octet-stream"
    file = add(
        call.account, call.service.sid, call.form.get("Filename"), kind, call.body
    )
    return 201, _shape(call.account, file)


def fetch(call: Call) -> RestAnswer:
    file = call.account.files.get(call.sid)
    if file is None or file.service_sid != call.service.sid:
        raise ApiError(20404, call.sid)
    return 200, _shape(call.account, file)


def add(
    account: Account, service_sid: str, name: str | None, kind: str, content: bytes
) -> File:
    file = account.make(
        File,
        service_sid=service_sid,
        name=name,
        content_type=kind,
        content=content,
        key=account.secret(),
    )
    account.files[file.sid] = file
    return file


def in_message(file: File) -> dict[str, Any]:
    """How a message names it."""
    return {
        "sid": file.sid,
        "content_type": file.content_type,
        "filename": file.name,
        "size": len(file.content),
        "category": "media",
    }


def given_out(account: Account, path: str) -> File | None:
    """The file behind a temporary link, which needs no password; Twilio's ends after some minutes."""
    sid, _, key = path.removeprefix(FILES).partition("/")
    file = account.files.get(sid)
    return file if file is not None and hmac.compare_digest(file.key, key) else None


def _shape(account: Account, file: File) -> shapes.Shape:
    return {
        "sid": file.sid,
        "service_sid": file.service_sid,
        **shapes.dates(file),
        "upload_date_updated": None,
        "size": len(file.content),
        "content_type": file.content_type,
        "filename": file.name,
        "author": None,
        "category": "media",
        "message_sid": None,
        "channel_sid": None,
        "url": f"/v1/Services/{file.service_sid}/Media/{file.sid}",
        "links": {
            "content": f"/v1/Services/{file.service_sid}/Media/{file.sid}/Content",
            "content_direct_temporary": f"{account.address}{FILES}{file.sid}/{file.key}",
        },
        "is_multipart_upstream": False,
    }
