"""Twilio's forms as typed values: the common fields, and a conversation that has begun.

The forms of a single function stand beside it (functions/post_event/events.py, functions/frontline/forms.py), so that
no other function loads them.

Parameters per event: https://www.twilio.com/docs/conversations/conversations-webhooks and, for the routing
callback, https://www.twilio.com/docs/frontline/handle-incoming-conversations
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.fields import FieldInfo
from werkzeug.datastructures import MultiDict

from domain import addresses, json_text
from domain.arrival import Arrival
from domain.worker import is_identity
from functions.http.answers import BadInput
from providers import log

Form: TypeAlias = MultiDict[str, str]


def _sid(prefix: str) -> StringConstraints:
    return StringConstraints(pattern=f"^{prefix}[0-9a-fA-F]{{32}}$")


def _utc(moment: datetime) -> datetime:
    """Return the time in UTC. Twilio's times are UTC; a time without a zone counts as UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None


def _identity(value: str) -> str:
    """Return the identity. Raises ValueError for a name that no worker can have."""
    if not is_identity(value):
        raise ValueError("must be a worker's identity")
    return value


ConversationSid = Annotated[str, _sid("CH")]
ServiceSid = Annotated[str, _sid("IS")]
MessageSid = Annotated[str, _sid("IM")]
ParticipantSid = Annotated[str, _sid("MB")]
Address = Annotated[str, StringConstraints(max_length=2000)]
Identity = Annotated[str, AfterValidator(_identity)]
Moment = Annotated[datetime, AfterValidator(_utc)]
# A lambda, because pydantic takes 6 ms of each start to inspect str.lower, which is written in C.
_in_small_letters = BeforeValidator(lambda value: value.lower())
Channel = Annotated[Literal["sms", "whatsapp"], _in_small_letters]
State = Annotated[
    Literal["initializing", "active", "inactive", "closed"], _in_small_letters
]


_SERVICES = ("ConversationServiceSid", "ChatServiceSid")


class Parameters(BaseModel):
    """The common base. Unknown parameters are ignored, because Twilio adds new ones without notice.

    An event is refused only for an invalid parameter that is required or that it `needs`: otherwise a customer could
    be lost for a parameter without use. Any other invalid parameter counts as absent.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=False)
    needs: ClassVar[frozenset[str]] = frozenset()

    event_type: str = Field("", alias="EventType")


class Bound(Parameters):
    """An event with addresses. In a group message `address` lists all recipients."""

    address: Address | None = Field(None, alias="MessagingBinding.Address")
    proxy_address: Address | None = Field(None, alias="MessagingBinding.ProxyAddress")
    projected_address: Address | None = Field(
        None, alias="MessagingBinding.ProjectedAddress"
    )
    author_address: Address | None = Field(None, alias="MessagingBinding.AuthorAddress")
    raw_attributes: str = Field("", alias="Attributes")
    needs = frozenset(
        {"MessagingBinding.Address", "MessagingBinding.AuthorAddress", *_SERVICES}
    )

    @property
    def customer_address(self) -> str | None:
        """The sender: the author of a group message, else the address."""
        return self.author_address or next(iter(addresses.people(self.address)), None)

    def attributes(self) -> dict[str, Any]:
        """Return the current attributes; JSON that is no object counts as empty. Raises BadInput for invalid JSON."""
        try:
            parsed = json_text.parsed(
                self.raw_attributes or "{}", json_text.MOST_ATTRIBUTES
            )
        except json_text.TooManyValues as error:
            raise BadInput(f"Attributes is not valid: it has {error}.") from None
        except ValueError:
            raise BadInput("Attributes is not valid: must be JSON.") from None
        return parsed if isinstance(parsed, dict) else {}


class InboundConversation(Bound):
    """onConversationAdded and the routing callback onConversationRoute."""

    sid: ConversationSid = Field(alias="ConversationSid")
    service_sid: ServiceSid | None = Field(
        None, validation_alias=AliasChoices("ConversationServiceSid", "ChatServiceSid")
    )
    state: State = Field("active", alias="State")
    date_created: Moment | None = Field(None, alias="DateCreated")

    def arrival(self) -> Arrival | None:
        """Return the arrival; None without a customer, as when a worker or a program began the conversation."""
        customer = self.customer_address
        if customer is None:
            return None
        people = addresses.people(self.address)
        is_group = self.author_address is not None or len(people) > 1
        ours = filter(None, (self.proxy_address, self.projected_address))
        others = (person for person in people if person != self.author_address)
        return Arrival(
            self.sid,
            customer,
            proxy_address=self.proxy_address,
            projected_address=self.projected_address,
            our_addresses=tuple(ours) or (tuple(others) if is_group else ()),
            is_group=is_group,
            is_starting=self.state == "initializing",
            service_sid=self.service_sid,
            created_at=self.date_created,
        )


P = TypeVar("P", bound=Parameters)


def parse(model: type[P], form: Form) -> P:
    """Return the form as a `model`; raises BadInput with a sentence that names the field.

    An empty value counts as absent, and so does an invalid one that the model can do without.
    """
    _refuse_ambiguous(_names(model), form)
    values = {name: value for name, value in form.items() if value != ""}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        invalid = {str(detail["loc"][0]) for detail in error.errors()}
        if invalid - values.keys() or invalid & _indispensable(model):
            raise BadInput(_sentence(error, model)) from None
    names = ", ".join(sorted(invalid))
    log.warning(f"{names} of {model.__name__} is not valid and counts as absent.")
    for name in invalid:
        del values[name]
    return model.model_validate(values)


def _refuse_ambiguous(names: list[str], form: Form) -> None:
    """Raise BadInput for a repeated field that we read, and for one that is split between another name and its value.

    A repeated field is ambiguous. A split one, such as Bod and yHello for Body, has the same signature.
    """
    for name in names:
        if len(form.getlist(name)) > 1:
            raise BadInput(f"{name} was sent more than once.")
        if name not in form and _is_split(name, form):
            raise BadInput(
                f"{name} is missing, and another field begins with its name."
            )


def _is_split(name: str, form: Form) -> bool:
    """Return whether the beginning of `name` is a field, and the rest of it the beginning of the field's value."""
    return any(
        name.startswith(field) and f"{field}{value}".startswith(name)
        for field, value in form.items()
    )


@cache
def _names(model: type[Parameters]) -> list[str]:
    """Return Twilio's names of the fields that the model reads."""
    names: list[str] = []
    for field in model.model_fields.values():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        names += map(str, choices)
    return names


def _indispensable(model: type[Parameters]) -> frozenset[str]:
    """Return Twilio's names of the fields that must be valid."""
    required = filter(FieldInfo.is_required, model.model_fields.values())
    return model.needs | {str(field.validation_alias) for field in required}


def _sentence(error: ValidationError, model: type[Parameters]) -> str:
    """Describe the first error of an indispensable field."""
    details = error.errors(
        include_url=False, include_context=False, include_input=False
    )
    indispensable = _indispensable(model)
    details.sort(key=lambda detail: str(detail["loc"][0]) not in indispensable)
    name = str(details[0]["loc"][0])
    if details[0]["type"] == "missing":
        return f"{name} is missing."
    return f"{name} is not valid: {details[0]['msg'].removeprefix('Value error, ')}."
