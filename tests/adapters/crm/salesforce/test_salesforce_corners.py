"""Does the adapter keep its word where an organisation, or an answer, is not as usual?"""

from __future__ import annotations

import httpx
import pytest

from connector.adapters.crm.salesforce.ids import full_id, is_id, is_same, object_of, person_of
from connector.adapters.crm.salesforce.names import OrgNames, our_name
from connector.adapters.crm.salesforce.tokens import OrgTokens
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import SearchFilter
from connector.ports.crm_writing import RecordKind
from connector.sandbox.salesforce.field_kinds import boolean
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.salesforce.conftest import ACCOUNT_ID, ORG, Salesforce, app_of


def test_an_answer_of_several_pages_is_read_to_its_end(salesforce: Salesforce) -> None:
    salesforce.world.query_batch = 3
    deals = [salesforce.deal(f"Roof {n}") for n in range(8)]
    assert [crm_id for crm_id, _ in salesforce.crm.search(salesforce.account, "deal", [], [])] == deals
    assert salesforce.calls("query_more") == 2


def test_pages_that_go_round_in_a_circle_end_before_the_days_calls_do(salesforce: Salesforce) -> None:
    salesforce.world.query_batch = 3
    for n in range(8):
        salesforce.deal(f"Roof {n}")
    page = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v68.0/query/01g000000000001AAA-3"}
    salesforce.faults.arm("salesforce.query_more", "status", times=20, status=200, body=page)
    with pytest.raises(CRMUnavailableError, match="in a circle"):
        salesforce.crm.search(salesforce.account, "deal", [], [])
    assert salesforce.calls("query_more") == 2


def test_a_batch_refused_whole_is_halved_until_only_the_bad_row_is_refused(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = salesforce.contact()
    rest, sizes = type(salesforce.crm._writing.calls).rest, list[int]()

    def malformed(self: object, account: object, what: str, path: str, **more: object) -> object:
        if what == "create Tasks":
            records = more["body"]["records"]  # type: ignore[index]
            sizes.append(len(records))
            if any(each["SMS_Ref__c"] == "r5" for each in records):
                raise CRMRefusedError("create Tasks: JSON_PARSER_ERROR", status=400, category="JSON_PARSER_ERROR")
        return rest(self, account, what, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(salesforce.crm._writing.calls), "rest", malformed)
    results = salesforce.crm.create(salesforce.account, [a_text(f"r{n}", contact) for n in range(9)])
    assert [each.ref for each in results if isinstance(each.error, CRMRefusedError)] == ["r5"]
    assert len(salesforce.world.timeline(ORG, contact)) == 8
    assert sizes[0] == 9


def test_a_search_may_go_through_a_reference(salesforce: Salesforce) -> None:
    deal = salesforce.deal()
    owned = [SearchFilter("Owner.Name", "EQ", "admin")]
    assert [crm_id for crm_id, _ in salesforce.crm.search(salesforce.account, "deal", owned, [])] == [deal]


def test_an_organisation_that_hides_its_phone_fields_has_nobody_with_a_number(salesforce: Salesforce) -> None:
    salesforce.contact(Phone="+12025550143")
    account = salesforce.having(phone_fields={"Contact": ["Hidden__c"], "Lead": "Hidden__c"})
    assert salesforce.crm.find_contacts_by_number(account, "+12025550143") == []


@pytest.mark.parametrize("kept", ["Completed", "Not Started"])
def test_an_organisation_whose_tasks_cannot_be_done_or_open_is_told_so(salesforce: Salesforce, kept: str) -> None:
    salesforce.world.clear_choices(ORG, "TaskStatus")
    salesforce.world.add_choice(ORG, "TaskStatus", kept, is_closed=kept == "Completed")
    with pytest.raises(CRMRefusedError, match="task status"):
        salesforce.crm.create(salesforce.account, [a_text("r1", salesforce.contact())])


def test_a_day_in_a_zone_nobody_knows_is_the_day_in_greenwich(salesforce: Salesforce) -> None:
    account = salesforce.having(time_zone="Mars/Olympus")
    made = salesforce.crm.create(account, [a_text("r1", salesforce.contact())])[0].crm_record_id
    assert salesforce.task(made)["ActivityDate"] == "2026-11-20"


def test_a_description_that_cannot_be_read_is_no_description(salesforce: Salesforce) -> None:
    salesforce.faults.arm("salesforce.sobjects.Task.describe", "status", status=403)
    with pytest.raises(CRMUnavailableError):
        salesforce.crm.create(salesforce.account, [a_text("r1", salesforce.contact())])


def test_an_object_our_user_may_not_describe_is_refused_with_the_reason(salesforce: Salesforce) -> None:
    body = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "ask an admin"}]
    salesforce.faults.arm("salesforce.sobjects.Task.describe", "status", status=403, body=body)
    with pytest.raises(CRMRefusedError, match="ask an admin"):
        salesforce.crm.create(salesforce.account, [a_text("r1", salesforce.contact())])


@pytest.mark.parametrize(("text", "held"), [("true", True), ("False", False), ("", False)])
def test_a_checkbox_takes_yes_and_no(salesforce: Salesforce, text: str, held: bool) -> None:
    salesforce.world.org(ORG).objects["Lead"].add(boolean("SMS_Wants_Offers__c"))
    lead = salesforce.lead()
    values = {lead: {"SMS_Wants_Offers__c": text}}
    assert salesforce.crm.set_properties(salesforce.account, "contact", values)[0].error is None
    assert salesforce.world.get(ORG, "Lead", lead)["SMS_Wants_Offers__c"] is held
    refused = salesforce.crm.set_properties(salesforce.account, "contact", {lead: {"SMS_Wants_Offers__c": "maybe"}})
    assert isinstance(refused[0].error, CRMRefusedError)


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json=["no"])])
def test_a_refresh_whose_answer_cannot_be_read_is_an_outage(salesforce: Salesforce, answer: httpx.Response) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as http:
        tokens = OrgTokens(salesforce.ledger, salesforce.clock, salesforce.locks, http, app_of(salesforce))
        with pytest.raises(CRMUnavailableError):
            tokens.renewed(ACCOUNT_ID, str(salesforce.row().access_token))
    assert salesforce.row().status == "active"


def test_a_lost_contact_is_refused_when_nobody_stands_for_it(salesforce: Salesforce) -> None:
    gone = salesforce.contact()
    salesforce.world.delete(ORG, "Contact", gone)
    error = salesforce.crm.create(salesforce.account, [a_text("r1", gone)])[0].error
    assert isinstance(error, CRMRefusedError)


def test_a_task_without_a_contact_is_made_and_found_again(salesforce: Salesforce) -> None:
    task = a_text("t1", "", kind=RecordKind.TASK, title="Look")
    made = salesforce.crm.create(salesforce.account, [task])[0]
    assert made.error is None
    assert salesforce.crm.find_written(salesforce.account, [task]) == {"t1": made.crm_record_id}


def test_no_error_of_ours_names_a_number_or_a_text(salesforce: Salesforce) -> None:
    number = "+12025550143"
    said = f"\nSELECT Id WHERE Phone LIKE '{number}'\nunexpected token: {number}"
    body = [{"errorCode": "MALFORMED_QUERY", "message": said}]
    salesforce.faults.arm("salesforce.query", "status", times=None, status=400, body=body)
    with pytest.raises(CRMError) as caught:
        salesforce.crm.find_contacts_by_number(salesforce.account, number)
    assert "2025550143" not in f"{caught.value!r}{caught.value}"
    assert "LIKE" not in str(caught.value)


@pytest.mark.parametrize(
    ("record_id", "api_name", "person"),
    [
        ("003000000000001AAA", "Contact", "Contact"),
        ("00Q000000000001", "Lead", "Lead"),
        ("006000000000001AAA", "Opportunity", "Contact"),
        ("a0I000000000001AAA", None, "Contact"),
        ("51", None, "Contact"),
    ],
)
def test_an_id_says_what_it_is_of(record_id: str, api_name: str | None, person: str) -> None:
    assert (object_of(record_id), person_of(record_id)) == (api_name, person)


def test_ids_of_fifteen_and_eighteen_characters_are_the_same() -> None:
    assert full_id("001aBcDeFgHiJkL") == full_id("001aBcDeFgHiJkLQKV") == "001aBcDeFgHiJkLQKV"
    assert is_same("001aBcDeFgHiJkL", "001aBcDeFgHiJkLQKV")
    assert not is_same("001aBcDeFgHiJkL", "001abcdefghijkl")
    assert not is_same("", "")
    assert not is_id("001aBcDeFgHiJkLQK")


def test_our_kinds_have_their_objects_and_back() -> None:
    names = OrgNames({"invoice_object": "bill__Bill__c"})
    pairs = {kind: names.object(kind) for kind in ("contact", "lead", "deal", "ticket", "company", "invoice", "cart")}
    assert pairs == {
        "contact": "Contact",
        "lead": "Lead",
        "deal": "Opportunity",
        "ticket": "Case",
        "company": "Account",
        "invoice": "bill__Bill__c",
        "cart": None,
    }
    assert names.object("Thing__c") == "Thing__c"
    assert [our_name(each) for each in ("Opportunity", "Case", "Thing__c")] == ["deal", "ticket", "Thing__c"]
