"""What becomes of two contacts when somebody merges them, and of a lead when somebody converts it?

Everything here runs with the world's lock held.
"""

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.changes import Change
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request
from connector.sandbox.salesforce.writes import Writer, references_to

_CARRIED_OVER = (
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "DoNotCall",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "LeadSource",
    "IndividualId",
)


class Joiner:
    """Merges and conversions, which people do in Salesforce's screens."""

    def __init__(self, writer: Writer, clock: SandboxClock) -> None:
        self._writer = writer
        self._clock = clock

    def merge(self, org: Org, master: Record, loser: Record, user_id: str) -> list[Change]:
        """The master's own values stay as they are; what hung on the loser hangs on the master."""
        if master is loser or master.object_name != loser.object_name:
            raise bad_request("INVALID_MERGE_RECORD", "records to merge must be two of one object")
        changes = self._move(org, loser.id, master.id, user_id)
        loser.values["MasterRecordId"] = master.id
        changes += self._writer.delete(org, loser, user_id)
        return changes + self._writer.write_over(org, master, {}, user_id)

    def convert(
        self, org: Org, lead: Record, user_id: str, contact_id: str | None = None, deal_name: str | None = None
    ) -> list[Change]:
        """Make an account and a contact of a lead (or use a contact that is there), and a deal when it has a name."""
        if lead.values["IsConverted"]:
            raise bad_request("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        changes: list[Change] = []
        contact = org.record("Contact", contact_id) if contact_id else None
        account_id = contact.values["AccountId"] if contact else None
        if account_id is None:
            account_id = self._made(org, "Account", {"Name": lead.values["Company"]}, user_id, changes)
        made_id = (
            contact.id if contact else self._made(org, "Contact", _person(org, lead, account_id), user_id, changes)
        )
        deal_id = None
        if deal_name:
            day = self._clock.now().date().isoformat()
            deal = {"Name": deal_name, "StageName": "Prospecting", "CloseDate": day, "AccountId": account_id}
            deal_id = self._made(org, "Opportunity", {**deal, "ContactId": made_id}, user_id, changes)
        changes += self._move(org, lead.id, made_id, user_id)
        converted = {
            "IsConverted": True,
            "ConvertedDate": self._clock.now().date().isoformat(),
            "ConvertedContactId": made_id,
            "ConvertedAccountId": account_id,
            "ConvertedOpportunityId": deal_id,
            "Status": _converted_status(org),
        }
        return changes + self._writer.write_over(org, lead, converted, user_id)

    def _made(self, org: Org, name: str, values: dict[str, object], user_id: str, changes: list[Change]) -> str:
        record, made = self._writer.create(org, org.objects[name], values, user_id)
        changes += made
        return record.id

    def _move(self, org: Org, from_id: str, to_id: str, user_id: str) -> list[Change]:
        """Let every lookup that led to one record lead to another, where it may."""
        changes: list[Change] = []
        for other, name in list(references_to(org, from_id)):
            field = org.objects[other.object_name].field(name)
            target = org.find(to_id)
            if field and target and target.object_name in field.refers_to:
                changes += self._writer.write_over(org, other, {name: to_id}, user_id)
        return changes


def _person(org: Org, lead: Record, account_id: str) -> dict[str, object]:
    """What a contact takes over from its lead: the standard fields, and custom fields of the same name."""
    custom = [f.name for f in org.objects["Contact"].fields.values() if f.is_custom and f.name in lead.values]
    values = {name: lead.values.get(name) for name in (*_CARRIED_OVER, *custom)}
    return {**{name: value for name, value in values.items() if value is not None}, "AccountId": account_id}


def _converted_status(org: Org) -> str:
    rows = (row.values for row in org.rows("LeadStatus") if row.values["IsConverted"])
    return str(next(rows)["ApiName"])
