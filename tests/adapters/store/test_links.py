"""Does the ledger keep short links, and count who followed them?"""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from connector.adapters.store.tables import click, short_link
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.ledger import Ledger
from connector.ports.links import MOST_CLICKS, ShortLinkRow
from tests.adapters.store.factories import NOW

LINK = ShortLinkRow(
    id="link-1",
    account_id="account-1",
    code="q7Xk2m",
    name="payment",
    url="https://pay.example/invoice/7?token=s3cret",
    message_id="message-1",
    created_at=NOW,
    contact_id="contact-1",
    enrollment_id="enrollment-1",
)


def test_a_link_is_found_by_its_code(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.links.add([])
        work.links.add([LINK, replace(LINK, id="link-2", code="a9Lp4c", name="agenda", contact_id=None)])
        assert work.links.by_code("q7Xk2m") == LINK
        assert work.links.by_code("q7xk2m") is None
        assert [row.name for row in work.links.of_message("message-1")] == ["agenda", "payment"]
        assert work.links.of_message("message-2") == []


def test_a_code_belongs_to_one_link(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.links.add([LINK])
        with pytest.raises((IntegrityError, ValueError)):
            work.links.add([replace(LINK, id="link-2", account_id="account-2")])


def test_where_a_link_leads_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.links.add([LINK])
        work.commit()
    with sql_ledger.engine.connect() as connection:
        sealed = connection.execute(sa.select(short_link.c.url_sealed)).scalar_one()
    assert b"s3cret" not in bytes(sealed)


def test_the_first_click_of_a_person_is_told_from_all_others(ledger: Ledger) -> None:
    other = replace(LINK, id="link-2", code="a9Lp4c")
    with ledger.begin() as work:
        work.links.add([LINK, other])
        assert not work.links.click("click-1", LINK, NOW, is_person=False)
        assert work.links.click("click-2", LINK, NOW, is_person=True)
        assert work.links.click("click-3", other, NOW, is_person=True)
        assert not work.links.click("click-4", LINK, NOW, is_person=True)


def test_a_link_that_is_followed_without_end_fills_no_ledger(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.links.add([LINK])
        for number in range(MOST_CLICKS + 5):
            assert not work.links.click(f"robot-{number}", LINK, NOW, is_person=False)
        assert work.links.click("person-1", LINK, NOW, is_person=True)
        assert not work.links.click("person-2", LINK, NOW, is_person=True)
        work.commit()
    with sql_ledger.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(click)).scalar_one() == MOST_CLICKS + 1


def test_the_first_person_is_told_also_behind_many_programs(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.links.add([LINK])
        for number in range(2 * MOST_CLICKS):
            work.links.click(f"robot-{number}", LINK, NOW, is_person=False)
        assert work.links.click("person-1", LINK, NOW, is_person=True)
        assert not work.links.click("person-2", LINK, NOW, is_person=True)
