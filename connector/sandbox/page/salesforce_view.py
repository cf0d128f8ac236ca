"""What does the pretend Salesforce show of its records right now?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import phonenumbers

from connector.sandbox.clock import SandboxClock
from connector.sandbox.page.org_seed import INVOICES, zones
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.world import SalesforceWorld

SHOWN_ENTRIES = 60  # of a timeline: what a person scrolls through
CASES_SHOWN = 12
PRIORITIES = (("High", "High"), ("Medium", "Medium"), ("Low", "Low"))
REGION = "US"  # whose numbers people type without a prefix
_LEAD = "00Q"  # what ids of leads begin with

# The package's fields, as its layout calls them.
_OWN = (
    ("SMS_Opt_Out__c", "SMS opt-out", "bool"),
    ("SMS_Opt_Out_At__c", "Opted out", "datetime"),
    ("SMS_Opt_Out_Source__c", "Opt-out source", "string"),
    ("SMS_Opted_In_At__c", "Opted in", "datetime"),
    ("SMS_Handoff__c", "Handed to", "string"),
)

JSON = dict[str, Any]


class SalesforceView:
    """Reads one organisation into plain data."""

    def __init__(self, salesforce: SalesforceWorld, clock: SandboxClock, org_id: str) -> None:
        self._salesforce = salesforce
        self._clock = clock
        self._org_id = org_id
        self._zones = zones()

    @property
    def _org(self) -> Org:
        return self._salesforce.org(self._org_id)

    @property
    def time_zone(self) -> str:
        """The organisation's."""
        return str(self._list("Organization")[0]["TimeZoneSidKey"])

    def records(self) -> JSON:
        """Everything, in the shapes the page's scripts read."""
        contacts = [self._person(row) for name in ("Contact", "Lead") for row in self._list(name)]
        people = {contact["id"]: contact for contact in contacts}
        return {
            "portal": {"id": self._org_id, "name": str(self._list("Organization")[0]["Name"])},
            "stages": [{"id": s["ApiName"], "label": s["MasterLabel"]} for s in self._list("OpportunityStage")],
            "deals": [self._deal(row, people) for row in self._list("Opportunity")],
            "invoices": self._invoices(people),
            "tickets": self._cases(people),
            "priorities": PRIORITIES,
            "contacts": contacts,
        }

    def _list(self, name: str) -> list[JSON]:
        return self._salesforce.list(self._org_id, name)

    def _person(self, row: JSON) -> JSON:
        is_lead = kind_of(row["Id"]) == "lead"
        mobile = row["MobilePhone"] or ""
        return {
            "id": row["Id"],
            "kind": kind_of(row["Id"]),
            "name": f"{row['Name']} (lead)" if is_lead else row["Name"],
            "company": row["Company"] if is_lead else self._name("Account", row["AccountId"]),
            "email": row["Email"] or "",
            "mobile": mobile,
            "number": _e164(mobile),
            "zone": self._zones.get(row["Email"] or "", self.time_zone),
            "owner": self._name("User", row["OwnerId"]),
            "properties": list(_own(row)),
            "timeline": [_entry(task) for task in self._salesforce.timeline(self._org_id, row["Id"])[:SHOWN_ENTRIES]],
        }

    def _name(self, object_name: str, record_id: str | None) -> str:
        if not record_id:
            return ""
        values = self._salesforce.get(self._org_id, object_name, record_id)
        named = str(values.get("Name") or "")
        return named or " ".join(filter(None, [values.get("FirstName"), values.get("LastName")]))

    def _deal(self, row: JSON, people: JSON) -> JSON:
        roles = [each for each in self._list("OpportunityContactRole") if each["OpportunityId"] == row["Id"]]
        roles.sort(key=lambda role: not role["IsPrimary"])
        return {
            "id": row["Id"],
            "name": row["Name"],
            "stage": row["StageName"],
            "amount": _amount(row["Amount"]),
            "currency": row.get("CurrencyIsoCode") or self._org.currency,
            "contact": _who(roles[0]["ContactId"] if roles else None, people),
        }

    def _invoices(self, people: JSON) -> list[JSON]:
        rows = [self._invoice(row, people) for row in self._list(INVOICES)]
        return sorted(rows, key=lambda row: (row["status"] != "open", row["due_at"]))

    def _invoice(self, row: JSON, people: JSON) -> JSON:
        due = datetime.combine(date.fromisoformat(row["Due_Date__c"]), time(), UTC)
        return {
            "id": row["Id"],
            "number": row["Name"],
            "title": "",
            "status": str(row["Status__c"]).lower(),
            "amount": _amount(row["Balance__c"]),
            "currency": row["CurrencyIsoCode"] or self._org.currency,
            "due_at": due.isoformat(),
            "days_late": (self._clock.now() - due) // timedelta(days=1),
            "contact": _who(row["Contact__c"], people),
        }

    def _cases(self, people: JSON) -> list[JSON]:
        return [
            {
                "id": row["Id"],
                "subject": row["Subject"] or "",
                "priority": row["Priority"] or "",
                "created_at": _moment(row["CreatedDate"]),
                "contact": _who(row["ContactId"], people),
            }
            for row in reversed(self._list("Case")[-CASES_SHOWN:])
        ]


def kind_of(record_id: str) -> str:
    """`lead` or `contact`, by an id."""
    return "lead" if record_id.startswith(_LEAD) else "contact"


def _own(row: JSON) -> Iterator[JSON]:
    """What the package added, as far as it is set."""
    for name, label, kind in _OWN:
        value = row.get(name)
        if value:
            shown = {"bool": "true", "datetime": _moment(value) if kind == "datetime" else ""}.get(kind, value)
            yield {"name": name, "label": label, "type": kind, "value": shown}


def _entry(task: JSON) -> JSON:
    subject = str(task["Subject"] or "")
    kind = next((kind for word, kind in (("SMS", "sms"), ("Note", "note")) if subject.startswith(word)), "task")
    return {
        "id": task["Id"],
        "kind": kind,
        "title": subject if kind == "task" else "",
        "body": str(task["Description"] or ""),
        "at": task["ActivityDate"] if kind == "task" and task["ActivityDate"] else _moment(task["CreatedDate"]),
        "changed_at": task["SystemModstamp"],
    }


def _who(contact_id: str | None, people: JSON) -> JSON | None:
    return {"id": contact_id, "name": people[contact_id]["name"]} if contact_id in people else None


def _amount(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _moment(stamp: str) -> str:
    """Salesforce's `2026-11-21T16:30:00.000+0000` as every browser reads it."""
    return datetime.fromisoformat(stamp).isoformat()


def _e164(text: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, REGION), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return ""
