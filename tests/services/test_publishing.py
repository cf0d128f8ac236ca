"""Does a publication hold from the next event on, can it be taken back, and what becomes of the people in flight?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.journey_files import journey_from_source
from connector.adapters.store.enrollments import SQLEnrollmentRepository
from connector.domain.journey import Journey
from connector.domain.run import RunState
from connector.domain.timeline import EntryKind
from connector.errors import ConfigurationError
from connector.ports.enrollments import PublicationAction
from connector.services import moving_people
from connector.services.moving_people import Moved, Mover
from connector.services.publications import Hand, JourneyFiles, Outcome, Word
from connector.services.standing import Comparer
from tests.services.theatre import ACCOUNT, REMINDER, START, Theatre

SAM = Hand("sam")
BROKEN = "mappings/journeys/reminder.yaml:5:3: steps[0]: sned is no step"


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"reminder": REMINDER})
    yield theatre
    theatre.close()


def edited(theatre: Theatre, *changes: tuple[str, str], text: str = REMINDER) -> Journey:
    """The journey as its file would be with these pieces of text replaced."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return journey_from_source({**theatre.journeys[0].source, "journey": text})


def publish(theatre: Theatre, *journeys: Journey, names: tuple[str, ...] = (), hand: Hand = SAM) -> list[Outcome]:
    files = JourneyFiles({journey.id: journey for journey in journeys})
    return list(theatre.publisher.publish(ACCOUNT, files, names, hand))


def enroll(theatre: Theatre) -> None:
    """Let another contact's invoice fall overdue, and its text go out."""
    theatre.invoice(theatre.lea())
    theatre.poller.poll_due()
    theatre.work()
    theatre.accept_all()
    theatre.work()


def versions_of_people(theatre: Theatre) -> list[int]:
    with theatre.ledger.begin(write=False) as uow:
        found = [theatre.versions.get(uow, ACCOUNT, row.journey_version_id) for row in theatre.enrollments()]
    return [version.number for version in found if version is not None]


def in_service(theatre: Theatre) -> int | None:
    with theatre.ledger.begin(write=False) as uow:
        service = theatre.versions.in_service(uow, ACCOUNT).get("reminder")
    return None if service is None else service.version


SHORTER = ("wait: 3 days", "wait: 2 days")
SHORTEST = ("wait: 3 days", "wait: 1 day")


def test_a_publication_holds_from_the_next_event_on_without_a_restart(theatre: Theatre) -> None:
    enroll(theatre)
    publish(theatre, edited(theatre, SHORTER))
    theatre.pass_time(hours=1)
    enroll(theatre)
    assert versions_of_people(theatre) == [1, 2]


def test_people_in_flight_finish_on_the_version_they_began_with(theatre: Theatre) -> None:
    enroll(theatre)
    publish(theatre, edited(theatre, SHORTEST))
    theatre.pass_time(days=2)
    theatre.work()
    assert len(theatre.messages()) == 1
    theatre.pass_time(days=1)
    theatre.work()
    assert len(theatre.messages()) == 2


def test_what_has_not_changed_stays_as_it_is(theatre: Theatre) -> None:
    (outcome,) = publish(theatre, theatre.journeys[0])
    assert (outcome.word, outcome.version) == (Word.UNCHANGED, 1)
    with theatre.ledger.begin(write=False) as uow:
        assert len(uow.publications.history(ACCOUNT, "reminder")) == 1


def test_a_broken_file_leaves_the_version_in_service_and_says_so(theatre: Theatre) -> None:
    files = JourneyFiles({}, {"reminder": BROKEN})
    (outcome,) = theatre.publisher.publish(ACCOUNT, files, (), SAM)
    assert (outcome.word, outcome.version, outcome.why) == (Word.BROKEN, 1, f"version 1 runs on; {BROKEN}")
    assert in_service(theatre) == 1


def test_a_broken_file_that_was_never_published_is_off(theatre: Theatre) -> None:
    files = JourneyFiles({"reminder": theatre.journeys[0]}, {"winback": BROKEN})
    outcomes = theatre.publisher.publish(ACCOUNT, files, (), SAM)
    assert [(each.journey, each.version, each.why) for each in outcomes if each.word is Word.BROKEN] == [
        ("winback", None, f"it stays off; {BROKEN}")
    ]


def test_a_journey_whose_file_is_gone_is_retired_and_says_so(theatre: Theatre) -> None:
    other = replace(edited(theatre), id="other", hash="another")
    enroll(theatre)
    outcomes = {each.journey: each for each in publish(theatre, other)}
    assert outcomes["reminder"].word is Word.RETIRED
    assert "its file is gone; people in it finish on version 1" in outcomes["reminder"].why
    theatre.pass_time(days=3)
    theatre.work()
    assert len(theatre.messages()) == 2


def test_publishing_one_by_its_name_retires_nothing(theatre: Theatre) -> None:
    other = replace(edited(theatre), id="other", hash="another")
    publish(theatre, other, names=("other",))
    assert in_service(theatre) == 1


def test_a_folder_without_journeys_retires_nothing(theatre: Theatre) -> None:
    with pytest.raises(ConfigurationError, match="no journey file"):
        publish(theatre)
    assert in_service(theatre) == 1


def test_a_name_without_a_file_is_refused_and_names_what_there_is(theatre: Theatre) -> None:
    with pytest.raises(ConfigurationError, match=r"no journey file remindr\.yaml; there are reminder"):
        publish(theatre, theatre.journeys[0], names=("remindr",))


def test_a_file_that_came_back_is_published_again(theatre: Theatre) -> None:
    publish(theatre, replace(edited(theatre), id="other", hash="another"))
    assert in_service(theatre) is None
    publish(theatre, theatre.journeys[0])
    assert in_service(theatre) == 1


def test_a_dry_run_tells_and_does_nothing(theatre: Theatre) -> None:
    (outcome,) = publish(theatre, edited(theatre, SHORTER), hand=Hand("sam", is_dry_run=True))
    assert (outcome.word, outcome.version, outcome.why) == (Word.PUBLISHED, 2, "instead of version 1")
    assert in_service(theatre) == 1


def test_a_rollback_puts_the_version_before_in_service_for_the_next_event(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, SHORTER))
    outcome = theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    assert (outcome.word, outcome.version, outcome.why) == (Word.ROLLED_BACK, 1, "instead of version 2")
    enroll(theatre)
    assert versions_of_people(theatre) == [1]


def test_rolling_back_twice_goes_back_two_versions(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, SHORTER))
    publish(theatre, edited(theatre, SHORTEST))
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    assert in_service(theatre) == 2
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    assert in_service(theatre) == 1


def test_a_rollback_to_a_number_takes_that_one(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, SHORTER))
    publish(theatre, edited(theatre, SHORTEST))
    theatre.publisher.roll_back(ACCOUNT, "reminder", 1, SAM)
    assert in_service(theatre) == 1


@pytest.mark.parametrize(
    ("journey", "to", "why"),
    [
        ("reminder", None, "reminder has no earlier version; take it out of service with: smsctl retire reminder"),
        ("reminder", 7, "reminder has no version 7; there are 1"),
        ("reminder", 1, "version 1 is in service already"),
        ("remindr", None, "remindr was never published"),
    ],
)
def test_a_rollback_that_cannot_be_says_why(theatre: Theatre, journey: str, to: int | None, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        theatre.publisher.roll_back(ACCOUNT, journey, to, SAM)


def test_what_was_rolled_back_is_published_again_only_by_its_name(theatre: Theatre) -> None:
    file = edited(theatre, SHORTER)
    publish(theatre, file)
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, Hand("kim"))
    (outcome,) = publish(theatre, file)
    assert (outcome.word, outcome.version) == (Word.WITHHELD, 1)
    assert "rolled back by kim at 2026-11-20 14:00 UTC (version 2)" in outcome.why
    assert "smsctl publish reminder" in outcome.why
    publish(theatre, file, names=("reminder",))
    assert in_service(theatre) == 2


def test_an_edited_file_is_published_after_a_rollback(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, SHORTER))
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    publish(theatre, edited(theatre, SHORTEST))
    assert in_service(theatre) == 3


def test_a_retired_journey_takes_nobody_in_and_does_not_come_back_by_itself(theatre: Theatre) -> None:
    theatre.publisher.retire(ACCOUNT, "reminder", SAM)
    enroll(theatre)
    assert theatre.enrollments() == []
    (outcome,) = publish(theatre, theatre.journeys[0])
    assert outcome.word is Word.WITHHELD
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    assert in_service(theatre) == 1


def test_what_is_not_in_service_cannot_be_retired(theatre: Theatre) -> None:
    with pytest.raises(ConfigurationError, match="other is not in service"):
        theatre.publisher.retire(ACCOUNT, "other", SAM)


def test_publications_say_who_did_what_and_when(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, SHORTER))
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, Hand("kim"))
    with theatre.ledger.begin(write=False) as uow:
        history = uow.publications.history(ACCOUNT, "reminder")
    assert [(each.action, each.published_by, each.at) for each in history] == [
        (PublicationAction.PUBLISH, "the author", START),
        (PublicationAction.PUBLISH, "sam", START),
        (PublicationAction.ROLLBACK, "kim", START),
    ]


def test_an_account_that_published_before_is_not_started_anew(theatre: Theatre) -> None:
    theatre.publisher.retire(ACCOUNT, "reminder", SAM)
    files = JourneyFiles({"reminder": edited(theatre, SHORTER)})
    assert theatre.publisher.publish_first(ACCOUNT, files, "account add") == ()
    assert in_service(theatre) is None


def test_a_version_that_this_program_no_longer_reads_takes_nobody_in(theatre: Theatre) -> None:
    publish(
        theatre, replace(edited(theatre), hash="later", source={"journey": "steps: {", "templates": {}, "file": "x"})
    )
    enroll(theatre)
    assert theatre.enrollments() == []
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM)
    enroll(theatre)
    assert len(theatre.enrollments()) == 2


SPLIT = REMINDER.replace(
    "  - wait: 3 days",
    """  - id: tone
    split:
      arms:
        friendly: {then: [{send: {text: "Hello dear"}}]}
        firm: {then: [{send: reminder/first}]}
  - wait: 3 days""",
)


def test_arms_that_say_something_else_under_the_same_id_are_warned_of(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, text=SPLIT))
    retold = edited(theatre, ("Hello dear", "Hi dear"), text=SPLIT)
    source = {**retold.source, "templates": {path: f"{text} Now!" for path, text in retold.templates.items()}}
    both = journey_from_source(source)
    found = Comparer(theatre.ledger, theatre.versions).compare(ACCOUNT, both).differences
    assert found is not None
    assert found.retold == {"tone": ("friendly", "firm")}
    (outcome,) = publish(theatre, retold)
    (warning,) = outcome.warnings
    assert warning.startswith("split tone: friendly would say something else, but what was counted and who has won")


def test_a_split_with_a_new_id_or_the_same_texts_is_not_warned_of(theatre: Theatre) -> None:
    publish(theatre, edited(theatre, text=SPLIT))
    anew = edited(theatre, ("Hello dear", "Hi dear"), ("id: tone", "id: tone-2"), text=SPLIT)
    heavier = edited(theatre, ("friendly: {then", "friendly: {weight: 9, then"), text=SPLIT)
    assert [publish(theatre, each)[0].warnings for each in (heavier, anew)] == [(), ()]


# Moving people


def stand(theatre: Theatre) -> str:
    return RunState.from_json(theatre.enrollment().state["run"]).cursor


def test_people_move_with_the_step_they_stand_at(theatre: Theatre) -> None:
    enroll(theatre)
    assert stand(theatre) == "steps[1]"
    before = ("  - wait: 3 days", "  - task: {for: owner, title: Overdue}\n  - wait: 3 days")
    (outcome,) = publish(theatre, edited(theatre, before), hand=Hand("sam", {}))
    assert outcome.moved is not None
    assert (outcome.moved.moved, outcome.moved.staying) == (1, ())
    assert (stand(theatre), versions_of_people(theatre)) == ("steps[2]", [2])
    theatre.pass_time(days=3)
    theatre.work()
    assert len(theatre.messages()) == 2
    assert "Moved from version 1 of reminder to version 2, from steps[1] to steps[2]" in theatre.summaries(
        EntryKind.STEP_TAKEN
    )


def test_a_moved_wait_counts_from_when_it_was_entered(theatre: Theatre) -> None:
    enroll(theatre)
    theatre.pass_time(hours=36)
    publish(theatre, edited(theatre, SHORTEST), hand=Hand("sam", {}))
    theatre.work()
    assert len(theatre.messages()) == 2


def test_somebody_whose_step_is_gone_stays_and_is_named(theatre: Theatre) -> None:
    enroll(theatre)
    gone = edited(theatre, ("  - wait: 3 days\n", ""))
    (outcome,) = publish(theatre, gone, hand=Hand("sam", {}))
    assert outcome.moved is not None
    (staying,) = outcome.moved.staying
    assert staying.enrollment_id == theatre.enrollment().id
    assert staying.why == "step steps[1] has no counterpart in version 2"
    assert versions_of_people(theatre) == [1]


def test_a_mapping_takes_people_to_another_step(theatre: Theatre) -> None:
    enroll(theatre)
    new = edited(theatre, ("  - wait: 3 days\n  - send", "  - id: last\n    send"))
    (outcome,) = publish(theatre, new, hand=Hand("sam", {"steps[1]": "last"}))
    assert outcome.moved is not None
    assert outcome.moved.moved == 1
    theatre.work()
    assert len(theatre.messages()) == 2


def test_a_step_that_does_not_exist_is_no_place_to_move_to(theatre: Theatre) -> None:
    enroll(theatre)
    with pytest.raises(ConfigurationError, match="version 2 of reminder has no step lst; it has steps"):
        publish(theatre, edited(theatre, SHORTER), hand=Hand("sam", {"first": "lst"}))
    assert in_service(theatre) == 1


@pytest.mark.parametrize(
    ("slip", "hint"),
    [("steps[11]", r"did you mean steps\[1\]\?"), ("zzz", r"there are steps\[0\], steps\[1\], steps\[2\]")],
)
def test_a_step_that_nobody_can_stand_at_is_refused_before_anything_is_published(
    theatre: Theatre, slip: str, hint: str
) -> None:
    enroll(theatre)
    with pytest.raises(ConfigurationError, match=rf"reminder: nobody is on a version with a step .*; {hint}"):
        publish(theatre, edited(theatre, SHORTER), hand=Hand("sam", {slip: "steps[1]"}))
    assert in_service(theatre) == 1


def test_where_nobody_is_left_to_be_moved_no_step_is_missed(theatre: Theatre) -> None:
    enroll(theatre)
    new, hand = edited(theatre, SHORTER), Hand("sam", {"steps[1]": "steps[1]"})
    publish(theatre, new, hand=hand)
    (again,) = publish(theatre, new, hand=replace(hand, moves={"of old": "steps[1]"}))
    assert again.moved == Moved()


def test_a_move_that_is_broken_off_has_moved_some_and_moves_the_rest_when_it_is_done_again(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving_people, "PAGE", 1)
    for _ in range(3):
        enroll(theatre)
        theatre.pass_time(hours=1)
    move_page, pages = Mover.move_page, count(1)

    def breaks_off(*arguments: Any) -> tuple[Moved, str]:
        if next(pages) == 2:
            raise KeyboardInterrupt
        return move_page(*arguments)

    new, hand = edited(theatre, SHORTER), Hand("sam", {})
    with monkeypatch.context() as patched:
        patched.setattr(Mover, "move_page", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            publish(theatre, new, hand=hand)
    assert (in_service(theatre), sorted(versions_of_people(theatre))) == (2, [1, 1, 2])
    (outcome,) = publish(theatre, new, hand=hand)
    assert (outcome.word, outcome.moved) == (Word.UNCHANGED, Moved(2))
    assert versions_of_people(theatre) == [2, 2, 2]


def test_a_dry_run_tells_who_would_move_and_leaves_them_where_they_are(theatre: Theatre) -> None:
    enroll(theatre)
    (outcome,) = publish(theatre, edited(theatre, SHORTER), hand=Hand("sam", {}, is_dry_run=True))
    assert outcome.moved == Moved(1)
    assert versions_of_people(theatre) == [1]


def test_only_a_move_locks_people(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(theatre)
    read, locks = SQLEnrollmentRepository.live_of_journey, list[bool]()

    def watched(repository: Any, *arguments: Any, is_locked: bool) -> Any:
        locks.append(is_locked)
        return read(repository, *arguments, is_locked=is_locked)

    monkeypatch.setattr(SQLEnrollmentRepository, "live_of_journey", watched)
    new = edited(theatre, SHORTER)
    Comparer(theatre.ledger, theatre.versions).compare(ACCOUNT, new)
    publish(theatre, new, hand=Hand("sam", {}, is_dry_run=True))
    publish(theatre, new, hand=Hand("sam", {}))
    assert locks == [False, False, True]


def test_people_can_be_moved_after_the_publication_and_back_with_a_rollback(theatre: Theatre) -> None:
    enroll(theatre)
    new = edited(theatre, SHORTER)
    publish(theatre, new)
    publish(theatre, new, hand=Hand("sam", {}))
    assert versions_of_people(theatre) == [2]
    theatre.publisher.roll_back(ACCOUNT, "reminder", None, Hand("sam", {}))
    assert versions_of_people(theatre) == [1]


def test_nobody_is_moved_from_under_the_worker_that_is_at_their_enrollment(theatre: Theatre) -> None:
    enroll(theatre)
    theatre.pass_time(days=3)
    now = theatre.clock.now()
    with theatre.ledger.begin() as uow:
        (claimed,) = uow.enrollments.claim(10, now, now + timedelta(minutes=5))
        uow.commit()
    (outcome,) = publish(theatre, edited(theatre, SHORTER), hand=Hand("sam", {}))
    assert outcome.moved is not None
    assert (outcome.moved.moved, outcome.moved.busy) == (0, 1)
    with theatre.ledger.begin() as uow:
        uow.enrollments.save(claimed)
        uow.commit()
    assert theatre.publisher.move(ACCOUNT, "reminder", SAM).moved == 1
    assert versions_of_people(theatre) == [2]


def test_a_comparison_says_where_people_stand_and_where_they_would_go(theatre: Theatre) -> None:
    enroll(theatre)
    theatre.pass_time(hours=1)
    enroll(theatre)
    comparer = Comparer(theatre.ledger, theatre.versions)
    found = comparer.compare(ACCOUNT, edited(theatre, SHORTER))
    assert [(each.version, each.step, each.people, each.moves_to) for each in found.standing] == [
        (1, "steps[1]", 2, "steps[1]")
    ]
    assert found.differences is not None
    assert [(each.where, each.old, each.new) for each in found.differences.steps] == [("steps[1]", "3 days", "2 days")]


def test_people_are_compared_and_moved_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    theatre = Theatre(tmp_path, postgres_url, {"reminder": REMINDER})
    enroll(theatre)
    new = edited(theatre, SHORTER)
    (standing,) = Comparer(theatre.ledger, theatre.versions).compare(ACCOUNT, new).standing
    assert (standing.people, standing.moves_to) == (1, "steps[1]")
    (outcome,) = publish(theatre, new, hand=Hand("sam", {}))
    assert outcome.moved is not None
    assert outcome.moved.moved == 1
    assert versions_of_people(theatre) == [2]
    theatre.close()


def publish_own(theatre: Theatre, journey: Journey) -> Outcome:
    return theatre.publisher.publish_own(ACCOUNT, JourneyFiles({journey.id: journey}), SAM)[0]


def test_a_release_leaves_alone_what_an_account_has_of_its_own(theatre: Theatre) -> None:
    assert publish_own(theatre, edited(theatre, SHORTER)).word is Word.PUBLISHED
    left = publish(theatre, edited(theatre, SHORTEST))[0]
    assert (left.word, left.version) == (Word.OWN, 2)
    assert in_service(theatre) == 2
    other = replace(edited(theatre, SHORTEST), id="other")
    publish(theatre, other)
    assert in_service(theatre) == 2  # and a folder that has no such file does not retire it


def test_naming_an_owned_journey_for_its_account_puts_the_shared_one_back(theatre: Theatre) -> None:
    publish_own(theatre, edited(theatre, SHORTER))
    names = ("reminder",)
    assert publish(theatre, edited(theatre), names=names)[0].word is Word.OWN
    back = publish(theatre, edited(theatre), names=names, hand=replace(SAM, replaces_own=True))[0]
    assert (back.word, back.version) == (Word.PUBLISHED, 1)
    assert publish(theatre, edited(theatre, SHORTEST))[0].word is Word.PUBLISHED


def test_a_journey_that_is_the_same_as_the_shared_one_can_be_made_the_accounts_own(theatre: Theatre) -> None:
    assert publish_own(theatre, edited(theatre)).word is Word.PUBLISHED
    assert publish(theatre, edited(theatre, SHORTER))[0].word is Word.OWN
    assert publish_own(theatre, edited(theatre)).word is Word.UNCHANGED


@pytest.mark.parametrize("is_retired", [False, True])
def test_an_owned_journey_stays_owned_when_it_is_retired_or_rolled_back(theatre: Theatre, *, is_retired: bool) -> None:
    publish_own(theatre, edited(theatre, SHORTER))
    publish_own(theatre, edited(theatre, SHORTEST))
    if is_retired:
        theatre.publisher.retire(ACCOUNT, "reminder", SAM)
    else:
        assert theatre.publisher.roll_back(ACCOUNT, "reminder", None, SAM).version == 2
    assert publish(theatre, edited(theatre, ("3 days", "4 days")))[0].word is Word.OWN
    assert in_service(theatre) == (None if is_retired else 2)


def test_rolling_back_to_a_shared_version_follows_the_files_again(theatre: Theatre) -> None:
    publish_own(theatre, edited(theatre, SHORTER))
    theatre.publisher.roll_back(ACCOUNT, "reminder", 1, SAM)
    assert publish(theatre, edited(theatre, SHORTEST))[0].word is Word.PUBLISHED
