"""What a journey wants done outside is done once, tried again while that is safe, and shown to a person if it fails."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.adapters.store.tables import effect
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import (
    ChannelAmbiguousError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
)
from connector.ports.channels import Channel, Delivery
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.enrollments import EnrollmentRow
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import LEASE, EffectRunner
from tests.services.stage import NUMBER, START, KilledError, Killer, MortalLedger, Stage
from tests.services.theatre import MAPPINGS

ACCOUNT = "account-1"
COMPLIANCE = load_compliance(MAPPINGS / "compliance.yaml")
HELLO = {"number": NUMBER, "text": "Hello", "purpose": "transactional", "time_zones": ["Etc/UTC"], "country": "US"}


@dataclass
class Ear:
    """A channel that writes down what it is told; raises what it is given, one per delivery."""

    is_repeatable: bool = False
    errors: list[BaseException | None] = field(default_factory=list)
    told: list[Delivery] = field(default_factory=list)
    answer: Any = None

    def deliver(self, delivery: Delivery) -> Any:
        self.told.append(delivery)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return self.answer


class Scene:
    """A stage with an enrollment and a runner over given channels."""

    def __init__(self, stage: Stage, **channels: Channel) -> None:
        self.stage = stage
        self.runner = self.new_runner(**channels)
        self.enrollment = EnrollmentRow(
            id=stage.ledger.new_id(), account_id=ACCOUNT, contact_id=stage.lea.id, journey="j", journey_version_id="v",
            key="k", epoch=1, subject="deal:7", status="live", state={}, started_at=START,
            due_at=START + timedelta(days=9),
        )  # fmt: skip
        with stage.ledger.begin() as uow:
            assert uow.enrollments.add(self.enrollment)
            uow.commit()

    def new_runner(self, ledger: Any = None, **channels: Channel) -> EffectRunner:
        desk, recorder = EffectDesk(COMPLIANCE), EffectRecorder(random.Random(7))
        return EffectRunner(ledger or self.stage.ledger, channels, desk, recorder, self.stage.clock)

    def want(self, key: str = "key-1", **changes: Any) -> EffectRow:
        now = self.stage.clock.now()
        values: dict[str, Any] = {
            "id": self.stage.ledger.new_id(), "account_id": ACCOUNT, "kind": EffectKind.NOTIFY, "key": key,
            "channel": "alerts", "payload": {"title": "Overdue", "text": "INV-7 is open"}, "not_before": now,
            "expires_at": now + timedelta(hours=24), "created_at": now, "enrollment_id": self.enrollment.id,
            "contact_id": self.stage.lea.id, "path": "steps[2]",
        }  # fmt: skip
        row = EffectRow(**values | changes)
        with self.stage.ledger.begin() as uow:
            assert uow.effects.add(row)
            uow.commit()
        return row

    def row(self, row: EffectRow) -> EffectRow:
        with self.stage.ledger.begin(write=False) as uow:
            found = uow.effects.get(ACCOUNT, row.id)
        assert found is not None
        return found

    def entries(self, *kinds: EntryKind) -> list[TimelineEntry]:
        with self.stage.ledger.begin(write=False) as uow:
            entries = uow.timeline.of_enrollment(ACCOUNT, self.enrollment.id)
        return [entry for entry in entries if entry.kind in kinds]

    def is_awake(self) -> bool:
        with self.stage.ledger.begin(write=False) as uow:
            return uow.enrollments.due_count(self.stage.clock.now()) == 1


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def scene(stage: Stage, ear: Ear) -> Scene:
    return Scene(stage, alerts=ear)


def test_what_is_wanted_is_told_once_and_written_down(scene: Scene, ear: Ear) -> None:
    row = scene.want()
    assert not scene.runner.drain()
    scene.runner.drain()
    assert ear.told == [Delivery(row.id, "Overdue", "INV-7 is open")]
    assert scene.row(row).state is EffectState.DONE
    (entry,) = scene.entries(EntryKind.EFFECT_DONE)
    assert (entry.summary, entry.path, entry.data) == ("Told alerts", "steps[2]", {"key": "key-1", "effect": row.id})


def test_nothing_of_what_was_said_is_on_the_timeline(scene: Scene, ear: Ear) -> None:
    ear.errors = [None, ChannelRefusedError("it answered HTTP 404", status=404)]
    scene.want("a")
    scene.want("b")
    scene.runner.drain()
    told = repr(scene.entries(*EntryKind))
    assert "Overdue" not in told
    assert "INV-7" not in told


def test_the_answer_of_a_call_is_kept_and_wakes_the_journey_that_waits_for_it(scene: Scene, ear: Ear) -> None:
    ear.answer = {"slot": "09:00"}
    row = scene.want(kind=EffectKind.CALL, payload={"data": {"invoice": "INV-7"}}, is_awaited=True)
    assert not scene.is_awake()
    scene.runner.drain()
    assert ear.told[0].data == {"invoice": "INV-7"}
    assert scene.row(row).answer == {"slot": "09:00"}
    assert scene.is_awake()
    assert "journeys" in scene.stage.nudged


def test_a_journey_that_does_not_wait_is_left_alone(scene: Scene) -> None:
    scene.want()
    scene.runner.drain()
    assert not scene.is_awake()


def test_a_refusal_is_final_wakes_the_journey_and_shows_itself_to_a_person(scene: Scene, ear: Ear) -> None:
    ear.errors = [ChannelRefusedError("it answered HTTP 404", status=404)]
    row = scene.want(is_awaited=True)
    scene.runner.drain()
    assert (scene.row(row).state, scene.row(row).error) == (EffectState.FAILED, "it answered HTTP 404")
    failed, attention = scene.entries(EntryKind.EFFECT_FAILED, EntryKind.ATTENTION_NEEDED)
    assert failed.summary == attention.summary == "alerts could not be told: it answered HTTP 404"
    assert failed.data == {"key": "key-1", "effect": row.id, "error": "it answered HTTP 404"}
    assert scene.is_awake()


@pytest.mark.parametrize(
    ("kind", "summary"),
    [
        (EffectKind.HANDOFF, "Could not be passed on to alerts: no"),
        (EffectKind.CALL, "alerts could not be asked: no"),
    ],
)
def test_a_failure_is_told_in_words_of_its_kind(scene: Scene, ear: Ear, kind: EffectKind, summary: str) -> None:
    ear.errors = [ChannelRefusedError("no")]
    scene.want(kind=kind)
    scene.runner.drain()
    assert [entry.summary for entry in scene.entries(EntryKind.EFFECT_FAILED)] == [summary]


def test_what_was_certainly_not_done_is_tried_again_until_it_is(scene: Scene, ear: Ear) -> None:
    ear.errors = [ChannelUnavailableError("down", status=503)] * 3
    row = scene.want()
    for _ in range(30):
        scene.runner.drain()
        scene.stage.pass_time(minutes=1)
    assert scene.row(row).state is EffectState.DONE
    assert {each.id for each in ear.told} == {row.id}
    assert len(ear.told) == 4
    assert scene.entries(EntryKind.EFFECT_FAILED, EntryKind.ATTENTION_NEEDED) == []


def test_the_other_side_says_when_to_come_back(scene: Scene, ear: Ear) -> None:
    ear.errors = [ChannelUnavailableError("throttled", status=429, retry_after=timedelta(hours=1))]
    row = scene.want()
    scene.runner.drain()
    assert scene.row(row).not_before >= scene.stage.clock.now() + timedelta(hours=1)
    scene.stage.pass_time(minutes=59)
    scene.runner.drain()
    assert len(ear.told) == 1


def test_what_has_no_time_left_for_another_try_fails_at_once(scene: Scene, ear: Ear) -> None:
    ear.errors = [ChannelUnavailableError("throttled", retry_after=timedelta(hours=1))]
    row = scene.want(expires_at=START + timedelta(minutes=5), is_awaited=True)
    scene.runner.drain()
    assert scene.row(row).error == "throttled; its time ends before another try"
    assert scene.is_awake()


def test_what_was_found_too_late_is_not_done_any_more(scene: Scene, ear: Ear) -> None:
    row = scene.want(expires_at=START + timedelta(minutes=5))
    scene.stage.pass_time(minutes=5)
    scene.runner.drain()
    assert ear.told == []
    assert scene.row(row).error == "its time is over"


def test_what_may_have_arrived_is_not_told_again_where_nobody_would_know_it(scene: Scene, ear: Ear) -> None:
    ear.errors = [ChannelAmbiguousError("no answer in time")]
    row = scene.want()
    scene.runner.drain()
    assert scene.row(row).error == "no answer in time; it may have arrived, so it is not sent again"
    scene.stage.pass_time(hours=1)
    scene.runner.drain()
    assert len(ear.told) == 1


def test_what_may_have_arrived_is_told_again_under_its_id_where_that_is_known(scene: Scene, ear: Ear) -> None:
    ear.is_repeatable, ear.errors = True, [ChannelAmbiguousError("no answer in time")]
    row = scene.want()
    scene.runner.drain()
    scene.stage.pass_time(minutes=1)
    scene.runner.drain()
    assert [each.id for each in ear.told] == [row.id, row.id]
    assert scene.row(row).state is EffectState.DONE


@pytest.mark.parametrize("is_repeatable", [True, False])
@pytest.mark.parametrize("boundary", range(4))
def test_a_worker_that_dies_at_any_commit_leaves_nothing_told_twice_and_nothing_forgotten(
    scene: Scene, ear: Ear, boundary: int, is_repeatable: bool
) -> None:
    ear.is_repeatable = is_repeatable
    row = scene.want()
    mortal = scene.new_runner(MortalLedger(scene.stage.ledger, Killer(boundary)), alerts=ear)
    with pytest.raises(KilledError):
        mortal.drain()
    scene.stage.pass_time(seconds=LEASE.total_seconds())
    scene.runner.drain()
    assert scene.row(row).state in {EffectState.DONE, EffectState.FAILED}
    if is_repeatable:
        assert scene.row(row).state is EffectState.DONE
    else:
        assert len(ear.told) <= 1
        assert (scene.row(row).state is EffectState.DONE) or scene.entries(EntryKind.ATTENTION_NEEDED)


def test_a_defect_of_a_channel_counts_as_perhaps_done_and_stops_nobody_else(stage: Stage) -> None:
    broken, ear = Ear(errors=[ValueError("oops: +12025550143")]), Ear()
    scene = Scene(stage, broken=broken, alerts=ear)
    bad, good = scene.want("bad", channel="broken"), scene.want("good")
    scene.runner.drain()
    assert scene.row(good).state is EffectState.DONE
    assert scene.row(bad).error.startswith("the delivery ended in a defect (ValueError)")
    assert NUMBER not in scene.row(bad).error


def test_a_channel_nobody_knows_is_waited_for_and_named_in_the_end(scene: Scene) -> None:
    row = scene.want(channel="allerts", expires_at=START + timedelta(minutes=3))
    scene.runner.drain()
    assert (scene.row(row).state, scene.row(row).error) == (EffectState.WAITING, "there is no channel allerts")
    for _ in range(3):
        scene.stage.pass_time(minutes=1)
        scene.runner.drain()
    assert scene.row(row).state is EffectState.FAILED
    assert "there is no channel allerts" in scene.row(row).error


def test_a_channel_that_does_not_answer_rests_and_the_others_do_not_wait_for_it(stage: Stage) -> None:
    slow, ear = Ear(errors=[ChannelUnavailableError("down")] * 99), Ear()
    scene = Scene(stage, slow=slow, alerts=ear)
    for number in range(20):
        scene.want(f"slow-{number}", channel="slow")
    scene.want("last")
    scene.runner.drain()
    assert len(ear.told) == 1
    assert 0 < len(slow.told) <= 8


def test_a_channel_that_is_back_gets_everything_that_waited(stage: Stage) -> None:
    slow = Ear(errors=[ChannelUnavailableError("down")] * 8)
    scene = Scene(stage, slow=slow)
    rows = [scene.want(f"slow-{number}", channel="slow") for number in range(20)]
    for _ in range(60):
        scene.runner.drain()
        scene.stage.pass_time(seconds=30)
    assert {scene.row(row).state for row in rows} == {EffectState.DONE}


@pytest.mark.parametrize(("scope", "is_told"), [(Scope.ALL, False), (Scope.MARKETING, True)])
def test_a_number_that_has_opted_out_gets_no_message_by_another_way(stage: Stage, scope: Scope, is_told: bool) -> None:
    ear = Ear()
    scene = Scene(stage, whatsapp=ear)
    said = ConsentEvent("c1", ACCOUNT, NUMBER, ConsentKind.OPT_OUT, scope, Mechanism.KEYWORD, "message:1", START)
    with stage.ledger.begin() as uow:
        uow.consents.record(said)
        uow.consents.suppress(said)
        uow.commit()
    row = scene.want(kind=EffectKind.HANDOFF, channel="whatsapp", payload=HELLO)
    scene.runner.drain()
    assert bool(ear.told) is is_told
    assert scene.row(row).error == ("" if is_told else "the number has opted out")


def test_an_answer_the_ledger_refuses_once_is_recorded_all_the_same(
    scene: Scene, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, refused = EffectRecorder.record, list[bool]()

    def refuse_once(self: EffectRecorder, *args: Any) -> None:
        if not refused:
            refused.append(True)
            raise RuntimeError
        record(self, *args)

    monkeypatch.setattr(EffectRecorder, "record", refuse_once)
    row = scene.want()
    scene.runner.drain()
    assert (len(ear.told), scene.row(row).state) == (1, EffectState.DONE)


def test_what_another_worker_has_ended_meanwhile_is_not_told_again_on_the_timeline(scene: Scene, ear: Ear) -> None:
    row = scene.want(is_awaited=True)

    class Overtaken(Ear):
        def deliver(self, delivery: Delivery) -> Any:
            with scene.stage.ledger.begin() as uow:
                assert uow.effects.end(row.id, EffectState.FAILED, scene.stage.clock.at, error="given up elsewhere")
                uow.commit()

    scene.new_runner(alerts=Overtaken()).drain()
    assert scene.row(row).error == "given up elsewhere"
    assert scene.entries(EntryKind.EFFECT_DONE) == []


def test_an_outcome_the_ledger_never_takes_is_left_to_the_lease(
    scene: Scene, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> None:
        raise RuntimeError

    row = scene.want()
    with monkeypatch.context() as patched:
        patched.setattr(EffectRecorder, "record", refuse)
        scene.runner.drain()
    assert scene.row(row).state is EffectState.SENDING
    scene.stage.pass_time(seconds=LEASE.total_seconds())
    scene.runner.drain()
    assert scene.row(row).error == "its worker died with the delivery; it may have arrived, so it is not sent again"
    assert len(ear.told) == 1


def test_more_than_one_round_is_worked_in_one_drain(scene: Scene, ear: Ear) -> None:
    for number in range(50):
        scene.want(f"key-{number}")
    assert not scene.runner.drain()
    assert len({each.id for each in ear.told}) == 50


def test_waiting_grows_with_every_try(scene: Scene, ear: Ear) -> None:
    error: ChannelError = ChannelUnavailableError("down")
    ear.errors = [error] * 12
    row = scene.want()
    for _ in range(12):
        scene.runner.drain()
        scene.stage.clock.at = max(scene.stage.clock.at, scene.row(row).not_before) + timedelta(minutes=2)
    attempts = scene.row(row).attempts
    assert attempts >= 12
    assert scene.row(row).not_before - scene.stage.clock.at <= timedelta(minutes=10)


class FailingLedger:
    """A ledger that refuses its n-th unit of work."""

    def __init__(self, inner: Any, at: int) -> None:
        self._inner, self._left = inner, at
        self.new_id = inner.new_id

    def begin(self, *, write: bool = True) -> Any:
        self._left -= 1
        if self._left == 0:
            raise RuntimeError("deadlock detected")
        return self._inner.begin(write=write)


def test_a_claim_that_fails_takes_no_outcome_with_it(stage: Stage) -> None:
    claimed_again = threading.Event()

    class Ledger(FailingLedger):
        def begin(self, *, write: bool = True) -> Any:
            try:
                return super().begin(write=write)
            except RuntimeError:
                claimed_again.set()
                raise

    class Slow(Ear):
        def deliver(self, delivery: Delivery) -> Any:
            if delivery.text == "slow":
                assert claimed_again.wait(30)
            return super().deliver(delivery)

    ear = Slow()
    scene = Scene(stage, alerts=ear)
    slow = [scene.want(f"slow-{each}", payload={"text": "slow"}) for each in range(3)]
    quick = scene.want("quick", payload={"text": "quick"})
    scene.want("next")
    runner = scene.new_runner(Ledger(stage.ledger, 4), alerts=ear)  # two claims, a record, a claim
    with pytest.raises(RuntimeError, match="deadlock detected"):
        runner.drain()
    assert {scene.row(row).state for row in [*slow, quick]} == {EffectState.DONE}
    scene.runner.drain()
    assert len(ear.told) == 5


class LockLog:
    """A ledger whose units of work note which numbers they lock."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.new_id = inner, inner.new_id
        self.locked: list[list[str]] = []

    def begin(self, *, write: bool = True) -> Any:
        uow = self._inner.begin(write=write)
        lock = uow.lock_numbers

        def noted(account_id: str, numbers: Any) -> None:
            self.locked.append(list(numbers))
            lock(account_id, numbers)

        uow.lock_numbers = noted
        return uow


def test_all_numbers_of_a_claim_are_locked_at_once_and_in_order(stage: Stage) -> None:
    ear, ledger = Ear(), LockLog(stage.ledger)
    scene = Scene(stage, whatsapp=ear)
    numbers = ["+12025550149", "+12025550143", "+12025550147"]
    for number in numbers:
        scene.want(number, kind=EffectKind.HANDOFF, channel="whatsapp", payload={**HELLO, "number": number})
    scene.new_runner(ledger, whatsapp=ear).drain()
    assert len(ear.told) == 3
    assert ledger.locked == [sorted(numbers)]


def say(stage: Stage, kind: ConsentKind, scope: Scope) -> None:
    said = ConsentEvent("c1", ACCOUNT, NUMBER, kind, scope, Mechanism.KEYWORD, "message:1", START)
    with stage.ledger.begin() as uow:
        uow.consents.record(said)
        if kind is ConsentKind.OPT_OUT:
            uow.consents.suppress(said)
        uow.commit()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ConsentKind.OPT_OUT, "the number has opted out of marketing"),
        (ConsentKind.DOUBTFUL, "a reply may have been an opt-out; a person has to look at it"),
        (None, "no consent to marketing is on record for the number"),
        (ConsentKind.OPT_IN, ""),
    ],
)
@pytest.mark.parametrize("purpose", [{"purpose": "marketing"}, {"purpose": ""}])
def test_a_marketing_message_asks_for_consent_whichever_way_it_goes(
    stage: Stage, kind: ConsentKind | None, reason: str, purpose: dict[str, str]
) -> None:
    ear = Ear()
    scene = Scene(stage, whatsapp=ear)
    stage.pass_time(hours=1)
    if kind is not None:
        say(stage, kind, Scope.MARKETING)
    row = scene.want(kind=EffectKind.HANDOFF, channel="whatsapp", payload={**HELLO, **purpose})
    scene.runner.drain()
    assert (bool(ear.told), scene.row(row).error) == (not reason, reason)


def test_a_message_to_a_contact_waits_for_the_hours_of_its_reader(stage: Stage) -> None:
    ear = Ear()
    scene = Scene(stage, whatsapp=ear)
    to_new_york = {**HELLO, "time_zones": ["America/New_York"]}
    stage.clock.at = datetime(2026, 11, 21, 4, tzinfo=UTC)  # 23:00 there; the day begins at 8
    row = scene.want(kind=EffectKind.HANDOFF, channel="whatsapp", payload=to_new_york)
    late = scene.want(
        "late", kind=EffectKind.HANDOFF, channel="whatsapp", payload=to_new_york,
        expires_at=stage.clock.at + timedelta(hours=8),
    )  # fmt: skip
    scene.runner.drain()
    held = scene.row(row)
    assert (held.state, held.attempts, ear.told) == (EffectState.WAITING, 0, [])
    assert held.not_before == datetime(2026, 11, 21, 13, tzinfo=UTC)
    assert scene.row(late).error == "window daytime is closed (America/New_York); its time ends before that is over"
    stage.clock.at = held.not_before
    scene.runner.drain()
    assert scene.row(row).state is EffectState.DONE


def test_a_held_message_is_not_sent_to_who_opted_out_meanwhile_even_if_in_again(stage: Stage) -> None:
    ear = Ear()
    scene = Scene(stage, whatsapp=ear)
    row = scene.want(kind=EffectKind.HANDOFF, channel="whatsapp", payload=HELLO)
    stage.pass_time(minutes=1)
    with stage.ledger.begin() as uow:
        entry = TimelineEntry(
            ACCOUNT, EntryKind.OPTED_OUT, "consent:c1", "", stage.clock.at, "STOP", contact_id=stage.lea.id
        )
        uow.timeline.add([entry])
        uow.commit()
    scene.runner.drain()
    assert (ear.told, scene.row(row).error) == ([], "the contact has opted out since it was asked for")


def test_nothing_goes_to_a_contact_that_was_deleted(stage: Stage) -> None:
    ear = Ear()
    scene = Scene(stage, whatsapp=ear)
    row = scene.want(kind=EffectKind.HANDOFF, channel="whatsapp", payload=HELLO)
    with stage.ledger.begin() as uow:
        uow.contacts.mark_deleted(ACCOUNT, "51", stage.clock.at)
        uow.commit()
    scene.runner.drain()
    assert (ear.told, scene.row(row).error) == ([], "the contact was deleted in the CRM")


def test_what_cannot_be_opened_fails_alone_and_says_so(scene: Scene, ear: Ear) -> None:
    bad, good = scene.want("bad"), scene.want("good")
    with scene.stage.ledger.engine.begin() as connection:
        connection.execute(effect.update().where(effect.c.id == bad.id).values(payload_sealed=b"damaged"))
    scene.runner.drain()
    assert scene.row(good).state is EffectState.DONE
    assert len(ear.told) == 1
    assert (scene.row(bad).state, scene.row(bad).error) == (
        EffectState.FAILED,
        "what it was to say cannot be opened with the keys of this program",
    )


def test_waiting_for_a_channel_that_rests_counts_no_attempt_and_lasts_no_longer_than_the_rest(stage: Stage) -> None:
    ear = Ear(errors=[ChannelUnavailableError("down")])
    scene = Scene(stage, alerts=ear)
    scene.want("first")
    scene.runner.drain()
    row = scene.want("second", expires_at=stage.clock.at + timedelta(seconds=30))
    for _ in range(4):
        scene.runner.drain()
        assert scene.row(row).attempts == 0
        stage.pass_time(seconds=1)
    stage.pass_time(seconds=1)
    scene.runner.drain()
    assert scene.row(row).state is EffectState.DONE


def test_nothing_is_told_for_an_account_that_is_not_active_until_it_is_again(scene: Scene, ear: Ear) -> None:
    row = scene.want()
    for status, told in (("disconnected", 0), ("active", 1)):
        with scene.stage.ledger.begin() as uow:
            uow.accounts.set_status(ACCOUNT, status, "")
            uow.commit()
        assert not scene.runner.drain()
        assert (len(ear.told), scene.row(row).attempts) == (told, 0)


def test_a_slow_system_of_one_account_leaves_threads_to_the_others(stage: Stage) -> None:
    stage.add_account("account-2")
    told_others = threading.Event()

    class Slow(Ear):
        def deliver(self, delivery: Delivery) -> Any:
            if delivery.text == "slow":
                assert told_others.wait(10), "every thread is busy with one account"
            else:
                told_others.set()
            return super().deliver(delivery)

    ear = Slow()
    scene = Scene(stage, alerts=ear)
    slow = [scene.want(f"slow-{each}", payload={"text": "slow"}) for each in range(12)]
    quick = scene.want("quick", account_id="account-2", payload={"text": "quick"})
    scene.runner.drain()
    assert {scene.row(row).state for row in slow} == {EffectState.DONE}
    with stage.ledger.begin(write=False) as uow:
        assert uow.effects.by_keys("account-2", [quick.key])[quick.key].state is EffectState.DONE


def test_a_rest_that_is_long_over_is_forgotten(stage: Stage) -> None:
    scene = Scene(stage, slow=Ear(errors=[ChannelUnavailableError("down")]))
    scene.want("slow", channel="slow", expires_at=stage.clock.at + timedelta(seconds=2))
    scene.runner.drain()
    assert list(scene.runner._resting) == ["slow"]
    stage.pass_time(hours=1)
    scene.runner.drain()
    assert scene.runner._resting == {}
