"""What the fixtures promise to every other test."""

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.service import Service


def test_a_signed_request_is_genuine_and_an_unsigned_one_is_refused(
    service: Service,
) -> None:
    form = {"EventType": "onConversationUpdated"}
    assert service.post("post_event", form).status_code == 200
    assert service.post("post_event", form, signed=False).status_code == 403


def test_path_and_query_reach_the_function_as_they_were_signed(
    service: Service,
) -> None:
    form = [("EventType", "onConversationUpdated"), ("Twice", "b"), ("Twice", "a")]
    assert (
        service.post(
            "post-event", form, path="/a%2fb//c", query="x=%2f&y=+&x=1"
        ).status_code
        == 200
    )


def test_the_loader_itself_can_be_asked(
    client_for: Callable[[str], FlaskClient],
) -> None:
    assert client_for("pre_event").get("/").status_code == 405


def test_what_an_inbound_message_and_a_status_change_set_off_has_settled(
    service: Service,
) -> None:
    service.standin.set_autocreate("+12025550100")
    sid = service.standin.inbound(
        from_="+447700900001", to="+12025550100", body="Hello"
    ).conversation_sid
    service.settle()
    assert service.db.document(f"conversations/{sid}").get().get("state") == "queued"
    service.db.document("workers/alice@example.com").set({"status": "Available"})
    service.settle()
    assert service.db.document(f"conversations/{sid}").get().get("state") == "assigned"
