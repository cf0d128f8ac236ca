"""What do we do with a portal, and how does HubSpot refuse it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from connector.adapters.crm.hubspot.object_types import path_name
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES, SearchFilter
from connector.ports.crm_writing import RecordKind, RecordWrite
from tests.adapters.crm.cassettes.sides import Act, Box
from tests.adapters.crm.contract import NOON, NUMBER, OTHER_NUMBER, a_text

WORDS = ("Maya", "Lindqvist", "Cassette roof", "Hello", "Delivered.", "Call back", "Soon.", "ref", "r")
NOBODY = "100000000999"  # an id no portal has


def remove(act: Act, object_type: str, crm_id: str) -> None:
    """Put a record into the portal's recycle bin."""
    body = {"inputs": [{"id": crm_id}]}
    act.crm._records.calls.make(act.account, "clean up", lambda api: api.batches.archive(path_name(object_type), body))


def _make(act: Act, object_type: str, *rows: Mapping[str, str]) -> list[str]:
    body = {"inputs": [{"properties": dict(each), "associations": []} for each in rows]}
    answer = act.crm._records.calls.make(
        act.account,
        f"make {object_type}s",
        lambda api: api.batches.create(path_name(object_type), body),
        is_repeatable=False,
    )
    ids = sorted((str(each["id"]) for each in answer["results"]), key=int)
    act.made += [(object_type, each) for each in ids]
    return ids


def _contact(act: Act, **properties: str) -> str:
    return _make(act, "contact", {"firstname": "Maya", "lastname": "Lindqvist", **properties})[0]


def _create(act: Act, *rows: RecordWrite) -> list[str | CRMError]:
    results = act.port.create(act.account, rows)
    act.made += [
        (row.kind.value, each.crm_record_id) for row, each in zip(rows, results, strict=True) if each.crm_record_id
    ]
    return [each.error or str(each.crm_record_id) for each in results]


# -- reading


def scene_contacts_are_read(act: Act) -> None:
    contact = _contact(act, mobilephone=NUMBER, phone=OTHER_NUMBER)
    found = act.port.read_contacts(act.account, [contact, NOBODY], {"first": "firstname"})
    assert set(found) == {contact}
    assert found[contact].attributes["first"] == "Maya"
    assert {NUMBER, OTHER_NUMBER} <= {raw for raw, _ in found[contact].phones}


def scene_records_are_read(act: Act) -> None:
    (deal,) = _make(act, "deal", {"dealname": "Cassette roof"})
    read = act.port.read_records(act.account, "deal", [deal, NOBODY], ["dealname", "amount"])
    assert read == {deal: {"dealname": "Cassette roof", "amount": None}}


def scene_associated_contacts_are_read(act: Act) -> None:
    contact = _contact(act)
    (lonely,) = _make(act, "deal", {"dealname": "Cassette roof"})
    link = {"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]}
    body = {"inputs": [{"properties": {"dealname": "Cassette roof"}, "associations": [link]}]}
    answer = act.crm._records.calls.make(
        act.account, "make a deal", lambda api: api.batches.create("deals", body), is_repeatable=False
    )
    deal = str(answer["results"][0]["id"])
    act.made.append(("deal", deal))
    links = act.port.associated_contacts(act.account, "deal", [deal, lonely])
    assert [each.object_id for each in links[deal]] == [contact]
    assert not links.get(lonely)


def scene_a_search_goes_on_behind_a_full_page(act: Act) -> None:
    deals = [each for _ in range(3) for each in _make(act, "deal", *[{"dealname": "Cassette roof"}] * 67)]
    act.settle()
    only, met, after = [SearchFilter("dealname", "EQ", "Cassette roof")], list[str](), ""
    for _ in range(2):
        page = act.port.search_page(act.account, "deal", only, ["dealname"], after=after)
        met += [crm_id for crm_id, _ in page]
        after = met[-1]
    assert len(met) == 201
    assert met == deals


def scene_contacts_are_found_by_number(act: Act) -> None:
    contacts = [_contact(act, mobilephone=NUMBER), _contact(act, phone="(202) 555-0143", country="United States")]
    _contact(act, mobilephone=OTHER_NUMBER)
    act.settle()
    assert set(contacts) <= set(act.port.find_contacts_by_number(act.account, NUMBER))


def scene_owners_and_stages_are_read(act: Act) -> None:
    owners = act.port.owners(act.account)
    assert owners
    assert all(owner_id == each.owner_id and each.email for owner_id, each in owners.items())
    assert act.port.stage_labels(act.account, "deal")


def scene_what_changed_is_read_with_its_history(act: Act) -> None:
    (deal,) = _make(act, "deal", {"dealname": "Cassette roof"})
    act.settle()
    only = [SearchFilter("dealname", "EQ", "Cassette roof")]
    page = act.port.changed_since(act.account, "deal", ["dealname"], NOON - timedelta(days=400), filters=only)
    (record,) = [each for each in page.records if each.object_id == deal]
    assert record.created is not None
    assert record.changed["dealname"].at >= record.created.at


# -- writing


def scene_texts_and_tasks_are_created_and_updated(act: Act) -> None:
    contact = _contact(act)
    text, task = _create(
        act,
        a_text("r1", contact),
        a_text("r2", contact, kind=RecordKind.TASK, title="Call back", body="Soon. Ref r2"),
    )
    assert isinstance(text, str)
    later = a_text("r1", contact, body="Delivered. Ref r1", crm_record_id=text)
    assert [each.error for each in act.port.update(act.account, [later])] == [None]
    held = act.port.read_records(act.account, "communication", [text], ["hs_communication_body"])
    assert "Delivered." in str(held[text]["hs_communication_body"])
    assert isinstance(task, str)


def scene_one_refused_row_leaves_the_others(act: Act) -> None:
    contact = _contact(act)
    first, refused, third = _create(act, a_text("r1", contact), a_text("r2", NOBODY), a_text("r3", contact))
    assert isinstance(refused, CRMRefusedError)
    assert [isinstance(each, str) for each in (first, third)] == [True, True]
    row = a_text("r4", contact, crm_record_id=NOBODY)
    (result,) = act.port.update(act.account, [row])
    assert isinstance(result.error, CRMRefusedError)


def scene_an_opt_out_is_set_and_lifted(act: Act) -> None:
    act.port.install(act.account)
    contact = _contact(act, mobilephone=NUMBER)
    for opted_out in (True, False):
        results = act.port.set_opt_out(act.account, [contact, NOBODY], opted_out=opted_out, at=NOON, source="reply")
        assert [each.error is None for each in results] == [True, False]
        assert act.port.read_contacts(act.account, [contact], {})[contact].opted_out is opted_out


def scene_what_was_written_is_found_again(act: Act) -> None:
    contact = _contact(act)
    rows = [a_text(ref, contact) for ref in ("r1", "r10")]
    made = _create(act, *rows)
    found = act.port.find_written(act.account, [*rows, a_text("r2", contact)])
    assert found == dict(zip(("r1", "r10"), made, strict=True))


# -- tokens


def scene_a_token_is_refreshed_and_the_rotated_one_is_used_next(act: Act) -> None:
    seen = [act.row().access_token]
    for _ in range(2):
        act.let_token_end()
        assert act.port.read_records(act.account, "deal", [NOBODY], ["dealname"]) == {}
        seen.append(act.row().access_token)
    assert len(set(seen)) == 3


def scene_a_refused_token_is_replaced_once(act: Act) -> None:
    assert act.port.read_records(act.account, "deal", [NOBODY], ["dealname"]) == {}


def scene_a_dead_refresh_token_disconnects(act: Act) -> None:
    act.let_token_end()
    with pytest.raises(CRMDisconnectedError):
        act.port.read_records(act.account, "deal", [NOBODY], ["dealname"])


# -- how HubSpot refuses


def _waits(act: Act, status: int, pause: timedelta | None) -> None:
    with pytest.raises(CRMUnavailableError) as caught:
        act.port.create(act.account, [a_text("r1", NOBODY)])
    assert (caught.value.status, caught.value.retry_after) == (status, pause)


def scene_429_of_the_rolling_window(act: Act) -> None:
    _waits(act, 429, timedelta(seconds=10))


def scene_429_of_the_day(act: Act) -> None:
    _waits(act, 429, timedelta(hours=1))


def scene_477_while_the_portal_moves(act: Act) -> None:
    _waits(act, 477, timedelta(seconds=60))


def scene_423_while_a_record_is_locked(act: Act) -> None:
    _waits(act, 423, timedelta(seconds=2))


def scene_403_for_a_missing_scope(act: Act) -> None:
    with pytest.raises(CRMRefusedError, match=r"crm\.objects\.contacts\.write") as caught:
        act.port.create(act.account, [a_text("r1", NOBODY)])
    assert (caught.value.status, caught.value.category) == (403, MISSING_SCOPES)


def scene_503_of_a_proxy_in_html(act: Act) -> None:
    with pytest.raises(CRMUnavailableError) as caught:
        act.port.read_records(act.account, "deal", [NOBODY], ["dealname"])
    assert caught.value.status == 503


_CREATE = "hubspot.communications.batch_create"


def _status(status: int, operation: str = _CREATE, **options: Any) -> Callable[[Box], None]:
    def arrange(box: Box) -> None:
        box.faults.arm(operation, "status", status=status, **options)

    return arrange


def _too_many(policy: str) -> Mapping[str, Any]:
    return {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "category": "RATE_LIMITS",
        "policyName": policy,
        "groupName": "publicapi:private-apps:api-calls-per-day",
    }


def _two_owners(box: Box) -> None:
    box.world.add_owner(box.portal, "ada@nordlicht.test", "Ada", "Nordlicht")
    box.world.add_owner(box.portal, "grace@nordlicht.test", "Grace")


def _without_scope(box: Box) -> None:
    for token, grant in list(box.world.tokens._access.items()):
        box.world.tokens._access[token] = type(grant)(grant.portal_id, frozenset({"oauth"}), grant.client_id)


def _lost_refresh_token(box: Box) -> None:
    box.world.tokens._refresh.clear()


def _forgotten_access_token(box: Box) -> None:
    box.world.tokens._access.clear()


ARRANGED: Mapping[str, Callable[[Box], None]] = {
    "scene_owners_and_stages_are_read": _two_owners,
    "scene_a_refused_token_is_replaced_once": _forgotten_access_token,
    "scene_a_dead_refresh_token_disconnects": _lost_refresh_token,
    "scene_429_of_the_rolling_window": _status(429),
    "scene_429_of_the_day": _status(429, body=_too_many("DAILY")),
    "scene_477_while_the_portal_moves": _status(477),
    "scene_423_while_a_record_is_locked": _status(423),
    "scene_403_for_a_missing_scope": _without_scope,
    "scene_503_of_a_proxy_in_html": _status(503, "hubspot.deals.batch_read"),
}
"""What the sandbox goes through before a scene; but for owners, a live portal cannot be asked to."""

LIVE_ALL_THE_SAME = frozenset({"scene_owners_and_stages_are_read"})
OAUTH = frozenset(
    {
        "scene_a_token_is_refreshed_and_the_rotated_one_is_used_next",
        "scene_a_refused_token_is_replaced_once",
        "scene_a_dead_refresh_token_disconnects",
    }
)
