"""Who is let in, what is kept, and what is answered to those who are not?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from connector.sandbox.hubspot.signing import sign_v3
from connector.sandbox.twilio.sandbox import AUTH_TOKEN, SENDER
from connector.sandbox.twilio.signing import SIGNATURE_HEADER, sign
from tests.e2e.rig import CLIENT_SECRET, Rig
from tests.e2e.scene import BOOKED, Scene

WEBHOOKS = "/webhooks/hubspot"


def deliver(rig: Rig, body: bytes, *, secret: str = CLIENT_SECRET, age: timedelta = timedelta()) -> httpx.Response:
    """Post a webhook as HubSpot does."""
    sent_at = str(int((rig.clock.now() - age).timestamp() * 1000))
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Request-Timestamp": sent_at,
        "X-HubSpot-Signature-v3": sign_v3("POST", f"{rig.url}{WEBHOOKS}", body, sent_at, secret),
    }
    return rig.http.post(WEBHOOKS, content=body, headers=headers)


def call_back(rig: Rig, path: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN) -> httpx.Response:
    """Post a callback as Twilio does."""
    return rig.http.post(path, data=dict(form), headers={SIGNATURE_HEADER: sign(token, f"{rig.url}{path}", form)})


def events(scene: Scene) -> list[dict[str, Any]]:
    """The events of a contact's deal that reaches the stage, not delivered yet."""
    deal = scene.deal(scene.person())
    scene.rig.webhooks.flush()
    scene.rig.hubspot.update(scene.portal_id, "deals", deal, {"dealstage": BOOKED})
    return [event | {"attemptNumber": 0} for event in scene.rig.webhooks.waiting]


def test_one_batch_may_hold_events_of_several_portals_and_of_strangers(scene: Scene) -> None:
    other = Scene(scene.rig)
    batch = events(scene)
    deal = other.deal(someone := other.person())
    scene.rig.webhooks.flush()
    other.rig.hubspot.update(other.portal_id, "deals", deal, {"dealstage": BOOKED})
    batch += other.rig.webhooks.waiting
    stranger = batch[0] | {"portalId": 99}
    answer = deliver(scene.rig, json.dumps([*batch, stranger]).encode())
    assert (answer.status_code, answer.json()["foreign"]) == (200, 1)
    other.gets(someone.number, "your demo")
    scene.rig.webhooks.flush()
    scene.books.settle()
    other.books.check()
    assert (scene.books.states(), other.books.states()) == ({"delivered": 1}, {"delivered": 1})


def test_same_webhook_delivered_ten_times_is_one_text(scene: Scene) -> None:
    body = json.dumps(events(scene)).encode()
    answers = [deliver(scene.rig, body).json() for _ in range(10)]
    assert [answer["new"] for answer in answers] == [1] + [0] * 9
    scene.books.settle()
    assert scene.books.states() == {"delivered": 1}


def test_unknown_portal_is_answered_2xx_and_not_kept(rig: Rig, scene: Scene) -> None:
    answer = deliver(rig, json.dumps([event | {"portalId": 99} for event in events(scene)]).encode())
    assert (answer.status_code, answer.json()) == (200, {"new": 0, "known": 0, "foreign": 1})


def test_signed_body_that_is_no_json_is_kept_and_answered_2xx(rig: Rig, scene: Scene) -> None:
    assert deliver(rig, b'[{"eventId": 1,').status_code == 200
    [row] = scene.books.inbox("hubspot.unreadable")
    assert row.outcome == "unreadable: the body is not JSON"


def test_forged_old_future_and_oversize_webhooks_are_refused_and_not_kept(rig: Rig, scene: Scene) -> None:
    body = json.dumps(events(scene)).encode()
    before = len(scene.books.inbox("hubspot"))
    assert deliver(rig, body, secret="somebody else's").status_code == 401
    assert deliver(rig, body, age=timedelta(minutes=6)).status_code == 401
    assert deliver(rig, body, age=-timedelta(minutes=6)).status_code == 401
    assert rig.http.post(WEBHOOKS, content=body).status_code == 401
    assert deliver(rig, b" " * (1024 * 1024 + 1)).status_code == 413
    assert len(scene.books.inbox("hubspot")) == before


def test_forged_callbacks_are_refused_and_not_kept(rig: Rig, scene: Scene) -> None:
    form = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered", "From": "+12025550143", "To": SENDER}
    for path in (
        "/callbacks/twilio/status/abc",
        "/callbacks/twilio/status?attempt_id=abc",
        "/callbacks/twilio/inbound",
    ):
        assert call_back(rig, path, form, token="forged").status_code == 401
        assert rig.http.post(path, data=form).status_code == 401
    assert not scene.books.inbox("twilio.status")
    assert not scene.books.inbox("twilio.inbound")
    assert call_back(rig, "/callbacks/nobody/status", form).status_code == 404


def test_receipt_for_no_attempt_of_ours_is_taken_and_waits(rig: Rig, scene: Scene) -> None:
    form = {"MessageSid": "SM" + "0" * 32, "MessageStatus": "delivered", "SomethingNew": "ünïcode"}
    assert call_back(rig, "/callbacks/twilio/status?attempt_id=nobody", form).status_code == 200
    [row] = scene.books.inbox("twilio.status")
    assert row.handled_at is None


def test_health_is_told(rig: Rig, scene: Scene) -> None:
    assert rig.http.get("/healthz").json() == {"status": "ok"}
    assert rig.http.get("/readyz").json() == {"status": "ok", "checks": {"ledger": "ok", "redis": "ok"}}
