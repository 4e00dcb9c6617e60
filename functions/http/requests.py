"""Reads what a page asks for as typed values: own header, own origin, JSON of a bounded size."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from domain import json_text
from domain.channels import LARGEST_FILE
from functions.http import base_url, mistakes
from functions.http.answers import BadInput, Refused
from functions.http.page import Page
from functions.http.webhook import Visit


class Limits(NamedTuple):
    """What a body may have at most: bytes, and seconds to arrive."""

    size: int
    seconds: float


OF_TEXT = Limits(64 * 1024, 5.0)  # phones are slower than Twilio
# A file is base64, with 4 characters for 3 bytes.
OF_A_FILE = Limits(LARGEST_FILE * 4 // 3 + OF_TEXT.size, 20.0)


class RequestModel(BaseModel):
    """Base of the bodies and parameters that a page sends; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


M = TypeVar("M", bound=RequestModel)


def refuse_others(page: Page, visit: Visit) -> None:
    """Raise Refused for a change that another site asks for.

    A form of another site cannot send our header, and a browser does not let a script of one state our origin.
    """
    own = base_url.of(page, visit.request)
    headers = visit.request.headers
    if headers.get(page.header) != "1" or headers.get("Origin") != own.origin:
        raise Refused(
            f"Changes are accepted only from the {page.name} itself: open {own.address}."
        )


def query(visit: Visit, model: type[M]) -> M:
    """Return the parameters of the address as a `model`; raise BadInput with a sentence that names the parameter."""
    return _validated(model, visit.request.args.to_dict())


def read(visit: Visit, model: type[M], limits: Limits = OF_TEXT) -> M:
    """Return the body as a `model`; raise BadInput with a sentence that names the field.

    A body that is larger than `limits.size` or slower than `limits.seconds` is refused by visit.read.
    """
    body = visit.read(limits.size, limits.seconds)
    try:
        values = json_text.parsed(body.decode("utf-8-sig") or "{}")
    except json_text.TooManyValues as error:
        raise BadInput(f"The body cannot be read: it has {error}.") from None
    except ValueError:  # also for half of a surrogate pair
        raise BadInput("The body is not JSON.") from None
    return _validated(model, values)


def _validated(model: type[M], values: object) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadInput(mistakes.sentence(error)) from None
