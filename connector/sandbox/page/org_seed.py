"""Who and what is in the demo's Salesforce organisation when the page is opened for the first time?

The same people as in the HubSpot portal, so that their phones are shared, with other deals and invoices. Jo and Lena
are leads here: an opt-out from Marcus's number must tick the box on a contact and on a lead.
"""

from datetime import timedelta

from connector.sandbox.page.portal_seed import OWNER_EMAIL, OWNER_NAME, PEOPLE
from connector.sandbox.page.zones import iana_zone
from connector.sandbox.salesforce.world import SalesforceWorld

INVOICES = "Invoice__c"

# API name and what people see; an admin renamed the first, as admins do. The last is closed.
STAGES = (
    ("Prospecting", "New enquiry"),
    ("Needs Analysis", "Needs analysis"),
    ("Demo Booked", "Demo booked"),
    ("Closed Won", "Closed won"),
)
LEADS = frozenset({"Jo", "Lena"})
UTC_ZONE = "UTC"

# A contact's first name, an opportunity, its stage and its amount.
DEALS = (
    ("Maya", "Brand film", "Prospecting", 6400),
    ("Priya", "Reading app", "Prospecting", 3900),
    ("Marcus", "Solar roofs", "Needs Analysis", 18500),
    ("Priya", "Author evenings", "Closed Won", 2100),
)

# A contact's first name, a number, a balance, and in how many days it is due.
BILLS = (("Priya", "INV-2041", 320, 1), ("Maya", "INV-2042", 760, 3), ("Marcus", "INV-2043", 1150, 6))


def seed_demo_org(salesforce: SalesforceWorld, org_id: str) -> None:
    """Fill an empty organisation; the phones of its people are there already."""
    first, last = OWNER_NAME.split()
    owner = salesforce.add_user(org_id, OWNER_EMAIL, FirstName=first, LastName=last)
    salesforce.clear_choices(org_id, "OpportunityStage")
    for value, label in STAGES:
        salesforce.add_choice(org_id, "OpportunityStage", value, label=label, is_closed=value.startswith("Closed"))
    people = {person.first: _person(salesforce, org_id, person.first, owner) for person in PEOPLE}
    _business(salesforce, org_id, people, owner)


def zones() -> dict[str, str]:
    """Where people are, by e-mail address: Salesforce keeps no time zone of theirs."""
    return {_email(person.first): iana_zone(person.zone, UTC_ZONE) for person in PEOPLE}


def _person(salesforce: SalesforceWorld, org_id: str, first: str, owner: str) -> str:
    person = next(each for each in PEOPLE if each.first == first)
    values = {"FirstName": first, "LastName": person.last, "Email": _email(first), "OwnerId": owner}
    if person.mobile:
        values["MobilePhone"] = person.mobile
    if first in LEADS:
        return str(salesforce.create(org_id, "Lead", {**values, "Company": person.company})["Id"])
    account = salesforce.create(org_id, "Account", {"Name": person.company})["Id"]
    return str(salesforce.create(org_id, "Contact", {**values, "AccountId": account})["Id"])


def _business(salesforce: SalesforceWorld, org_id: str, people: dict[str, str], owner: str) -> None:
    day = salesforce.clock.now().date()
    for first, name, stage, amount in DEALS:
        deal = {"Name": name, "StageName": stage, "Amount": amount, "CloseDate": (day + timedelta(days=30)).isoformat()}
        salesforce.create(org_id, "Opportunity", {**deal, "ContactId": people[first], "OwnerId": owner})
    for first, number, balance, days in BILLS:
        due = (day + timedelta(days=days)).isoformat()
        bill = {
            "Name": number,
            "Status__c": "Open",
            "Balance__c": balance,
            "Due_Date__c": due,
            "CurrencyIsoCode": "USD",
        }
        salesforce.create(org_id, INVOICES, {**bill, "Contact__c": people[first], "OwnerId": owner})
    case = {"Subject": "E-reader will not pair", "Priority": "Low", "ContactId": people["Priya"], "OwnerId": owner}
    salesforce.create(org_id, "Case", case)


def _email(first: str) -> str:
    person = next(each for each in PEOPLE if each.first == first)
    return f"{person.first}.{person.last}@example.com".lower()
