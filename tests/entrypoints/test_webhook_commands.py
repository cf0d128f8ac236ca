"""Can an operator let a system deliver webhooks, and see what one of them becomes before the first one comes?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.domain.timeline import EntryKind
from tests.entrypoints.operated import Operated, operated, run

FIXTURES = Path(__file__).parents[1] / "adapters" / "webhooks" / "fixtures"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def operator(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as operator:
        yield operator


def test_an_address_is_opened_listed_renewed_and_closed(operator: Operated) -> None:
    added = run("webhook", "add", "--source", "stripe")
    url = f"http://localhost:8000/webhooks/generic/stripe/{operator.account_id}"
    assert added.exit_code == 0
    secret = added.stdout.splitlines()[1].removeprefix("secret: ")
    assert added.stdout.splitlines()[0] == f"url: {url}"
    assert len(secret) >= 32
    assert secret not in url
    (listed,) = json.loads(run("webhook", "list", "--json").stdout)
    assert (listed["source"], listed["url"], listed["last_secret_until"]) == ("stripe", url, None)
    rotated = run("webhook", "rotate", "--source", "stripe")
    assert "holds until" in rotated.stderr
    assert json.loads(run("webhook", "list", "--json").stdout)[0]["last_secret_until"] is not None
    text = run("webhook", "list").stdout
    assert "the secret before it until" in text
    assert secret not in text
    assert run("webhook", "remove", "--source", "stripe").stdout == "stripe is closed\n"
    assert json.loads(run("webhook", "list", "--json").stdout) == []


def test_a_secret_that_the_other_system_made_is_taken_and_not_shown(operator: Operated, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_made_by_the_other_side\n")
    added = run("webhook", "add", "--source", "stripe", "--secret-from", str(file))
    assert "whsec" not in added.output
    endpoint = operator.connector.webhook_intake.endpoint("stripe", operator.account_id)
    assert endpoint is not None
    assert endpoint.secrets == ("whsec_made_by_the_other_side",)
    assert "whsec" not in repr(endpoint)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("webhook", "add", "--source", "strype"), "describes no source strype; there are aftership, app,"),
        (("webhook", "rotate", "--source", "stripe"), "is not open for this account"),
        (("webhook", "remove", "--source", "stripe"), "is not open for this account"),
        (("webhook", "test", str(FIXTURES / "app" / "cart.created.json"), "--source", "x"), "describes no source x"),
    ],
)
def test_what_cannot_be_done_is_said(operator: Operated, arguments: tuple[str, ...], message: str) -> None:
    assert message in str(run(*arguments).exception)


def test_a_second_add_and_a_weak_or_known_secret_are_refused(operator: Operated, tmp_path: Path) -> None:
    weak, good = tmp_path / "weak", tmp_path / "good"
    weak.write_text("secret")
    good.write_text("a-secret-that-is-long-enough")
    assert "shorter than 16" in str(run("webhook", "add", "--source", "app", "--secret-from", str(weak)).exception)
    run("webhook", "add", "--source", "app", "--secret-from", str(good))
    assert "open already" in str(run("webhook", "add", "--source", "app").exception)
    again = run("webhook", "rotate", "--source", "app", "--secret-from", str(good))
    assert "is or was in use" in str(again.exception)


def test_a_webhook_is_shown_as_it_would_be_understood(operator: Operated) -> None:
    file = FIXTURES / "stripe" / "invoice.overdue.json"
    shown = run("webhook", "test", str(file), "--source", "stripe").stdout
    assert "invoice.overdue of stripe.invoice:in_1SVexample0001" in shown
    assert "invoice.balance_due = 1249.50" in shown
    assert "contact: crm_id 9001, then email lea.hartmann@example.com" in shown
    (event,) = json.loads(run("webhook", "test", str(file), "--source", "stripe", "--json").stdout)["events"]
    assert event["values"]["invoice.due_on"] == "2026-11-19"
    with operator.connector.ledger.begin(write=False) as uow:
        assert uow.inbox.waiting(operator.now) == {}


def test_a_webhook_of_which_nothing_becomes_says_why_and_fails(operator: Operated, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('{"type": "invoice.sent"}')
    shown = run("webhook", "test", str(file), "--source", "app")
    assert shown.exit_code == 1
    assert "makes no event: ignored" in shown.stdout


@pytest.mark.parametrize(
    ("journey", "source", "event", "type_", "text"),
    [
        ("invoice-overdue", "stripe", "invoice.overdue", "", "invoice BW-0001-0007 for $1,249.50"),
        ("abandoned-cart", "shopify", "cart.created", "checkouts/create", "your cart ($94.50)"),
        ("delivery-updates", "shopify", "order.fulfillment_changed", "orders/fulfilled", "1042"),
        ("appointment", "calendly", "appointment.booked", "", "Nov"),
        ("payment-failed", "stripe", "payment.failed", "", "4,900"),
        ("invoice-overdue", "app", "invoice.overdue", "", "INV-2026-0007"),
    ],
)
def test_a_shipped_journey_is_played_with_the_webhook_of_a_system(
    operator: Operated, journey: str, source: str, event: str, type_: str, text: str
) -> None:
    file = str(FIXTURES / source / f"{event}.json")
    at = ("--at", "2026-11-20T15:30")
    played = run("simulate", journey, "--event", file, "--source", source, "--type", type_, *at, "--json")
    assert played.exit_code == 0, played.output
    told = json.loads(played.stdout)
    assert text in " ".join(each["body"] for each in told["texts"])
    (entry, *_) = [each for each in told["entries"] if each["kind"] == EntryKind.EVENT_RECEIVED.value]
    assert f"{source}." in entry["summary"]


def test_a_webhook_that_starts_another_journey_is_told_so(operator: Operated) -> None:
    file = str(FIXTURES / "stripe" / "invoice.paid.json")
    refused = run("simulate", "invoice-overdue", "--event", file, "--source", "stripe")
    assert "does not make invoice.overdue" in str(refused.exception)
    assert "invoice.paid, payment.succeeded" in str(refused.exception)
    assert run("simulate", "invoice-overdue", "--source", "stripe").exit_code == 2


def test_a_script_may_tell_values_of_an_event_that_only_webhooks_bring(operator: Operated, tmp_path: Path) -> None:
    events = tmp_path / "mappings" / "events" / "generic.yaml"
    rung = "  bell.rung:\n    on: {source: app, type: bell.rung}\n    record: {bell: $.bell.id}\n"
    rung += "    read: {bell: {floor: {number: $.bell.floor}}}\n    contact: {number: $.phone}\n"
    events.write_text(events.read_text() + rung)
    (tmp_path / "mappings" / "journeys" / "bell.yaml").write_text(
        "journey: bell\ntitle: Bell\npurpose: transactional\ntrigger: {event: bell.rung, where: bell.floor > 2}\n"
        "enroll: {key: bell.id}\nsteps:\n  - send: bell/rung\n"
    )
    (tmp_path / "templates" / "bell").mkdir()
    (tmp_path / "templates" / "bell" / "rung.txt.j2").write_text("Somebody rang on floor {{ bell.floor }}.")
    script = tmp_path / "script.yaml"
    script.write_text("bell: {id: b-1, floor: 3}\nat: 2026-11-20T15:30\n")
    told = json.loads(run("simulate", "bell", "--event", str(script), "--json").stdout)
    assert [each["body"] for each in told["texts"]] == ["Somebody rang on floor 3."]


def test_the_check_tells_that_a_record_of_a_webhook_cannot_be_written(operator: Operated, tmp_path: Path) -> None:
    journey = tmp_path / "mappings" / "journeys" / "review-request.yaml"
    events = tmp_path / "mappings" / "events" / "generic.yaml"
    rung = "  bell.rung:\n    on: {source: app, type: bell.rung}\n    record: {bell: $.bell.id}\n"
    events.write_text(
        events.read_text() + rung + "    read: {bell: {floor: $.bell.floor}}\n    contact: {number: $.p}\n"
    )
    journey.write_text(
        "journey: review-request\ntitle: Bell\npurpose: transactional\ntrigger: {event: bell.rung}\n"
        "enroll: {key: bell.id}\nsteps:\n  - set: {bell.floor: '3'}\n"
    )
    told = run("check").stdout
    assert "`bell.floor` comes with a webhook and is no property of the CRM, so it cannot be written" in told
