"""Does the emulated gateway take, refuse, show and list messages as the vendor documents it?"""

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.twilio.world import TwilioWorld
from tests.sandbox.twilio.receiver import ACCOUNT, CALLBACK, PERSON, SENDER

GOOD = {"To": PERSON, "From": SENDER, "Body": "Hello"}


def test_a_taken_message_is_answered_201_with_the_documented_fields(api: httpx.Client, clock: SandboxClock) -> None:
    answer = api.post("/Messages.json", data=GOOD | {"StatusCallback": CALLBACK})
    message = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"SM[0-9a-f]{32}", message["sid"])
    assert message["status"] == "queued"
    assert message["num_segments"] == "1"
    assert message["price"] is None
    assert message["direction"] == "outbound-api"
    assert message["date_sent"] is None
    assert message["uri"] == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{message['sid']}.json"
    assert message["subresource_uris"]["media"].endswith(f"{message['sid']}/Media.json")
    assert abs(parsedate_to_datetime(message["date_created"]) - clock.now()) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"To": "2025550143"}, 21211),
        ({"To": "+1202555"}, 21211),
        ({"To": "+12025550143 "}, 21211),
        ({"To": "+442079460123"}, 21614),
        ({"To": "+15005550009"}, 21614),
        ({"From": "not a sender!"}, 21212),
        ({"From": PERSON}, 21266),
        ({"From": "+12025550199"}, 21606),
        ({"StatusCallback": "https://my_host.example/status"}, 21609),
        ({"StatusCallback": "ftp://connector.example/status"}, 21609),
        ({"StatusCallback": "/callbacks/status"}, 21609),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
        ({"MessagingServiceSid": "MG" + "0" * 32}, 21701),
    ],
)
def test_a_mistake_is_refused_with_the_vendors_code(
    api: httpx.Client, world: TwilioWorld, changes: dict[str, str], code: int
) -> None:
    answer = api.post("/Messages.json", data=GOOD | changes)
    assert answer.json()["code"] == code
    assert answer.status_code == answer.json()["status"] != 201
    assert answer.json()["more_info"].endswith(str(code))
    assert world.messages() == []


def test_a_body_of_1600_characters_is_taken(api: httpx.Client) -> None:
    assert api.post("/Messages.json", data=GOOD | {"Body": "x" * 1600}).json()["num_segments"] == "11"


@pytest.mark.parametrize("auth", [None, (ACCOUNT, "wrong"), ("AC" + "0" * 32, "token-of-the-tests")])
def test_wrong_credentials_are_refused_with_20003(
    api: httpx.Client, world: TwilioWorld, auth: tuple[str, str] | None
) -> None:
    api.auth = auth  # type: ignore[assignment]  # httpx takes None
    answer = api.post("/Messages.json", data=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert world.messages() == []


def test_an_api_key_authenticates_too(api: httpx.Client, world: TwilioWorld) -> None:
    world.api_keys["SK" + "1" * 32] = "key-secret"
    answer = api.post("/Messages.json", data=GOOD, auth=("SK" + "1" * 32, "key-secret"))
    assert answer.status_code == 201


def test_fields_nobody_knows_are_tolerated_and_recorded(api: httpx.Client, world: TwilioWorld) -> None:
    api.post("/Messages.json", data=GOOD | {"ClientReference": "abc"})
    assert world.messages()[0].form["ClientReference"] == "abc"
    assert world.unknown_fields == {"ClientReference": 1}


def test_a_messaging_service_accepts_and_picks_its_sender_afterwards(
    api: httpx.Client, world: TwilioWorld, engine: DeliveryEngine
) -> None:
    service = world.add_service(SENDER)
    form = {"To": PERSON, "MessagingServiceSid": service.sid, "Body": "Hello"}
    message = api.post("/Messages.json", data=form).json()
    assert (message["status"], message["from"]) == ("accepted", None)
    assert message["messaging_service_sid"] == service.sid
    assert api.get("/Messages.json", params={"From": SENDER}).json()["messages"] == []
    engine.flush()
    assert api.get(f"/Messages/{message['sid']}.json").json()["from"] == SENDER
    assert len(api.get("/Messages.json", params={"From": SENDER}).json()["messages"]) == 1


def test_a_sender_named_beside_a_messaging_service_is_told_at_once(api: httpx.Client, world: TwilioWorld) -> None:
    service = world.add_service(SENDER, "+12025550101")
    form = {"To": PERSON, "MessagingServiceSid": service.sid, "From": "+12025550101", "Body": "Hello"}
    assert api.post("/Messages.json", data=form).json()["from"] == "+12025550101"


def test_a_fetched_message_shows_its_present_status(api: httpx.Client, engine: DeliveryEngine) -> None:
    sid = api.post("/Messages.json", data=GOOD).json()["sid"]
    engine.flush()
    message = api.get(f"/Messages/{sid}.json").json()
    assert message["status"] == "delivered"
    assert message["price"] == "-0.00830"
    assert message["date_sent"] is not None


def test_an_unknown_message_is_404_with_20404(api: httpx.Client) -> None:
    answer = api.get("/Messages/SM00.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_the_list_filters_by_number_and_date(api: httpx.Client, clock: SandboxClock) -> None:
    api.post("/Messages.json", data=GOOD)
    clock.advance(timedelta(days=2))
    api.post("/Messages.json", data=GOOD | {"Body": "later"})
    api.post("/Messages.json", data=GOOD | {"To": "+447700900123"})
    today = clock.now().date().isoformat()

    def bodies(**query: str) -> list[str]:
        return [m["body"] for m in api.get("/Messages.json", params=query).json()["messages"]]

    assert bodies(To=PERSON) == ["later", "Hello"]
    assert bodies(To=PERSON, **{"DateSent>": today}) == ["later"]
    assert bodies(To=PERSON, **{"DateSent<": today}) == ["Hello"]
    assert bodies(To=PERSON, DateSent=today) == ["later"]
    assert bodies(To=PERSON, From="+12025550199") == []


def test_pages_hold_every_message_once_though_new_ones_arrive(api: httpx.Client) -> None:
    sent = [api.post("/Messages.json", data=GOOD | {"Body": str(n)}).json()["sid"] for n in range(5)]
    seen: list[str] = []
    uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=2"
    while uri:
        page = api.get(f"http://gateway.test{uri}").json()
        seen += [message["sid"] for message in page["messages"]]
        if len(seen) == 2:
            api.post("/Messages.json", data=GOOD | {"Body": "arrived in between"})
        uri = page["next_page_uri"]
    assert seen == list(reversed(sent))


def test_a_finished_message_can_be_redacted_and_deleted(api: httpx.Client, engine: DeliveryEngine) -> None:
    path = f"/Messages/{api.post('/Messages.json', data=GOOD).json()['sid']}.json"
    assert api.post(path, data={"Body": ""}).json()["code"] == 20009
    engine.flush()
    assert api.post(path, data={"Body": ""}).json()["body"] == ""
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_a_scheduled_message_can_be_cancelled_until_it_leaves(
    api: httpx.Client, world: TwilioWorld, clock: SandboxClock, engine: DeliveryEngine
) -> None:
    send_at = (clock.now() + timedelta(hours=1)).isoformat()
    form = {"To": PERSON, "MessagingServiceSid": world.add_service(SENDER).sid, "Body": "x"}
    message = api.post("/Messages.json", data=form | {"ScheduleType": "fixed", "SendAt": send_at}).json()
    path = f"/Messages/{message['sid']}.json"
    assert message["status"] == "scheduled"
    assert api.post(path, data={"Status": "canceled"}).json()["status"] == "canceled"
    engine.flush()
    assert api.get(path).json()["status"] == "canceled"
    assert api.post(path, data={"Status": "canceled"}).json()["code"] == 30409


def test_a_throttled_call_is_429_with_20429_and_takes_nothing(
    api: httpx.Client, world: TwilioWorld, faults: Faults
) -> None:
    faults.arm("twilio.messages.create", "status", status=429)
    answer = api.post("/Messages.json", data=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (429, 20429)
    assert "Twilio-Concurrent-Requests" in answer.headers
    assert world.messages() == []
    assert api.post("/Messages.json", data=GOOD).status_code == 201


def test_too_many_calls_at_once_are_429(api: httpx.Client, world: TwilioWorld) -> None:
    world.max_concurrent = 0
    assert api.post("/Messages.json", data=GOOD).json()["code"] == 20429


def test_every_operation_is_counted(api: httpx.Client, world: TwilioWorld) -> None:
    api.post("/Messages.json", data=GOOD)
    api.get("/Messages.json")
    api.get("/Messages/SM00.json")
    assert world.calls == {"messages.create": 1, "messages.list": 1, "messages.fetch": 1}
