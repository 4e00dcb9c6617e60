"""Reads what a page asks for as typed values: own header, own origin, JSON of a bounded size."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from domain import json_text
from domain.channels import LARGEST_FILE
from functions.http import base_url, mistakes
from functions.http.answers import BadInput, Refused
from functions.http.page import Page
from functions.http.webhook import Visit

LARGEST = 64 * 1024  # bytes
LARGEST_WITH_A_FILE = (
    LARGEST_FILE * 4 // 3 + LARGEST
)  # base64: 4 characters for 3 bytes
_SECONDS, _SECONDS_WITH_A_FILE = 5.0, 20.0  # phones are slower than Twilio


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
    try:
        return model.model_validate(visit.request.args.to_dict())
    except ValidationError as error:
        raise BadInput(mistakes.sentence(error)) from None


def read(visit: Visit, model: type[M], with_a_file: bool = False) -> M:
    """Return the body as a `model`; raise BadInput with a sentence that names the field."""
    largest = LARGEST_WITH_A_FILE if with_a_file else LARGEST
    seconds = _SECONDS_WITH_A_FILE if with_a_file else _SECONDS
    try:
        text = visit.read(largest, seconds).decode("utf-8-sig")
        return model.model_validate(json_text.parsed(text or "{}"))
    except ValidationError as error:
        raise BadInput(mistakes.sentence(error)) from None
    except json_text.TooManyValues as error:
        raise BadInput(f"The body cannot be read: it has {error}.") from None
    except ValueError:  # also for half of a surrogate pair
        raise BadInput("The body is not JSON.") from None
