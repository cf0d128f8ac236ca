"""Does one text ordered by hand go out like every other?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.services.single_texts import SingleTexts, TextOrder
from tests.services.stage import NUMBER, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def _order(stage: Stage, to: str = NUMBER) -> TextOrder:
    return TextOrder("account-1", to, "Your table is ready", idempotency_key="table-7")


def test_a_number_of_no_country_has_none(stage: Stage) -> None:
    """Numbers such as +883 belong to the region 001 ("world"), which is no country."""
    queued = SingleTexts(stage.ledger, "null", stage.clock).queue(_order(stage, "+883510012345"))
    assert queued.country is None


def test_the_same_order_twice_is_one_text(stage: Stage) -> None:
    texts = SingleTexts(stage.ledger, "null", stage.clock)
    assert texts.queue(_order(stage)).id == texts.queue(_order(stage)).id


def test_a_text_to_a_merged_contact_is_shown_on_the_survivor(stage: Stage) -> None:
    stage.change_contact(stage.lea, merged_into="52")
    SingleTexts(stage.ledger, "null", stage.clock).queue(_order(stage))
    stage.drain()
    assert [shown.contact_crm_id for shown in stage.crm.records.values()] == ["52"]
