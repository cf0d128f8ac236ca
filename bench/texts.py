"""Which texts does the bench send, to whom, and how do they get into the ledger?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bench.world import PORTAL_ID, TOKEN
from connector.adapters.store.ids import new_id
from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector, build_connector
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.services.announcing import message_record
from connector.settings import read_settings

NUMBERS = 80_000
"""As many as there are: 800 area codes times the hundred numbers NANP keeps for fiction."""

BODY = "Hi Maya, your appointment with Northgate Services is on Friday at 10:00. Reply RESCHEDULE for another time."

_ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Pacific/Honolulu",
    "Pacific/Auckland", "Australia/Sydney", "Asia/Tokyo", "Asia/Shanghai", "Asia/Karachi", "Asia/Dubai",
    "Europe/Athens", "Europe/London", "Atlantic/Azores", "America/Sao_Paulo",
)  # fmt: skip
_MIDDAY = range(10, 19)  # well inside the window of transactional texts, whatever the hour the bench runs at
_TOGETHER = 500


Way = tuple[str, str]
"""The gateway in whose lane a text begins, and the route that its step asks for."""


@dataclass(frozen=True, slots=True)
class Queued:
    """Where texts are to be queued: an account, and contacts as (our id, the CRM's id)."""

    account_id: str
    contacts: Sequence[tuple[str, str]]


def number(index: int) -> str:
    """Give a number that nobody has."""
    area, line = divmod(index % NUMBERS, 100)
    return f"+1{200 + area}55501{line:02d}"


def daytime_zones(now: datetime) -> list[str]:
    """Give zones in which it is the middle of the day, so that no window is closed; the same kind of work anywhere."""
    return [zone for zone in _ZONES if now.astimezone(ZoneInfo(zone)).hour in _MIDDAY]


@contextmanager
def connector_of(environment: Mapping[str, str]) -> Iterator[Connector]:
    """Build the connector of these settings, as a worker does of its environment, and close what it opens."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        connector = build_connector(read_settings())
    finally:
        os.environ.clear()
        os.environ.update(before)
    try:
        yield connector
    finally:
        for gateway in connector.gateways.values():
            gateway.close()
        connector.ledger.close()
        connector.redis.close()


def prepare_ledger(environment: Mapping[str, str], crm_ids: Sequence[str] = ()) -> Queued:
    """Make the tables of a new ledger, an account and its contacts."""
    account = AccountRow(
        id=new_id(),
        crm="hubspot",
        external_id=PORTAL_ID,
        name="Bench",
        status="active",
        status_reason="",
        settings={"default_region": "US"},
        created_at=datetime.now(UTC),
        access_token=TOKEN,
    )
    with connector_of(environment) as connector:
        migrate(connector.ledger.engine)
        with connector.ledger.begin() as uow:
            uow.accounts.add(account)
            uow.commit()
        return Queued(account.id, add_contacts(connector, account.id, crm_ids))


def add_contacts(connector: Connector, account_id: str, crm_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Keep a snapshot of each contact; give (our id, the CRM's id)."""
    now = datetime.now(UTC)
    rows = [
        ContactRow(
            id=connector.ledger.new_id(),
            account_id=account_id,
            crm="hubspot",
            crm_id=crm_id,
            msisdn=number(index),
            msisdn_reason="mobilephone",
            time_zone=None,
            locale="en",
            country="US",
            owner_id=None,
            attributes={},
            read_at=now,
        )
        for index, crm_id in enumerate(crm_ids)
    ]
    with connector.ledger.begin() as uow:
        kept = [uow.contacts.save(row) for row in rows]
        uow.commit()
    return list(zip(kept, crm_ids, strict=True))


def queue_texts(connector: Connector, queued: Queued, count: int, ways: Sequence[Way] = (("twilio", ""),)) -> list[str]:
    """Queue texts as journeys do: the message, and the wish to show it in the CRM; give the messages' ids.

    The texts take `ways` in turn.
    """
    now = datetime.now(UTC)
    zones = daytime_zones(now)
    ids: list[str] = []
    for first in range(0, count, _TOGETHER):
        with connector.ledger.begin() as uow:
            records = []
            for index in range(first, min(first + _TOGETHER, count)):
                contact_id, crm_id = queued.contacts[index % len(queued.contacts)] if queued.contacts else (None, "")
                gateway, route = ways[index % len(ways)]
                text = _text(connector.ledger.new_id(), queued.account_id, contact_id, index, zones, now)
                uow.messages.add(replace(text, gateway=gateway, route=route))
                ids.append(text.id)
                if contact_id:
                    records.append(message_record(text, connector.ledger.new_id(), "hubspot", crm_id, now))
            uow.records.want(records)
            uow.commit()
    return ids


def _text(
    id_: str, account_id: str, contact_id: str | None, index: int, zones: Sequence[str], now: datetime
) -> MessageRow:
    return MessageRow(
        id=id_,
        account_id=account_id,
        direction=Direction.OUT,
        idempotency_key=f"bench:{id_}",
        purpose=Purpose.TRANSACTIONAL,
        msisdn=number(index * 7919),  # a prime stride: neighbours in the queue are no neighbours in the index
        body=BODY,
        gateway="twilio",
        encoding="gsm7",
        segments=1,
        state=MessageState.QUEUED,
        policy=SendPolicy.AT_MOST_ONCE,
        not_before=now,
        created_at=now,
        contact_id=contact_id,
        enrollment_id=id_,  # of nobody: waking it is a query all the same
        journey="demo-booked",
        step="steps[0].send",
        time_zones=(zones[index % len(zones)],),
        country="US",
        expires_at=now + timedelta(hours=12),
    )
