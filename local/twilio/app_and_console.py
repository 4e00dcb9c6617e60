"""What people do with the app or in the console: join, write, leave, close. Pre-events may refuse them."""

from datetime import timedelta

from local.twilio import changes, events, members, shapes
from local.twilio.account import Account
from local.twilio.changes import NewMessage
from local.twilio.errors import ApiError
from local.twilio.events import Event, Origin
from local.twilio.members import NewParticipant
from local.twilio.pre_event_answers import RejectedError, apply_to_message
from local.twilio.records import Conversation
from local.twilio.shapes import Shape
from local.twilio.webhooks import Webhooks


class AppAndConsole:
    """Changes made through the SDK. A pre-event's refusal is ApiError 50056, as the app sees it."""

    def __init__(self, account: Account, webhooks: Webhooks) -> None:
        self._account = account
        self._webhooks = webhooks

    def _find(self, sid: str) -> Conversation:
        found = self._account.conversations.get(sid)
        if found is None:
            raise ApiError(50350, sid)
        return found

    def _ask(self, event: Event, origin: Origin) -> dict[str, object]:
        try:
            return self._webhooks.ask(event, origin)
        except RejectedError as rejection:
            raise ApiError(50056, str(rejection)) from None

    def _publish(self, made: list[Event], origin: Origin, wait: bool) -> None:
        sent = self._webhooks.publish(made, origin)
        for delivery in sent if wait else ():
            delivery.result()

    def write(self, sid: str, identity: str, body: str, wait: bool) -> Shape:
        origin = Origin("SDK", identity)
        with self._account.lock:
            conversation = self._find(sid)
            members.refuse_unless_open(conversation)
            members.find(conversation, identity)
            message = changes.draft_message(self._account, conversation, NewMessage(body, identity))
        answer = self._ask(events.message("onMessageAdd", message, conversation), origin)
        try:
            apply_to_message(message, answer)
        except RejectedError as rejection:
            raise ApiError(50056, str(rejection)) from None
        with self._account.lock:
            made = changes.publish_message(self._account, conversation, message)
            shape = shapes.message(self._account, message)
        self._publish(made, origin, wait)
        return shape

    def join(self, sid: str, wanted: NewParticipant, wait: bool) -> Shape:
        origin = Origin("SDK", wanted.identity)
        with self._account.lock:
            conversation = self._find(sid)
            drafted = members.draft(self._account, conversation, wanted)
        self._ask(events.participant("onParticipantAdd", drafted, conversation), origin)
        with self._account.lock:
            participant = members.draft(self._account, conversation, wanted)
            made: list[Event] = []
            if wanted.identity:
                _, made = changes.add_user(self._account, conversation.service_sid, wanted.identity)
            made = made + members.join(self._account, conversation, participant)
            shape = shapes.participant(self._account, participant)
        self._publish(made, origin, wait)
        return shape

    def leave(self, sid: str, identity: str, wait: bool) -> None:
        origin = Origin("SDK", identity)
        with self._account.lock:
            conversation = self._find(sid)
            participant = members.find(conversation, identity)
        self._ask(events.participant("onParticipantRemove", participant, conversation), origin)
        with self._account.lock:
            made = members.leave(self._account, conversation, participant)
        self._publish(made, origin, wait)

    def set_state(self, sid: str, state: str, reason: str, wait: bool) -> None:
        with self._account.lock:
            conversation = self._find(sid)
            members.refuse_unless_open(conversation)
            made = changes.set_state(self._account, conversation, state, reason)
        self._publish(made, Origin("API"), wait)

    def remove(self, sid: str, wait: bool) -> None:
        with self._account.lock:
            conversation = self._find(sid)
        self._ask(events.conversation("onConversationRemove", conversation), Origin("SDK"))
        with self._account.lock:
            made = changes.remove_conversation(self._account, conversation)
        self._publish(made, Origin("SDK"), wait)

    def create_user(self, identity: str, wait: bool) -> Shape:
        """Someone logs in for the first time."""
        with self._account.lock:
            user, made = changes.add_user(self._account, self._account.default_service_sid, identity)
            shape = shapes.user(self._account, user)
        self._publish(made, Origin("SDK", identity), wait)
        return shape

    def advance(self, seconds: float, wait: bool) -> None:
        """Lets time pass, and with it the conversations' timers."""
        with self._account.lock:
            self._account.ahead += timedelta(seconds=seconds)
            made = changes.run_timers(self._account)
        self._publish(made, Origin("API"), wait)
