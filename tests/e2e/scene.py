"""Who lives in a test's portal, and what do they do and see?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connector.ports.api_keys import APIScope
from connector.sandbox.hubspot.values import iso
from connector.sandbox.page.plain_text import plain_text
from connector.services.accounts import Installation
from connector_client import Client
from tests.e2e.books import Books
from tests.e2e.rig import Rig
from tests.waiting import eventually

# Area codes of the American east coast; 555-0100 to 555-0199 are reserved for fiction in each.
_AREAS = ("212", "215", "301", "305", "404", "410", "412", "443", "508", "516", "617", "704", "718", "757")
_numbers = (f"+1{area}55501{last:02}" for area in _AREAS for last in range(100))
_portals = itertools.count(5_000_001)

_CALLS = 6000  # a minute: the limit is not what these tests are about

BOOKED, NEW = "presentationscheduled", "qualifiedtobuy"


@dataclass(frozen=True)
class Person:
    """A contact, by its id in the CRM, and its number in E.164 (empty when it has none)."""

    crm_id: str
    number: str


@dataclass
class Scene:
    """A fresh portal with one owner, installed in the connector."""

    rig: Rig
    portal_id: int = field(default_factory=lambda: next(_portals))
    owner_number: str = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        """Open the portal and install it."""
        token = f"token-of-{self.portal_id}"
        self.rig.hubspot.add_portal(self.portal_id, token=token, name="Northgate Services")
        email = f"sam.{self.portal_id}@example.com"
        self.owner_id = self.rig.hubspot.add_owner(self.portal_id, email, "Sam", "Okafor")
        settings = {"default_region": "US", "owner_phones": {email: self.owner_number}}
        self.rig.connector.accounts.add(Installation("hubspot", str(self.portal_id), token, None, settings))
        self.books = Books(self.rig, self.portal_id)

    # -- the portal

    def person(self, first: str = "Maya", *, number: str | None = None, **properties: str) -> Person:
        """Add a contact with a number of their own, a given one, or (empty) none."""
        given = next(_numbers) if number is None else number
        values = {
            "firstname": first,
            "lastname": "Lindqvist",
            "hs_timezone": "us_slash_eastern",
            "hs_language": "en",
            "hubspot_owner_id": self.owner_id,
            **({"mobilephone": given} if given else {}),
            **properties,
        }
        return Person(str(self.rig.hubspot.create(self.portal_id, "contacts", values)["id"]), given)

    def deal(self, person: Person, name: str = "Studio website") -> str:
        """Add a deal of a contact, in a stage that starts nothing."""
        values = {"dealname": name, "dealstage": NEW, "amount": "4800", "hubspot_owner_id": self.owner_id}
        return self._create("deals", values, person)

    def invoice(self, person: Person, balance: str = "450.00") -> str:
        """Add an open invoice of a contact that fell due two days ago."""
        due = self.rig.clock.now() - timedelta(days=2)
        values = {
            "hs_number": "INV-1041",
            "hs_title": "Roof survey",
            "hs_invoice_status": "open",
            "hs_due_date": iso(due.replace(hour=0, minute=0, second=0, microsecond=0)),
            "hs_amount_billed": balance,
            "hs_balance_due": balance,
            "hs_currency": "USD",
            "hubspot_owner_id": self.owner_id,
        }
        return self._create("invoices", values, person)

    def ticket(self, person: Person) -> str:
        """Add a ticket of a contact that nobody need hurry with."""
        values = {"subject": "Printer offline", "hs_ticket_priority": "LOW", "hubspot_owner_id": self.owner_id}
        return self._create("tickets", values, person)

    def change(self, kind: str, crm_id: str, **properties: str) -> None:
        """Let a user change a record; its webhook is delivered when this returns."""
        self.rig.hubspot.update(self.portal_id, kind, crm_id, properties)
        self.rig.webhooks.flush()

    def book(self, person: Person, name: str = "Studio website") -> str:
        """Let a new deal of a contact reach the stage whose journey texts them; give its id."""
        deal_id = self.deal(person, name)
        self.change("deals", deal_id, dealstage=BOOKED)
        return deal_id

    def _create(self, kind: str, values: Mapping[str, str], person: Person) -> str:
        link = [("contacts", person.crm_id)]
        return str(self.rig.hubspot.create(self.portal_id, kind, values, link)["id"])

    # -- the phones

    def texts(self, number: str) -> list[str]:
        """What the phone of a number got from us, oldest first."""
        return self.rig.shown(number)

    def gets(self, number: str, text: str, *, count: int = 1) -> None:
        """Wait until a phone shows a text that holds these words."""
        eventually(
            lambda: sum(text in body for body in self.texts(number)) >= count, f"a phone shows {text!r} {count} times"
        )

    def gets_in_time(self, number: str, text: str, *, step: float = 2, waits_for_work: bool = True) -> None:
        """Let time pass until a phone shows a text that holds these words."""
        self.rig.while_time_passes(
            lambda: any(text in body for body in self.texts(number)),
            f"a phone shows {text!r}",
            step=step,
            waits_for_work=waits_for_work,
        )

    def write(self, number: str, text: str, *, gateway: str = "twilio") -> None:
        """Let a person write to our number at a gateway."""
        source = f"{gateway}.inbound"
        known = len(self.books.inbox(source))
        self.rig.reply(number, text, gateway)
        eventually(lambda: len(self.books.inbox(source)) > known, "the reply is in the inbox")

    # -- programs

    def program(self) -> Client:
        """Give a program that may do everything the REST API has; to be closed."""
        key = self.rig.connector.api_keys.add(self.books.account_id, "shop", list(APIScope), per_minute=_CALLS)
        return Client(self.rig.url, key.secret)

    def number(self) -> str:
        """Give a number that nobody has, of somebody the CRM does not know."""
        return next(_numbers)

    # -- what a rep sees

    def timeline(self, person: Person) -> list[str]:
        """What a contact's timeline shows of texts, newest first."""
        rows = self.rig.hubspot.timeline(self.portal_id, person.crm_id)
        return [plain_text(row["body"]) for row in rows if row["type"] == "communications"]

    def tasks(self, person: Person) -> list[Mapping[str, Any]]:
        """The properties of a contact's tasks, newest first."""
        rows = self.rig.hubspot.timeline(self.portal_id, person.crm_id)
        return [row["properties"] for row in rows if row["type"] == "tasks"]

    def flag(self, person: Person) -> str | None:
        """The opt-out property of a contact."""
        values: Mapping[str, str] = self.rig.hubspot.get(self.portal_id, "contacts", person.crm_id)["properties"]
        return values.get("sms_connector_opted_out")

    def why(self, subject: str) -> str:
        """What `smsctl explain` would say."""
        return "\n".join(map(str, self.rig.connector.traces.explain(subject)))
