"""Are records found and read by our kinds and Salesforce's fields, and nothing but values ever put into a query?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.adapters.crm.salesforce.names import OrgNames
from connector.adapters.crm.salesforce.soql import compares, digits_like, is_in, select
from connector.errors import CRMRefusedError
from connector.ports.crm import Link, SearchFilter
from connector.sandbox.salesforce.field_kinds import choices, picklist
from connector.sandbox.salesforce.package_schema import invoice_object
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce


def test_values_come_as_texts_and_what_is_not_there_as_none(salesforce: Salesforce) -> None:
    deal = salesforce.deal(Amount=900, NextStep="")
    names = ["Id", "Name", "Amount", "IsClosed", "CloseDate", "NextStep", "No_Such__c", "Owner.Name"]
    held = salesforce.crm.read_records(salesforce.account, "deal", [deal, "006000000000001AAA"], names)
    assert list(held) == [deal]
    assert held[deal]["Id"] == deal
    assert [held[deal][name] for name in names[1:7]] == ["Roof", "900", "false", "2026-12-24", None, None]
    assert held[deal]["Owner.Name"] == "admin"


def test_a_record_asked_for_without_fields_is_there_or_absent(salesforce: Salesforce) -> None:
    lead = salesforce.lead()
    assert salesforce.crm.read_records(salesforce.account, "lead", [lead, "nonsense"], []) == {lead: {}}


def test_a_field_that_was_taken_away_meanwhile_is_done_without(salesforce: Salesforce) -> None:
    deal = salesforce.deal(NextStep="Call")
    read = salesforce.crm.read_records
    assert read(salesforce.account, "deal", [deal], ["NextStep"])[deal] == {"NextStep": "Call"}
    del salesforce.world.org(ORG).objects["Opportunity"].fields["nextstep"]
    assert read(salesforce.account, "deal", [deal], ["NextStep"])[deal] == {"NextStep": None}


def test_more_records_than_one_query_takes_are_all_read(salesforce: Salesforce) -> None:
    deals = [salesforce.deal(f"Roof {n}") for n in range(230)]
    held = salesforce.crm.read_records(salesforce.account, "deal", deals, ["Name"])
    assert list(held) == deals
    assert salesforce.calls("query") == 2


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([SearchFilter("Amount", "GT", "500")], ["big"]),
        ([SearchFilter("Amount", "LTE", "500")], ["small"]),
        ([SearchFilter("Amount", "HAS_PROPERTY")], ["big", "small"]),
        ([SearchFilter("StageName", "IN", ("Closed Won", "Closed Lost"))], ["big"]),
        ([SearchFilter("StageName", "NEQ", "Closed Won")], ["none", "small"]),
        ([SearchFilter("IsWon", "EQ", "true")], ["big"]),
        ([SearchFilter("Name", "EQ", "big"), SearchFilter("IsWon", "EQ", "false")], []),
        ([SearchFilter("Name", "EQ", "' OR Name != '")], []),
        ([SearchFilter("CloseDate", "LT", str(int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)))], ["small"]),
        ([SearchFilter("CreatedDate", "GTE", "2000-01-01T00:00:00Z")], ["big", "none", "small"]),
    ],
)
def test_a_search_compares_every_kind_of_field(
    salesforce: Salesforce, filters: list[SearchFilter], found: list[str]
) -> None:
    salesforce.deal("big", Amount=900, StageName="Closed Won")
    salesforce.deal("small", Amount=10, CloseDate="2026-11-01")
    salesforce.deal("none")
    rows = salesforce.crm.search(salesforce.account, "deal", filters, ["Name"])
    assert sorted(str(held["Name"]) for _, held in rows) == found


@pytest.mark.parametrize("value", ["soon", ""])
def test_a_time_is_not_compared_to_a_word(salesforce: Salesforce, value: str) -> None:
    with pytest.raises(CRMRefusedError, match="CloseDate"):
        salesforce.crm.search(salesforce.account, "deal", [SearchFilter("CloseDate", "GT", value)], [])


def test_a_search_for_contacts_finds_leads_too_unless_they_lack_the_field(salesforce: Salesforce) -> None:
    contact, lead, gone = salesforce.contact(FirstName="A"), salesforce.lead(FirstName="A"), salesforce.lead()
    salesforce.world.convert(ORG, gone)
    named = [SearchFilter("FirstName", "EQ", "A")]
    assert [crm_id for crm_id, _ in salesforce.crm.search(salesforce.account, "contact", named, [])] == [contact, lead]
    rated = [SearchFilter("Department", "HAS_PROPERTY")]
    assert salesforce.crm.search(salesforce.account, "contact", rated, []) == []
    with pytest.raises(CRMRefusedError, match="No_Such__c"):
        salesforce.crm.search(salesforce.account, "contact", [SearchFilter("No_Such__c", "EQ", "1")], [])


def test_pages_of_people_go_on_from_contacts_to_leads_and_meet_everybody_once(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.adapters.crm.salesforce.records.PAGE", 3)
    people = [salesforce.contact() for _ in range(4)] + [salesforce.lead() for _ in range(4)]
    met: list[str] = []
    while page := salesforce.crm.search_page(salesforce.account, "contact", [], [], after=met[-1] if met else ""):
        assert len(page) <= 3
        met += [crm_id for crm_id, _ in page]
    assert met == people


def test_changes_go_on_from_contacts_to_leads_and_through_one_second(
    salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.adapters.crm.salesforce.changes.PAGE", 3)
    old = salesforce.contact()
    salesforce.clock.advance(timedelta(minutes=1))
    since = salesforce.clock.now().replace(microsecond=0)
    people = [salesforce.contact() for _ in range(7)] + [salesforce.lead() for _ in range(4)]
    met, after, pages = list[str](), "", 0
    while after or not pages:
        page = salesforce.crm.changed_since(salesforce.account, "contact", ["LastName"], since, after=after)
        met += [each.object_id for each in page.records]
        assert all(each.created is not None and not each.changed for each in page.records)
        after, pages = page.next, pages + 1
    assert sorted(met) == sorted(people)
    assert old not in met


def test_people_with_one_of_several_choices_are_found_whatever_else_they_chose(salesforce: Salesforce) -> None:
    since = salesforce.clock.now().replace(microsecond=0)
    salesforce.world.org(ORG).objects["Contact"].add(choices("Wants__c", "Calls", "Texts", "Nothing"))
    salesforce.world.org(ORG).objects["Lead"].add(picklist("Wants__c", "Texts", "Nothing"))
    alone, among = salesforce.contact(Wants__c="Nothing"), salesforce.contact(Wants__c="Calls;Nothing")
    lead = salesforce.lead(Wants__c="Nothing")
    for other in ("Calls;Texts", "Texts", None):
        salesforce.contact(Wants__c=other)
    salesforce.lead(Wants__c="Texts")
    wanted = [SearchFilter("Wants__c", "IN", ("Nothing", "Never", "nothing", "never"))]
    rows = salesforce.crm.search(salesforce.account, "contact", wanted, ["Wants__c"])
    assert [(each, held["Wants__c"]) for each, held in rows] == [
        (alone, "Nothing"),
        (among, "Calls;Nothing"),
        (lead, "Nothing"),
    ]
    contacts = salesforce.crm.changed_since(salesforce.account, "contact", ["Wants__c"], since, filters=wanted)
    leads = salesforce.crm.changed_since(
        salesforce.account, "contact", ["Wants__c"], since, filters=wanted, after=contacts.next
    )
    assert [each.object_id for each in (*contacts.records, *leads.records)] == [alone, among, lead]
    exactly = [SearchFilter("Wants__c", "EQ", "nothing; calls")]
    assert [each for each, _ in salesforce.crm.search(salesforce.account, "contact", exactly, [])] == [among]


def test_the_primary_role_of_a_deal_comes_first(salesforce: Salesforce) -> None:
    deal, other, first, second = salesforce.deal(), salesforce.deal(), salesforce.contact(), salesforce.contact()
    for contact, role in ((first, {"Role": "Evaluator"}), (second, {"Role": "Decision Maker", "IsPrimary": True})):
        salesforce.world.create(ORG, "OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact, **role})
    links = salesforce.crm.associated_contacts(salesforce.account, "deal", [deal, other])
    assert links == {deal: [Link(second, ("primary", "Decision Maker")), Link(first, ("Evaluator",))]}


def test_tickets_invoices_and_leads_have_their_own_person(salesforce: Salesforce) -> None:
    contact, lead = salesforce.contact(), salesforce.lead()
    ticket = str(salesforce.world.create(ORG, "Case", {"Subject": "Leak", "ContactId": contact})["Id"])
    alone = str(salesforce.world.create(ORG, "Case", {"Subject": "Leak"})["Id"])
    invoice = str(salesforce.world.create(ORG, "Invoice__c", {"Name": "I-1", "Contact__c": contact})["Id"])
    linked = salesforce.crm.associated_contacts
    person = [Link(contact, ("primary",))]
    assert linked(salesforce.account, "ticket", [ticket, alone]) == {ticket: person}
    assert linked(salesforce.account, "invoice", [invoice]) == {invoice: person}
    assert linked(salesforce.account, "lead", [lead]) == {lead: [Link(lead, ("primary",))]}
    assert (
        linked(salesforce.account, "company", [str(salesforce.world.create(ORG, "Account", {"Name": "A"})["Id"])]) == {}
    )


def test_an_invoice_without_a_contact_may_go_through_its_account(salesforce: Salesforce) -> None:
    company, other = (str(salesforce.world.create(ORG, "Account", {"Name": name})["Id"]) for name in "AB")
    first, second = salesforce.contact(AccountId=company), salesforce.contact(AccountId=company)
    fields = [{"Account__c": company}, {"Account__c": company, "Contact__c": second}, {"Account__c": other}, {}]
    invoices = [str(salesforce.world.create(ORG, "Invoice__c", {"Name": "I", **each})["Id"]) for each in fields]
    linked = salesforce.crm.associated_contacts(salesforce.account, "invoice", invoices, through="company")
    via = f"company:{company}"
    assert linked == {
        invoices[0]: [Link(first, via=via), Link(second, via=via)],
        invoices[1]: [Link(second, ("primary",))],
    }
    assert invoices[0] not in salesforce.crm.associated_contacts(salesforce.account, "invoice", invoices)


def test_an_organisation_without_invoices_has_none_to_find(salesforce: Salesforce) -> None:
    account = salesforce.having(invoice_object=None)
    overdue = [SearchFilter("Due_Date__c", "LT", "2026-11-20T00:00:00Z")]
    assert salesforce.crm.search(account, "invoice", overdue, ["Id"]) == []
    assert salesforce.crm.search_page(account, "invoice", overdue, ["Id"]) == []
    assert salesforce.crm.read_records(account, "invoice", ["a0ISb0000000001AAA"], ["Name"]) == {}
    assert salesforce.crm.associated_contacts(account, "invoice", ["a0ISb0000000001AAA"]) == {}
    assert salesforce.crm.changed_since(account, "invoice", [], salesforce.clock.now()).records == ()


def test_invoices_of_a_billing_package_are_found_by_its_own_names(salesforce: Salesforce) -> None:
    theirs = {
        "Status__c": "bill__State__c",
        "Due_Date__c": "bill__Due__c",
        "Balance__c": "bill__Open__c",
        "Contact__c": "bill__Payer__c",
    }
    salesforce.world.add_object(ORG, invoice_object("bill__Bill__c", "a0B", fields=theirs))
    contact = salesforce.contact()
    values = {"Name": "B-1", "bill__Due__c": "2026-11-01", "bill__Open__c": 120.5, "bill__Payer__c": contact}
    invoice = str(salesforce.world.create(ORG, "bill__Bill__c", values)["Id"])
    account = salesforce.having(invoice_object="bill__Bill__c", invoice_fields=theirs)
    overdue = [SearchFilter("Balance__c", "GT", "0"), SearchFilter("Due_Date__c", "LT", "2026-11-20T00:00:00Z")]
    found = salesforce.crm.search(account, "invoice", overdue, ["Id", "Due_Date__c"])
    assert found == [(invoice, {"Id": invoice, "Due_Date__c": "2026-11-01"})]
    read = salesforce.crm.read_records(account, "invoice", [invoice], ["Balance__c", "Name"])
    assert read == {invoice: {"Balance__c": "120.5", "Name": "B-1"}}
    assert salesforce.crm.associated_contacts(account, "invoice", [invoice])[invoice][0].object_id == contact


def test_stages_owners_and_statuses_have_the_names_people_see(salesforce: Salesforce) -> None:
    salesforce.world.add_choice(ORG, "OpportunityStage", "demo", label="Demo booked")
    salesforce.world.add_user(ORG, "gone@acme.example", is_active=False)
    user = salesforce.world.add_user(ORG, "sam.okafor@acme.example", FirstName="Sam", LastName="Okafor")
    labels = salesforce.crm.stage_labels
    assert labels(salesforce.account, "deal")["demo"] == "Demo booked"
    assert labels(salesforce.account, "ticket")["Working"] == "Working"
    assert labels(salesforce.account, "lead")["Open - Not Contacted"] == "Open - Not Contacted"
    assert labels(salesforce.account, "invoice") == {}
    owners = salesforce.crm.owners(salesforce.account)
    assert (owners[user].name, owners[user].email) == ("Sam Okafor", "sam.okafor@acme.example")
    assert len(owners) == 2


def test_a_renamed_stage_is_seen_after_five_minutes(salesforce: Salesforce) -> None:
    salesforce.crm.stage_labels(salesforce.account, "deal")
    salesforce.world.add_choice(ORG, "OpportunityStage", "demo", label="Demo booked")
    assert "demo" not in salesforce.crm.stage_labels(salesforce.account, "deal")
    salesforce.clock.advance(timedelta(minutes=5))
    assert "demo" in salesforce.crm.stage_labels(salesforce.account, "deal")


@pytest.mark.parametrize("name", ["Name FROM User --", "Name, (SELECT Id FROM Tasks)", "a.b.c", "", "1st", "Näme"])
def test_no_name_is_a_query_of_its_own(salesforce: Salesforce, name: str) -> None:
    with pytest.raises(CRMRefusedError, match="cannot have"):
        salesforce.crm.read_records(salesforce.account, "deal", [salesforce.deal()], [name])
    with pytest.raises(CRMRefusedError, match="cannot have"):
        OrgNames({"salesforce_namespace": f"x{name} "}).packaged("SMS_Ref__c")


def test_values_are_quoted_whatever_they_hold() -> None:
    assert is_in("Name", ["O'Neil", 'a"b\\']) == r"Name IN ('O\'Neil','a\"b\\')"
    assert compares("IsWon", "=", True) == "IsWon = true"
    assert digits_like("Phone", "202") == "Phone LIKE '%2%0%2%'"
    assert select(("Name", "Id"), "Lead", ["a", "b"], order="Id", limit=2) == (
        "SELECT Id, Name FROM Lead WHERE a AND b ORDER BY Id LIMIT 2"
    )
