"""The door of every HTTP function: method, size, signature, then the handler, then one answer for any error."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Request, Response
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from functions.door.answers import Answer, BadInput, Problem, Refused, TooLarge, TryAgain, WrongMethod
from functions.door.function import Function
from providers import configuration, database, deadline, log
from providers.configuration import ConfigurationError

if TYPE_CHECKING:
    from functions.door.forms import Form

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
LARGEST_BODY = 500_000  # bytes; Twilio's largest, a 32 KB message with 16 KB of attributes, is below 200,000


def signed(function: Function, request: Request) -> Response:
    """A webhook of Twilio's: POST, a form, signed with the account's token for exactly this address."""

    def answer() -> Answer:
        form, other = _read(function, request)
        _refuse_unsigned(function.name, request, form, other)
        handle: Callable[[Form], Answer] = importlib.import_module(function.module).handle
        return _answer_always(function.name, handle, form) if function.answers_always else handle(form)

    return _answered(function, request, answer)


def private(function: Function, request: Request) -> Response:
    """A function that only IAM lets people or the scheduler call; it checks no signature of its own."""

    def answer() -> Answer:
        _read(function, request)
        handle: Callable[[str, Form], Answer] = importlib.import_module(function.module).handle
        return handle(request.path, request.args)

    return _answered(function, request, answer)


def _answer_always(name: str, handle: Callable[[Form], Answer], form: Form) -> Answer:
    """Nothing but 200 will do: whatever goes wrong leaves the conversation as it is."""
    try:
        return handle(form)
    except Problem as problem:
        log.error(f"{name} left the conversation as it is: {problem}")
    except Exception:  # noqa: BLE001 - whatever it is, the message must not be lost for it
        log.crash(f"{name} left the conversation as it is: an unexpected error.")
    return Answer({})


def _answered(function: Function, request: Request, answer: Callable[[], Answer]) -> Response:
    """The one place where an error becomes a status, a sentence and a log line."""
    name = function.name
    log.trace_from(request.headers.get("X-Cloud-Trace-Context"), configuration.firestore().project)
    try:
        with deadline.within(function.seconds):
            return _response(answer())
    except Problem as problem:
        level = log.error if problem.status >= 500 else log.warning
        level(f"{name} answered {problem.status}: {problem}", function=name)
        return _refusal(problem)
    except ConfigurationError as error:
        log.error(f"{name} cannot work: {error}", function=name)
        return _response(Answer({"error": "The service is not configured."}, 500))
    except database.LostRace:
        log.warning(f"{name} lost every race for its records until its time was over.", function=name)
        return _response(
            Answer({"error": "Others keep changing the same records; try again."}, TryAgain.status)
        )
    except Exception as error:  # noqa: BLE001 - the one place for what nobody foresaw
        if _is_firestore(error):
            log.error(f"{name} could not reach Firestore: {type(error).__name__}.", function=name)
            return _response(Answer({"error": "The database did not answer; try again."}, TryAgain.status))
        log.crash(f"{name} failed unexpectedly.", function=name)
        return _response(Answer({"error": "An unexpected error; the log has the details."}, 500))


def _read(function: Function, request: Request) -> tuple[Form, str]:
    """The form as it was sent, or the body of another kind, which only a hash in the signed address can cover."""
    if request.method not in function.methods:
        raise WrongMethod(function.methods)
    request.max_content_length = LARGEST_BODY + 1  # at its limit Werkzeug cuts off silently, and then raises
    try:
        if (request.content_length or 0) > LARGEST_BODY:
            raise RequestEntityTooLarge
        is_form = request.mimetype == _FORM
        form = MultiDict(request.form.items(multi=True)) if is_form else MultiDict()
        other = "" if is_form else request.get_data().decode()
        request.stream.read(1)
        return form, other
    except RequestEntityTooLarge:
        raise TooLarge(f"The body is larger than {LARGEST_BODY} bytes.") from None
    except (HTTPException, ParseException, OSError, UnicodeDecodeError):
        raise BadInput("The body did not arrive whole, or is not UTF-8.") from None


def _refuse_unsigned(name: str, request: Request, form: Form, other: str) -> None:
    from twilio.request_validator import (
        SIGNATURE_HEADER,
        SIGNATURE_SETTINGS_HEADER,
        RequestValidator,
        get_signature_algorithm,
    )

    account, address = configuration.twilio(), _address(name, request)
    signature = request.headers.get(SIGNATURE_HEADER, "")
    algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER, ""))
    try:
        checks = (RequestValidator(secret).validate for secret in account.signing_secrets)
        is_signed = any(check(address, other or form, signature, algorithm) for check in checks)
    except (TypeError, ValueError, IndexError):
        is_signed = False  # the SDK raises these for odd addresses and for a body without its hash
    if not is_signed:
        raise Refused("The X-Twilio-Signature does not fit this request.")
    if any(sid != account.account_sid for sid in form.getlist("AccountSid")):
        raise Refused("AccountSid is not the account of this service.")


def _address(name: str, request: Request) -> str:
    """The address as Twilio signed it, to the letter; the function sees another one, for it runs behind a proxy."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path
    base = configuration.webhook_base_url()
    if base is None:
        return f"{request.scheme}://{request.host}{raw}"
    path, mark, query = raw.removeprefix(request.script_root).partition("?")
    further = "" if path == "/" else path
    return f"{base}/{configuration.deployed_name(name)}{further}{mark}{query}"


def _response(answer: Answer) -> Response:
    body = answer.body
    if answer.content_type == _JSON:
        body = "" if body is None else json.dumps(body, ensure_ascii=False)
    return Response(body, answer.status, answer.headers, content_type=answer.content_type)


def _refusal(problem: Problem) -> Response:
    """The framework reads all that is left of a body before it sends a plain answer, but not before a streamed one."""
    text = json.dumps({"error": str(problem)}, ensure_ascii=False).encode()
    response = Response(iter([text]), problem.status, content_type=_JSON)
    response.content_length = len(text)
    if isinstance(problem, WrongMethod):
        response.headers["Allow"] = ", ".join(problem.allowed)
    return response


def _is_firestore(error: Exception) -> bool:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return isinstance(error, GoogleAPIError | GoogleAuthError)
