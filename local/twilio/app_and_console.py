"""What people do with the app or in the console: join, write, leave, close. Pre-events may refuse them."""

from datetime import timedelta

from local.twilio import changes, events, members, receipts, shapes
from local.twilio.account import Account
from local.twilio.carriers import Carriers
from local.twilio.changes import NewMessage
from local.twilio.errors import ApiError
from local.twilio.events import Event, Origin
from local.twilio.members import NewParticipant
from local.twilio.pre_event_answers import RejectedError
from local.twilio.records import Conversation, FrontlineUser, Message
from local.twilio.shapes import Shape
from local.twilio.webhooks import Webhooks


class AppAndConsole:
    """The acting part of StandIn. Each method raises ApiError, 50056 where a pre-event refuses.

    It waits for every webhook that it caused; with `wait` off only for the pre-event.
    """

    _account: Account
    _webhooks: Webhooks
    _carriers: Carriers

    def worker_message(
        self, conversation_sid: str, identity: str, body: str, wait: bool = True
    ) -> Shape:
        origin = Origin("SDK", identity)
        with self._account.lock:
            conversation = self._find(conversation_sid)
            members.refuse_unless_open(conversation)
            members.find(conversation, identity)
            message = changes.draft_message(
                self._account, conversation, NewMessage(body, identity)
            )
        try:
            self._webhooks.ask_about(message, conversation, origin)
        except RejectedError as rejection:
            raise ApiError(50056, str(rejection)) from None
        with self._account.lock:
            made = changes.publish_message(self._account, conversation, message)
            shape = shapes.message(self._account, message)
        self._publish(made, origin, wait)
        taken = self._carriers.take(conversation, message)
        if wait:
            taken.result()
        return shape

    def deliver(
        self,
        conversation_sid: str,
        message_sid: str,
        status: str,
        code: int = 0,
        wait: bool = True,
        to: str | None = None,
    ) -> None:
        """Carriers report how far a message came, to everybody or `to` one address: sent, delivered, read, failed or
        undelivered."""
        with self._account.lock:
            conversation = self._find(conversation_sid)
            message, steps = receipts.reported(
                conversation, message_sid, status, code, to
            )
        reported = self._carriers.report(conversation, message, steps)
        if wait:
            reported.result()

    def carriers(self, delay: float = 0.0, out_of_order: bool = False) -> None:
        """From now on each report about a message comes so late; the latest of a message first, if wanted."""
        self._carriers.delay, self._carriers.out_of_order = delay, out_of_order

    def worker_join(
        self,
        conversation_sid: str,
        identity: str,
        wait: bool = True,
        projected_address: str | None = None,
    ) -> Shape:
        """A group MMS wants the number that the worker writes from as `projected_address`."""
        origin = Origin("SDK", identity)
        wanted = NewParticipant(identity=identity, projected_address=projected_address)
        with self._account.lock:
            conversation = self._find(conversation_sid)
            drafted = members.draft(self._account, conversation, wanted)
        self._ask(events.participant("onParticipantAdd", drafted, conversation), origin)
        with self._account.lock:
            participant = members.draft(self._account, conversation, wanted)
            _, made = changes.add_user(
                self._account, conversation.service_sid, identity
            )
            made = made + members.join(self._account, conversation, participant)
            shape = shapes.participant(self._account, participant)
        self._publish(made, origin, wait)
        return shape

    def edit_message(
        self, conversation_sid: str, message_sid: str, body: str, wait: bool = True
    ) -> None:
        """A person changes a message's text in the console or another app."""
        with self._account.lock:
            conversation = self._find(conversation_sid)
            message = _message(conversation, message_sid)
            made = changes.edit_message(self._account, conversation, message, body)
        self._publish(made, Origin("SDK"), wait)

    def remove_message(
        self, conversation_sid: str, message_sid: str, wait: bool = True
    ) -> None:
        with self._account.lock:
            conversation = self._find(conversation_sid)
            message = _message(conversation, message_sid)
            made = changes.remove_message(self._account, conversation, message)
        self._publish(made, Origin("SDK"), wait)

    def worker_leave(
        self, conversation_sid: str, identity: str, wait: bool = True
    ) -> None:
        origin = Origin("SDK", identity)
        with self._account.lock:
            conversation = self._find(conversation_sid)
            participant = members.find(conversation, identity)
        self._ask(
            events.participant("onParticipantRemove", participant, conversation), origin
        )
        with self._account.lock:
            made = members.leave(self._account, conversation, participant)
        self._publish(made, origin, wait)

    def customer_join(
        self, conversation_sid: str, address: str, proxy_address: str, wait: bool = True
    ) -> None:
        """A person adds a customer in the console."""
        wanted = NewParticipant(address=address, proxy_address=proxy_address)
        with self._account.lock:
            conversation = self._find(conversation_sid)
            made = members.join(
                self._account,
                conversation,
                members.draft(self._account, conversation, wanted),
            )
        self._publish(made, Origin("API"), wait)

    def customer_leave(
        self, conversation_sid: str, address: str, wait: bool = True
    ) -> None:
        """A person takes a customer out in the console."""
        with self._account.lock:
            conversation = self._find(conversation_sid)
            customer = next(
                p for p in conversation.participants.values() if p.address == address
            )
            made = members.leave(self._account, conversation, customer)
        self._publish(made, Origin("API"), wait)

    def set_state(
        self, conversation_sid: str, state: str, reason: str = "API", wait: bool = True
    ) -> None:
        with self._account.lock:
            conversation = self._find(conversation_sid)
            members.refuse_unless_open(conversation)
            made = changes.set_state(self._account, conversation, state, reason)
        self._publish(made, Origin("API"), wait)

    def remove_conversation(self, conversation_sid: str, wait: bool = True) -> None:
        with self._account.lock:
            conversation = self._find(conversation_sid)
        self._ask(
            events.conversation("onConversationRemove", conversation), Origin("SDK")
        )
        with self._account.lock:
            made = changes.remove_conversation(self._account, conversation)
        self._publish(made, Origin("SDK"), wait)

    def create_user(self, identity: str, wait: bool = True) -> Shape:
        """Someone logs in for the first time."""
        with self._account.lock:
            user, made = changes.add_user(
                self._account, self._account.default_service_sid, identity
            )
            shape = shapes.user(self._account, user)
        self._publish(made, Origin("SDK", identity), wait)
        return shape

    def sign_in_to_frontline(self, identity: str, wait: bool = True) -> None:
        """A worker signs in to Frontline's app; where they are new that makes a user of both, and Frontline's first."""
        with self._account.lock:
            user, made = changes.add_user(
                self._account, self._account.default_service_sid, identity
            )
            self._account.frontline.setdefault(
                identity, FrontlineUser(user.sid, identity)
            )
        self._publish(made, Origin("SDK", identity), wait)

    def switch_in_frontline(
        self, identity: str, is_available: bool, wait: bool = True
    ) -> None:
        """A worker turns the switch in Frontline's app, for which they sign in first; no webhook tells of it."""
        self.sign_in_to_frontline(identity, wait)
        with self._account.lock:
            self._account.frontline[identity].is_available = is_available

    def advance(self, seconds: float, wait: bool = True) -> None:
        """Lets time pass, and with it the conversations' timers."""
        with self._account.lock:
            self._account.ahead += timedelta(seconds=seconds)
            made = changes.run_timers(self._account)
        self._publish(made, Origin("API"), wait)

    def _find(self, sid: str) -> Conversation:
        found = self._account.conversations.get(sid)
        if found is None:
            raise ApiError(50350, sid)
        return found

    def _ask(self, event: Event, origin: Origin) -> None:
        try:
            self._webhooks.ask(event, origin)
        except RejectedError as rejection:
            raise ApiError(50056, str(rejection)) from None

    def _publish(self, made: list[Event], origin: Origin, wait: bool) -> None:
        sent = self._webhooks.publish(made, origin)
        for delivery in sent if wait else ():
            delivery.result()


def _message(conversation: Conversation, sid: str) -> Message:
    return next(one for one in conversation.messages if one.sid == sid)
