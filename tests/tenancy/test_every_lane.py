"""Do workers, who work for every account, ask each CRM for each account with its own token, and mix nothing up?"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import update

from connector.adapters.lane_worker import LaneWorker
from connector.adapters.redis_server import make_redis
from connector.adapters.store.tables import metadata
from connector.adapters.task_queue import DRAIN_JOB
from connector.bootstrap import lanes
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.intake import Delivery
from tests.tenancy.house import House
from tests.tenancy.house import house as open_house
from tests.tenancy.outside import outside
from tests.tenancy.owners import ALDER, BIRCH, HUBSPOT, OWN, OWNERS, TENANTS, Owner
from tests.tenancy.telling import belongings, leaked

DUE = {"not_before", "due_at", "ask_at", "redact_at", "lease_until"}
"""Columns that say when a worker looks at a row."""


@pytest.fixture
def house(
    tmp_path: Path, redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    with outside() as world, open_house(world, tmp_path, redis_url, monkeypatch) as made:
        yield made


def give_work(house: House, owner: Owner) -> None:
    """Let a person be in the CRM, be heard of, and have something to be shown."""
    crm_id, now = _person(house, owner), house.connector.clock.now()
    contact = replace(
        house.kept(owner).rows["contacts"], id=owner.id(OWN, "person"), crm_id=crm_id, read_at=now - timedelta(days=1)
    )
    flag = CRMRecordRow(
        id=owner.id(OWN, "flag"),
        account_id=owner.account_id,
        crm=owner.crm,
        kind=RecordSubject.OPT_OUT_PROPERTY,
        subject=f"contact:{crm_id}",
        ref="",
        at=now,
        not_before=now,
        contact_id=contact.id,
        contact_crm_id=crm_id,
        payload={"msisdn": owner.number(OWN), "at": now.isoformat(), "mechanism": "keyword"},
    )
    with house.connector.ledger.begin() as uow:
        uow.contacts.save(contact)
        uow.records.want([flag])
        uow.commit()
    told = Delivery(owner.external_id, owner.id(OWN, "new"), json.dumps(_change(house, owner, crm_id)).encode())
    assert house.connector.intake.take_events(owner.crm, [told]).new == 1


def _person(house: House, owner: Owner) -> str:
    if owner.crm == HUBSPOT:
        names = {"firstname": owner.tenant, "phone": owner.number(OWN)}
        return str(house.world.hubspot.create(int(owner.external_id), "contacts", names)["id"])
    names = {"LastName": owner.tenant, "MobilePhone": owner.number(OWN)}
    return str(house.world.salesforce.create(owner.external_id, "Contact", names)["Id"])


def _change(house: House, owner: Owner, crm_id: str) -> dict[str, Any]:
    """Write a change down as each CRM's webhook is kept."""
    if owner.crm == HUBSPOT:
        return {
            "subscriptionType": "contact.propertyChange",
            "portalId": int(owner.external_id),
            "eventId": owner.digit,
            "objectId": int(crm_id),
            "propertyName": "lifecyclestage",
            "propertyValue": "lead",
            "occurredAt": int(house.connector.clock.now().timestamp() * 1000),
        }
    return {
        "organization_id": owner.external_id,
        "notification_id": f"04l{owner.digit:012}AAA",
        "action_id": "04k000000000001AAA",
        "object": "Contact",
        "fields": {"Id": crm_id},
    }


def work(house: House) -> None:
    """Drain every lane, and again what that has brought about."""
    for _ in range(3):
        for lane in lanes(house.connector.settings):
            house.connector.drain(lane)


def test_each_account_is_asked_for_with_its_own_token_and_told_of_itself_only(house: House) -> None:
    for owner in OWNERS:
        give_work(house, owner)
    house.world.heard.clear()
    work(house)
    assert {house.world.owner_of(each.token) for each in house.world.heard} == {owner.account_id for owner in OWNERS}
    for tenant, other in (TENANTS, TENANTS[::-1]):
        theirs = [each for each in house.world.heard if house.world.owner_of(each.token).startswith(tenant.word)]
        assert not leaked(other, [each.said for each in theirs])
        assert not leaked(other, belongings(house.connector.ledger, tenant))


def test_work_of_one_tenant_leaves_the_other_as_it_is(house: House) -> None:
    _rest(house, BIRCH.owners)
    for owner in ALDER.owners:
        give_work(house, owner)
    with house.looking():
        work(house)
    assert house.world.heard


def _rest(house: House, owners: Sequence[Owner]) -> None:
    """Let nothing of some accounts be due for a month, and their CRMs be away: workers have nothing to do for them."""
    later = house.connector.clock.now() + timedelta(days=30)
    with house.connector.ledger.begin() as uow:
        for owner in owners:
            uow.accounts.set_status(owner.account_id, "disconnected", "")
        uow.commit()
    with house.connector.ledger.engine.begin() as connection:
        for table in metadata.sorted_tables:
            for name in DUE.intersection(table.c.keys()):
                ours = table.c.account_id.in_([owner.account_id for owner in owners]), table.c[name].is_not(None)
                connection.execute(update(table).where(*ours).values({name: later}))


@pytest.mark.parametrize(
    "lane",
    ["writeback:birch-hubspot", "send:twilio:birch", "send:birch:otp", "birch-hubspot", "events:birch-hubspot", ""],
)
def test_a_lane_that_is_made_up_works_nothing(house: House, lane: str) -> None:
    _rest(house, BIRCH.owners)
    with house.looking(), suppress(KeyError, ValueError, TypeError):
        house.connector.drain(lane)
    assert house.world.heard == []


@pytest.mark.parametrize(
    "job",
    [
        ("connector.services.erasing.Eraser.erase_account", (BIRCH.hubspot.account_id, "me", "because")),
        ("connector.entrypoints.cli.cli", (["account", "erase", "--external-id", BIRCH.hubspot.external_id],)),
        ("os.system", ("true",)),
    ],
    ids=["a service", "a command", "a shell"],
)
def test_a_forged_job_runs_nothing(
    house: House, redis_client: redis.Redis, redis_url: str, job: tuple[str, tuple[Any, ...]]
) -> None:
    name, given = job
    Queue("events", connection=redis_client, serializer=JSONSerializer).enqueue_call(name, args=given)
    drained: list[str] = []
    with house.looking(), structlog.testing.capture_logs() as logs:
        _listen(redis_url, drained.append)
    assert drained == []
    assert [line["event"] for line in logs] == ["job refused: it is not a drain"]


def test_a_forged_argument_does_not_say_what_is_drained(redis_client: redis.Redis, redis_url: str) -> None:
    """A nudge carries no account, and none that somebody puts into it reaches a drain."""
    forged = (BIRCH.hubspot.account_id,)
    Queue("events", connection=redis_client, serializer=JSONSerializer).enqueue_call(DRAIN_JOB, args=forged)
    drained: list[str] = []
    _listen(redis_url, drained.append)
    assert drained == ["events"]


def _listen(redis_url: str, drain: Callable[[str], object]) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    try:
        with make_redis(redis_url) as client:
            LaneWorker(["events"], client, drain).work(burst=True)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
