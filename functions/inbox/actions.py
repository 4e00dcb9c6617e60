"""What a worker does with a tap: Available or not, I have read it, hand over, close."""

from __future__ import annotations

from functools import partial

from assignment import answers, ledger
from assignment import hand_over as handing
from domain.fields import is_record_name
from domain.worker import is_identity
from functions.http import requests
from functions.http.answers import Answer, BadInput, Impossible
from functions.http.requests import RequestModel
from functions.http.session import Person
from functions.http.webhook import Visit
from functions.inbox import authority
from functions.inbox.requests import HandOver, ReadUpTo, Status
from providers import database, log, pools, settings
from providers import messages as at_twilio


def status(visit: Visit, person: Person) -> Answer:
    """The worker's word: it does not follow the open page."""
    worker = authority.worker(person)
    wanted = requests.read(visit, Status).status
    ledger.set_status(worker.identity, wanted)
    log.info(f"turned {wanted}", worker=worker.identity)
    return Answer({"status": wanted})


def read(visit: Visit, person: Person, sid: str) -> Answer:
    """Nothing up to this message is unread any more. What came after it stays so, whichever of the two is first."""
    conversation = authority.theirs(person, sid).conversation
    index = requests.read(visit, ReadUpTo).index
    changed = database.until_it_holds(partial(answers.has_read, sid, index))
    if changed and conversation.participant_sid:
        at_twilio.looked(conversation, conversation.participant_sid, index)
    return Answer({})


def hand_over(visit: Visit, person: Person, sid: str) -> Answer:
    them = authority.theirs(person, sid).worker
    wanted = requests.read(visit, HandOver)
    try:
        if wanted.to == "queue":
            handing.to_queue(sid, them.identity)
        elif wanted.to == "pool":
            handing.to_pool(sid, them.identity, _pool(_named(wanted.pool, "pool")))
        else:
            handing.to_worker(sid, them.identity, _named(wanted.worker, "worker"))
    except handing.Refused as error:
        raise Impossible(str(error)) from None
    return Answer({})


def close(visit: Visit, person: Person, sid: str) -> Answer:
    them = authority.theirs(person, sid).worker
    requests.read(visit, RequestModel)
    try:
        handing.close(sid, them.identity)
    except handing.Refused as error:
        raise Impossible(str(error)) from None
    return Answer({})


def _pool(name: str) -> str:
    """A pool without a record has nobody; the default one works without."""
    record, rules = database.read(pools.reference(name), settings.reference())
    if not record.exists and name != settings.of(rules).default_pool:
        raise Impossible("This pool is not there any more; choose another one.")
    return name


def _named(name: str | None, field: str) -> str:
    is_name = is_identity if field == "worker" else is_record_name
    if name is None or not is_name(name):
        raise BadInput(f"{field} must be the name of a {field}.")
    return name
