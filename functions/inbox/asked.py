"""What the page asks for, as typed values: own header, own origin, JSON of a bounded size."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from domain import json_text
from domain.channels import LARGEST_FILE
from functions.http.answers import BadInput, Refused
from functions.http.webhook import Visit
from functions.inbox import mistakes
from functions.inbox.place import Place

LARGEST = 64 * 1024  # bytes
LARGEST_WITH_A_FILE = LARGEST_FILE * 4 // 3 + LARGEST  # three bytes are four characters
_PATIENCE, _WITH_A_FILE = 5.0, 20.0  # seconds: phones are slower than Twilio

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1500)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=320)]
Channel = Literal["sms", "whatsapp"]
Body = Annotated[str, StringConstraints(min_length=1, max_length=32_000)]


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Status(Asked):
    status: Literal["Available", "Unavailable"]


class SignOut(Asked):
    everywhere: bool = False


class Search(Asked):
    query: Annotated[str, StringConstraints(max_length=200)] = ""


class File(Asked):
    type: Annotated[str, StringConstraints(max_length=100, to_lower=True)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    data: str

    def content(self) -> bytes:
        """Raises BadInput."""
        try:
            content = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise BadInput("The file did not arrive whole.") from None
        if not content:
            raise BadInput("The file is empty.")
        return content


class Message(Asked):
    """One of `body`, `template` and `media`. `token`: what the page calls it, the same however often it is sent."""

    token: Token
    body: Body | None = None
    template: Name | None = None
    media: File | None = None


class ReadUpTo(Asked):
    index: Annotated[int, Field(ge=0, le=2**53)]


class HandOver(Asked):
    to: Literal["queue", "pool", "worker"]
    pool: Name | None = None
    worker: Name | None = None


class NewConversation(Asked):
    """`body` or `template`: the text, or a template's name."""

    customer: Name
    channel: Channel
    address: Address
    body: Body | None = None
    template: Name | None = None
    token: Token


class FirstTemplates(Asked):
    """Of a customer to whom a worker may write first: on which channel, to which address."""

    channel: Channel
    address: Address


class Keys(Asked):
    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{80,100}$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_=-]{20,30}$")]


class Subscription(Asked):
    endpoint: Annotated[str, StringConstraints(max_length=1000)]
    keys: Keys


class Device(Asked):
    subscription: Subscription
    text: bool = False


M = TypeVar("M", bound=Asked)


def refuse_others(visit: Visit, place: Place) -> None:
    """A change is asked for by the page itself: no form of another site sends this header, and no script of one says
    that it comes from here."""
    if (
        visit.request.headers.get("X-Inbox") != "1"
        or visit.request.headers.get("Origin") != place.origin
    ):
        raise Refused(
            f"A change is only taken from the inbox itself: open {place.address}."
        )


def query(visit: Visit, model: type[M]) -> M:
    """The parameters of the address as a `model`; raises BadInput with a sentence that names one."""
    try:
        return model.model_validate(visit.request.args.to_dict())
    except ValidationError as error:
        raise BadInput(mistakes.sentence(error)) from None


def read(visit: Visit, model: type[M], with_a_file: bool = False) -> M:
    """The body as a `model`; raises BadInput with a sentence that names the field."""
    most, patience = (
        (LARGEST_WITH_A_FILE, _WITH_A_FILE) if with_a_file else (LARGEST, _PATIENCE)
    )
    try:
        text = visit.read(most, patience).decode("utf-8-sig")
        return model.model_validate(json_text.parsed(text or "{}"))
    except ValidationError as error:
        raise BadInput(mistakes.sentence(error)) from None
    except json_text.TooManyValues as error:
        raise BadInput(f"The body is not taken: it has {error}.") from None
    except ValueError:  # half of a surrogate pair is one, too
        raise BadInput("The body is not JSON.") from None
