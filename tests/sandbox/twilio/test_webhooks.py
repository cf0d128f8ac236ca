"""Do the gateway's webhooks arrive signed, in the order and number asked for, and again when they fail?"""

from datetime import timedelta

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.signing import sign
from connector.sandbox.twilio.world import TwilioWorld
from tests.sandbox.twilio.receiver import CALLBACK, INBOUND, PERSON, SENDER, TOKEN, Receiver

FORM = {"To": PERSON, "From": SENDER, "Body": "Hello", "StatusCallback": CALLBACK}
WAY = ["sending", "sent", "delivered"]


def test_the_signature_is_the_one_in_the_vendors_documentation() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    assert sign("12345", url + "#rc=2", form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_callbacks_tell_every_status_but_the_first(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    message = world.create(FORM)
    engine.flush()
    assert receiver.statuses == WAY
    url, form, headers = receiver.calls[-1]
    assert url == CALLBACK
    assert headers["X-Twilio-Signature"] == sign(TOKEN, CALLBACK, form)
    assert form["MessageSid"] == form["SmsSid"] == message.sid
    assert (form["To"], form["From"]) == (PERSON, SENDER)
    assert len(form["RawDlrDoneDate"]) == 10
    assert "ErrorCode" not in form
    assert form["SandboxUnannounced"] == "yes"


def test_a_messaging_service_also_tells_queued(world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver) -> None:
    service = world.add_service(SENDER)
    world.create(FORM | {"MessagingServiceSid": service.sid})
    engine.flush()
    assert receiver.statuses == ["queued", *WAY]
    assert {form["MessagingServiceSid"] for _, form, _ in receiver.calls} == {service.sid}


def test_receipts_come_when_the_sandbox_clock_says_so(
    world: TwilioWorld, clock: SandboxClock, engine: DeliveryEngine, receiver: Receiver
) -> None:
    created_at = world.create(FORM).created_at
    engine.step(created_at + timedelta(seconds=0.2))
    assert receiver.statuses == []
    engine.step(created_at + timedelta(seconds=2))
    assert receiver.statuses == ["sending", "sent"]
    clock.advance(timedelta(hours=1))
    engine.step()
    assert receiver.statuses == WAY


def test_the_text_is_on_the_phone_once_it_is_delivered(world: TwilioWorld, engine: DeliveryEngine) -> None:
    world.create(FORM)
    assert world.conversation(PERSON) == []
    engine.flush()
    assert [message.body for message in world.conversation(PERSON)] == ["Hello"]


def test_an_undelivered_message_carries_its_error_code(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("undelivered", error_code=30007)
    message = world.create(FORM)
    engine.flush()
    assert receiver.calls[-1][1]["MessageStatus"] == "undelivered"
    assert receiver.calls[-1][1]["ErrorCode"] == "30007"
    assert message.as_json()["error_code"] == 30007
    assert world.conversation(PERSON) == []


@pytest.mark.parametrize(("change", "code"), [({"is_on": False}, 30003), ({"is_blocking": True}, 30004)])
def test_a_phone_that_is_off_or_blocks_is_not_reached(
    world: TwilioWorld, engine: DeliveryEngine, change: dict[str, bool], code: int
) -> None:
    handset = world.add_handset(PERSON, "Ada")
    for name, value in change.items():
        setattr(handset, name, value)
    message = world.create(FORM)
    engine.flush()
    assert (message.status, message.error_code) == ("undelivered", code)


def test_shuffled_receipts_come_newest_first(world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver) -> None:
    world.receipts.arm("shuffled")
    world.create(FORM)
    engine.flush()
    assert receiver.statuses == ["delivered", "sent", "sending"]


def test_duplicated_receipts_come_twice_and_only_for_one_message(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("duplicated")
    world.create(FORM)
    world.create(FORM)
    engine.flush()
    assert sorted(receiver.statuses) == sorted(WAY * 3)


def test_silence_leaves_the_answer_to_whoever_asks(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("silent")
    message = world.create(FORM)
    engine.flush()
    assert receiver.calls == []
    assert message.status == "delivered"


def test_a_stalled_message_never_gets_a_last_word(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("stalled")
    message = world.create(FORM)
    engine.flush()
    assert (message.status, receiver.statuses) == ("sent", ["sending", "sent"])


def test_late_receipts_come_after_the_message_arrived(
    world: TwilioWorld, clock: SandboxClock, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("late", seconds=7200)
    message = world.create(FORM)
    clock.advance(timedelta(hours=1))
    engine.step()
    assert (message.status, receiver.calls) == ("delivered", [])
    clock.advance(timedelta(hours=2))
    engine.step()
    assert receiver.statuses == WAY


def test_a_message_held_beyond_its_validity_expires(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("held", seconds=600)
    world.create(FORM | {"ValidityPeriod": "300"})
    engine.flush()
    assert receiver.statuses == ["undelivered"]
    assert receiver.calls[0][1]["ErrorCode"] == "30036"


def test_oddities_combine(world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver) -> None:
    world.receipts.arm("shuffled")
    world.receipts.arm("undelivered")
    world.create(FORM)
    engine.flush()
    assert receiver.statuses == ["undelivered", "sent", "sending"]


def test_a_callback_is_tried_again_once_when_the_connection_fails(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("failed")
    receiver.answers = [httpx.ConnectError("refused")]
    world.create(FORM)
    engine.flush()
    assert receiver.statuses == ["failed", "failed"]
    tokens = {headers["I-Twilio-Idempotency-Token"] for _, _, headers in receiver.calls}
    assert len(tokens) == 1
    assert [result.status for result in engine.results] == [None, 204]


def test_a_callback_that_keeps_failing_is_given_up_with_an_alert(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("failed")
    receiver.answers = [httpx.ConnectError("refused")] * 5
    world.create(FORM)
    engine.flush()
    assert len(receiver.calls) == 2
    assert world.alerts[0][0] == 11200


def test_a_callback_answered_500_is_not_tried_again(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.receipts.arm("failed")
    receiver.answers = [httpx.Response(500)]
    world.create(FORM)
    engine.flush()
    assert len(receiver.calls) == 1


def test_the_urls_fragment_asks_for_more_tries(world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver) -> None:
    world.receipts.arm("failed")
    receiver.answers = [httpx.Response(500)] * 9
    world.create(FORM | {"StatusCallback": CALLBACK + "#rc=3&rp=all"})
    engine.flush()
    assert [url for url, _, _ in receiver.calls] == [CALLBACK] * 4


def test_a_reply_is_posted_signed_with_its_empty_fields(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.reply(PERSON, SENDER, "YES please")
    engine.step()
    url, form, headers = receiver.calls[0]
    assert url == INBOUND
    assert headers["X-Twilio-Signature"] == sign(TOKEN, INBOUND, form)
    assert (form["From"], form["To"], form["Body"]) == (PERSON, SENDER, "YES please")
    assert (form["FromCity"], form["FromCountry"], form["NumMedia"]) == ("", "US", "0")
    assert "OptOutType" not in form


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        (httpx.Response(200, text="<Response/>", headers={"content-type": "text/xml"}), []),
        (httpx.Response(200, text="<Response><Message>Hi</Message></Response>"), ["Hi"]),
        (httpx.Response(200, text="<Response><Message><Body>Hi</Body></Message></Response>"), ["Hi"]),
        (httpx.Response(200, text="ok", headers={"content-type": "text/plain"}), ["ok"]),
        (httpx.Response(204), []),
    ],
)
def test_what_the_receiver_answers_is_sent_back(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver, answer: httpx.Response, texts: list[str]
) -> None:
    if "content-type" not in answer.headers or answer.text.startswith("<"):
        answer.headers["content-type"] = "text/xml"
    receiver.answers = [answer]
    world.reply(PERSON, SENDER, "hello")
    engine.flush()
    sent = [message for message in world.messages(PERSON) if message.is_outbound]
    assert [message.body for message in sent] == texts
    assert {message.direction for message in sent} <= {"outbound-reply"}


def test_an_answer_that_is_no_twiml_sends_nothing_and_raises_an_alert(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    receiver.answers = [httpx.Response(200, text="{}", headers={"content-type": "application/json"})]
    world.reply(PERSON, SENDER, "hello")
    engine.flush()
    assert world.alerts[0][0] == 12100
    assert len(world.messages(PERSON)) == 1


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "OPTOUT"])
def test_advanced_opt_out_blocks_the_pair_confirms_and_says_so(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver, word: str
) -> None:
    world.advanced_opt_out = True
    world.reply(PERSON, SENDER, word)
    engine.flush()
    assert receiver.calls[0][1]["OptOutType"] == "STOP"
    assert "unsubscribed" in world.conversation(PERSON)[-1].body
    with pytest.raises(RefusalError) as refusal:
        world.create(FORM)
    assert refusal.value.code == 21610
    world.create(FORM | {"To": "+12025550144"})


def test_start_lets_texts_through_again(world: TwilioWorld) -> None:
    world.advanced_opt_out = True
    world.reply(PERSON, SENDER, "STOP")
    world.reply(PERSON, SENDER, "START")
    assert world.create(FORM).status == "queued"


def test_default_opt_out_blocks_without_saying_so(
    world: TwilioWorld, engine: DeliveryEngine, receiver: Receiver
) -> None:
    world.default_opt_out = True
    world.reply(PERSON, SENDER, "STOP")
    engine.flush()
    assert "OptOutType" not in receiver.calls[0][1]
    with pytest.raises(RefusalError):
        world.create(FORM)


def test_without_opt_out_handling_the_gateway_lets_stop_pass(world: TwilioWorld) -> None:
    world.reply(PERSON, SENDER, "STOP")
    assert world.create(FORM).status == "queued"


def test_an_opt_out_from_one_number_of_a_service_is_one_from_all(world: TwilioWorld) -> None:
    world.advanced_opt_out = True
    service = world.add_service(SENDER, "+12025550101")
    world.reply(PERSON, "+12025550101", "STOP")
    with pytest.raises(RefusalError):
        world.create({"To": PERSON, "MessagingServiceSid": service.sid, "Body": "x"})


def test_a_reply_to_a_number_that_is_not_ours_is_refused(world: TwilioWorld) -> None:
    with pytest.raises(RefusalError):
        world.reply(PERSON, "+12025550199", "hello")
