"""The entry of every HTTP function: method, size, signature, then the handler, then one answer for any error."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import Request, Response
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from functions.http.answers import (
    Answer,
    BadInput,
    Problem,
    Refused,
    TooLarge,
    TryAgain,
    WrongMethod,
)
from functions.http.function import Function
from providers import clock, configuration, database, log
from providers.configuration import ConfigurationError

if TYPE_CHECKING:
    import socket

    from functions.http.forms import Form

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_NOT_WHOLE = "The body did not arrive whole and in time, or is not UTF-8."
LARGEST_BODY = 500_000  # bytes; Twilio's largest, a 32 KB message with 16 KB of attributes, is below 200,000
MOST_FIELDS = (
    300  # of a form; Twilio's have about 30, and a signature covers all of them
)
_IS_READ = "inbound.body_is_read"  # in the environment of a request
_FOR_A_BROWSER = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
_SIGNED = "X-Twilio-Signature"
# A field and its value, as the signature covers them.
_ACCOUNT = re.compile(r"AccountSidAC[0-9a-f]{32}")
# SHA-1 or SHA-256 in base64.
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=")


def signed(function: Function, request: Request) -> Response:
    """Answer a webhook of Twilio's: POST, a form, signed with the account's token for exactly this address."""

    def answer() -> Answer:
        raw = _read(request, LARGEST_BODY, clock.FOR_A_BODY)
        configuration.twilio()  # a missing set-up is reported before anything else
        # Before the form is parsed, which costs more.
        if not _SIGNATURE.fullmatch(request.headers.get(_SIGNED, "")):
            raise Refused(f"There is no {_SIGNED} that could fit.")
        form, other = _parsed(request, raw)
        _refuse_unsigned(function.name, request, form, other)
        _refuse_other_account(function, form)
        handle: Callable[[Form], Answer] = importlib.import_module(
            function.module
        ).handle
        if function.answers_always:
            return _answer_always(function.name, handle, form)
        return handle(form)

    return _answered(function, request, answer)


def private(function: Function, request: Request) -> Response:
    """Answer a call that IAM has let through, of a person or the scheduler; there is no signature to check."""

    def answer() -> Answer:
        raw = _read(request, LARGEST_BODY, clock.FOR_A_BODY)
        handle: Callable[[str, Form], Answer] = importlib.import_module(
            function.module
        ).handle
        return handle(request.path, _arguments(request, raw))

    return _answered(function, request, answer)


def _arguments(request: Request, raw: bytes) -> Form:
    """What the address says, and what a posted form says: the form holds what must not be in the request log."""
    arguments = MultiDict(request.args)
    if request.method == "POST" and request.mimetype == _FORM:
        form, _ = _parsed(request, raw)
        arguments.update(form)
    return arguments


@dataclass(frozen=True)
class Visit:
    """A request to a function with a sign-in: the handler reads the body once it has identified the sender.

    `read(largest, patience)`: bytes and seconds at most.
    """

    request: Request
    read: Callable[[int, float], bytes]


def worker(function: Function, request: Request) -> Response:
    """Answer a request to a public function with a sign-in, which checks the request by itself."""

    def answer() -> Answer:
        if request.method in ("GET", "HEAD"):
            _read(request, 0, clock.FOR_A_BODY)
        handle: Callable[[Visit], Answer] = importlib.import_module(
            function.module
        ).handle
        return handle(Visit(request, partial(_read, request)))

    return _for_a_browser(function, _answered(function, request, answer), request)


def _answer_always(name: str, handle: Callable[[Form], Answer], form: Form) -> Answer:
    """Answer 200 even after an error, which then leaves the conversation as it is."""
    try:
        return handle(form)
    except Problem as problem:
        log.error(f"{name} left the conversation as it is: {problem}")
    except Exception:  # noqa: BLE001 - no error may lose the customer's message
        log.crash(f"{name} left the conversation as it is: an unexpected error.")
    return Answer({})


def _answered(
    function: Function, request: Request, answer: Callable[[], Answer]
) -> Response:
    """Call the handler and return its answer, or that of an error, with the common headers."""
    response = _answer_or_error(function, request, answer)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _answer_or_error(
    function: Function, request: Request, answer: Callable[[], Answer]
) -> Response:
    """Turn any error into a status, a sentence and a log line; this is the one place that does."""
    name = function.name
    log.trace_from(
        request.headers.get("X-Cloud-Trace-Context"), configuration.firestore().project
    )
    try:
        if request.method not in function.methods:
            raise WrongMethod(function.methods)
        with clock.within(function.seconds):
            return _response(answer())
    except Problem as problem:
        level = log.error if problem.status >= 500 else log.warning
        level(f"{name} answered {problem.status}: {problem.logged}", function=name)
        return _refusal(problem, request)
    except ConfigurationError as error:
        log.error(f"{name} cannot work: {error}", function=name)
        return _failure(500, "The service is not configured.")
    except database.LostRace:
        log.warning(f"{name} gave up after repeated write conflicts.", function=name)
        return _failure(
            TryAgain.status, "Others keep changing the same records; try again."
        )
    except database.Unwritable as error:  # another delivery would fail, too
        log.error(f"{name} cannot write its result: {error}", function=name)
        return _response(Answer())
    except Exception as error:  # noqa: BLE001 - the one place for unexpected errors
        if trouble := database.trouble(error):
            log.error(f"{name} {trouble}", function=name)
            return _failure(TryAgain.status, "The database did not answer; try again.")
        log.crash(f"{name} failed unexpectedly.", function=name)
        return _failure(500, "An unexpected error; the log has the details.")


def _failure(status: int, sentence: str) -> Response:
    """Return the answer to an error that is not the sender's."""
    return _response(Answer({"error": sentence}, status))


def _for_a_browser(
    function: Function, response: Response, request: Request
) -> Response:
    """Add the headers of every answer to a browser, including errors; a page may set its own."""
    for name, value in _FOR_A_BROWSER:
        response.headers.setdefault(name, value)
    if (configuration.page_url(function.name) or request.url).startswith("https:"):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _read(request: Request, largest: int, patience: float) -> bytes:
    """Return the body as it was sent. Raises TooLarge, and BadInput for a body that is not complete in time."""
    # At its limit Werkzeug first cuts off silently, and raises only beyond it.
    request.max_content_length = largest + 1
    announced = request.content_length or 0
    try:
        if announced > largest:
            raise RequestEntityTooLarge
        with clock.hurried(_line_of_a_body(request), patience):
            raw = request.get_data()
            request.stream.read(1)
    except RequestEntityTooLarge:
        raise TooLarge(f"The body is larger than {largest} bytes.") from None
    except (HTTPException, ParseException, OSError):
        raise BadInput(_NOT_WHOLE) from None
    if len(raw) < announced:
        raise BadInput(_NOT_WHOLE)
    if request.mimetype == _FORM and raw.count(b"&") >= MOST_FIELDS:
        raise TooLarge(f"The form has more than {MOST_FIELDS} fields.")
    request.environ[_IS_READ] = True
    return raw


def _line_of_a_body(request: Request) -> socket.socket | None:
    """Return the connection, which gunicorn lends; None without one, and without a body."""
    has_body = request.content_length or request.headers.get("Transfer-Encoding")
    return request.environ.get("gunicorn.socket") if has_body else None


def _parsed(request: Request, raw: bytes) -> tuple[Form, str]:
    """Return the form, and the body of another kind, which only a hash in the signed address covers."""
    try:
        if request.mimetype == _FORM:
            return MultiDict(request.form.items(multi=True)), ""
        return MultiDict(), raw.decode()
    except (HTTPException, UnicodeDecodeError):
        raise BadInput(_NOT_WHOLE) from None


def _refuse_unsigned(name: str, request: Request, form: Form, other: str) -> None:
    """Raise Refused unless one of the account's secrets has signed the request."""
    from twilio.request_validator import (
        HMAC_SHA1,
        HMAC_SHA256,
        SIGNATURE_SETTINGS_HEADER,
        RequestValidator,
        get_signature_algorithm,
    )

    account = configuration.twilio()
    address = _address(name, request)
    signature = request.headers.get(_SIGNED, "")
    algorithm = get_signature_algorithm(
        request.headers.get(SIGNATURE_SETTINGS_HEADER, "")
    )
    # Refused here, because the SDK would log the unknown name as it is.
    if algorithm.upper() not in (HMAC_SHA1, HMAC_SHA256):
        raise Refused(f"The {_SIGNED} is made in a way that is not known here.")
    validators = map(RequestValidator, account.signing_secrets)
    try:
        is_signed = any(
            validator.validate(address, other or form, signature, algorithm)
            for validator in validators
        )
    except (TypeError, ValueError, IndexError):
        is_signed = False  # the SDK raises these for invalid addresses and for a body without its hash
    if not is_signed:
        raise Refused(f"The {_SIGNED} does not fit this request.")


def _refuse_other_account(function: Function, form: Form) -> None:
    """Refuse another account, and a form whose fields are not those that were signed.

    A signature covers names and values one after the other with nothing between them, so the owner of a signed request
    could move the borders: https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    sids = form.getlist("AccountSid")
    if any(sid != configuration.twilio().account_sid for sid in sids):
        raise Refused("AccountSid is not the account of this service.")
    if len(sids) > 1:
        raise Refused("AccountSid was sent more than once.")
    if function.names_account and form and not sids:
        raise Refused("AccountSid is missing, which Twilio Conversations always sends.")
    fields = (f"{name}{value}" for name, value in form.items(multi=True))
    if not sids and any(map(_ACCOUNT.search, fields)):
        raise Refused(
            "AccountSid is part of another field: the fields are not those that were signed."
        )


def _address(name: str, request: Request) -> str:
    """Return the address exactly as Twilio signed it; the function runs behind a proxy and sees another one."""
    sources = (request.environ.get("RAW_URI"), request.environ.get("REQUEST_URI"))
    raw = next(filter(None, sources), request.full_path)
    public = configuration.public_address(name)
    if public is None:
        return f"{request.scheme}://{request.host}{raw}"
    path, mark, query = raw.removeprefix(request.script_root).partition("?")
    further = "" if path == "/" else path
    return f"{public}{further}{mark}{query}"


def _response(answer: Answer) -> Response:
    """Encode the body, as JSON unless the answer names another type."""
    content = answer.body
    if answer.content_type == _JSON:
        content = "" if content is None else json.dumps(content, ensure_ascii=False)
    return Response(
        content, answer.status, answer.headers, content_type=answer.content_type
    )


def _refusal(problem: Problem, request: Request) -> Response:
    """Stream the answer: before a plain one, the framework reads the rest of the body."""
    text = json.dumps(
        {"error": str(problem), **problem.more}, ensure_ascii=False
    ).encode()
    response = Response(iter([text]), problem.status, content_type=_JSON)
    response.content_length = len(text)
    if isinstance(problem, WrongMethod):
        response.headers["Allow"] = ", ".join(problem.allowed)
    if not request.environ.get(_IS_READ):
        # Without this, the server would wait for the rest of the body, for 5 s on one of its threads.
        response.call_on_close(partial(clock.hang_up, _line_of_a_body(request)))
    return response
