"""Does a simulation say what really happens? Any journey, and whatever happens in it, played both ways."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from connector.adapters.journey_files import read_journey
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import make_engine
from connector.adapters.yaml_file import read_yaml
from connector.domain import waiting_steps
from connector.domain.best_time import Choice, choose_time
from connector.domain.journey import Journey
from connector.domain.surroundings import Surroundings
from tests.journey_strategies import FILE, NAME, JourneyDocument, journey_documents, world
from tests.rehearsal.happenings import TRIGGERS, Plot, plots
from tests.rehearsal.live import Live
from tests.rehearsal.played import Played
from tests.rehearsal.telling import Telling, differences
from tests.services.theatre import ACCOUNT, START

_FOLLOWED_FOR = timedelta(days=100)

_OTHER = """
journey: other
title: Another journey
purpose: transactional
trigger:
  event: payment.failed
enroll:
  key: contact.id
  again: after exit
steps:
  - send:
      text: "Brightwater: one more thing, {{ contact.first_name | default('there') }}."
  - wait: 1 day
"""


@cache
def _other() -> Journey:
    journey, mistakes = read_journey(read_yaml(_OTHER, "mappings/journeys/other.yaml"), "other", world())
    assert journey is not None, mistakes
    return journey


def _journey(document: JourneyDocument) -> Journey:
    journey, mistakes = read_journey(read_yaml(document.text, FILE), NAME, world())
    assert journey is not None, mistakes
    return journey


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger on disk: making its tables takes longer than a play."""
    path = tmp_path_factory.mktemp("ledger") / "blank"
    engine = make_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="module", autouse=True)
def _one_lot_for_both() -> Iterator[None]:
    """Let the best time be drawn by the step alone: enrollments have other ids in a simulation, so other lots."""

    def choose(around: Surroundings, start: datetime, end: datetime, key: str) -> Choice:
        return choose_time(around, start, end, key.partition(":")[2])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting_steps, "choose_time", choose)
        yield


def _both(blank: Path, journey: Journey, plot: Plot) -> tuple[Telling, Telling]:
    """Play a plot with the real thing, then in a simulation of the events that really came."""
    until, journeys = START + plot.cues[-1].after + _FOLLOWED_FOR, [journey, _other()]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(blank, folder)
        live = Live(Path(folder) / blank.name, journeys)
        try:
            lived, heard = live.play(plot, until), live.heard()
            with live.ledger.begin(write=False) as uow:
                account = uow.accounts.get(ACCOUNT)
        finally:
            live.close()
    return lived, Played(account, journeys, plot).play(heard, until)


_PLAYS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(document=journey_documents(), data=st.data())
@settings(_PLAYS, max_examples=int(os.environ.get("PLAYS", "25")))
def test_a_simulation_says_what_really_happens(blank: Path, document: JourneyDocument, data: st.DataObject) -> None:
    """`PLAYS=1000` looks longer."""
    journey = _journey(document)
    assume(journey.enabled and journey.trigger.event in TRIGGERS)
    plot = data.draw(plots(journey), label="plot")
    note(document.text)
    lived, simulated = _both(blank, journey, plot)
    assert differences(simulated, lived) == []
