"""What Twilio sends, as typed values: what all forms have in common, and a conversation that has begun.

What only one function is sent stands beside it (functions/post_event/events.py, functions/frontline/forms.py), so that
no other one loads it.

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
    """Twilio's times are UTC and say so; one that does not is taken as UTC."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None


def _identity(value: str) -> str:
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
# str.lower itself would do, but to read the signature of what is written in C takes 6 ms of each start.
_in_small_letters = BeforeValidator(lambda value: value.lower())
Channel = Annotated[Literal["sms", "whatsapp"], _in_small_letters]
State = Annotated[
    Literal["initializing", "active", "inactive", "closed"], _in_small_letters
]


_SERVICES = ("ConversationServiceSid", "ChatServiceSid")


class Parameters(BaseModel):
    """Common to all: unknown parameters are ignored, for Twilio adds new ones without notice.

    An event is refused only for what it cannot do without, which is what is required and what it `needs`: else a
    customer would be lost for a parameter that nobody looks at. Anything else that makes no sense counts as left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=False)
    needs: ClassVar[frozenset[str]] = frozenset()

    event_type: str = Field("", alias="EventType")


class Bound(Parameters):
    """An event that carries addresses. In a group message `address` lists everybody who received it."""

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
        """Who wrote: the author of a group message, else the address."""
        return self.author_address or next(iter(addresses.people(self.address)), None)

    def attributes(self) -> dict[str, Any]:
        """What is there already; JSON that is no object counts as nothing. Raises BadInput for what is no JSON."""
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
        """What it says; None where no customer wrote, but a worker or a program began it."""
        people = addresses.people(self.address)
        customer = self.author_address or next(iter(people), None)
        if customer is None:
            return None
        is_group = self.author_address is not None or len(people) > 1
        ours = tuple(a for a in (self.proxy_address, self.projected_address) if a)
        return Arrival(
            self.sid,
            customer,
            proxy_address=self.proxy_address,
            projected_address=self.projected_address,
            our_addresses=ours
            or tuple(a for a in people if is_group and a != self.author_address),
            is_group=is_group,
            is_starting=self.state == "initializing",
            service_sid=self.service_sid,
            created_at=self.date_created,
        )


P = TypeVar("P", bound=Parameters)


def parse(model: type[P], form: Form) -> P:
    """The form as a `model`; raises BadInput with a sentence that names the field.

    An empty value counts as absent.
    """
    _refuse_ambiguous(_names(model), form)
    values = {name: value for name, value in form.items() if value != ""}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        odd = {str(one["loc"][0]) for one in error.errors()}
        if odd - values.keys() or odd & (model.needs | _required(model)):
            raise BadInput(_sentence(error, model)) from None
        log.warning(
            f"{', '.join(sorted(odd))} of {model.__name__} makes no sense and counts as left out."
        )
        return model.model_validate(
            {name: value for name, value in values.items() if name not in odd}
        )


def _refuse_ambiguous(names: list[str], form: Form) -> None:
    """Raise BadInput for a field that we read and that comes twice, for nothing says which one holds, and for one that
    is split between another name and its value, such as Bod and yHello: the signature is the same."""
    for name in names:
        if len(form.getlist(name)) > 1:
            raise BadInput(f"{name} was sent more than once.")
        if name not in form and any(
            _is_split(name, field, value) for field, value in form.items()
        ):
            raise BadInput(
                f"{name} is missing, and another field begins with its name."
            )


def _is_split(name: str, field: str, value: str) -> bool:
    return name.startswith(field) and f"{field}{value}".startswith(name)


@cache
def _names(model: type[Parameters]) -> list[str]:
    """As Twilio spells the fields that the model reads."""
    names: list[str] = []
    for field in model.model_fields.values():
        choices = field.validation_alias
        names += (
            [str(c) for c in choices.choices]
            if isinstance(choices, AliasChoices)
            else [str(choices)]
        )
    return names


def _required(model: type[Parameters]) -> set[str]:
    return {
        str(field.validation_alias)
        for field in model.model_fields.values()
        if field.is_required()
    }


def _sentence(error: ValidationError, model: type[Parameters]) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    wanted = model.needs | _required(model)
    first = next(
        (one for one in found if one["loc"] and str(one["loc"][0]) in wanted), found[0]
    )
    name = str(first["loc"][0]) if first["loc"] else "The form"
    if first["type"] == "missing":
        return f"{name} is missing."
    return f"{name} is not valid: {first['msg'].removeprefix('Value error, ')}."
