"""What stands in an end-to-end test of a Salesforce organisation, and who lives, works and texts in it?

The processes are those of every other test; the organisation is another CRM beside the pretend HubSpot. Its outbound
messages come to the real web process, its API is asked by the real workers.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connector.adapters.store.tables import account
from connector.bootstrap import SALESFORCE
from connector.ports.ledger import AccountRow
from connector.ports.records import RecordSubject
from connector.sandbox.salesforce.app import create_app
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.outbound import LARGEST_BATCH, OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from connector.services.accounts import Installation
from tests.e2e.books import _SHOWN, Books, _expected, _gist
from tests.e2e.rig import Rig
from tests.e2e.scene import Person, _numbers
from tests.waiting import eventually

CLIENT_ID, CLIENT_SECRET = "e2e-consumer-key", "e2e-consumer-secret"
BOOKED, NEW = "Demo Booked", "Prospecting"
OPT_OUT = "SMS_Opt_Out__c"

_orgs = itertools.count(501)


class SalesforceRig(Rig):
    """A pretend Salesforce beside the rest; `salesforce` is its world, `outbound` sends its outbound messages."""

    def _environment(self, database_url: str) -> dict[str, str]:
        self.salesforce = SalesforceWorld(self.clock)
        self.outbound = OutboundMessageSender(self.salesforce, self.clock)
        self._salesforce_server = Server(create_app(self.salesforce, self.clock, self.faults, self.outbound))
        return {
            **super()._environment(database_url),
            "SALESFORCE_CLIENT_ID": CLIENT_ID,
            "SALESFORCE_CLIENT_SECRETS": CLIENT_SECRET,
            "SALESFORCE_LOGIN_URL": self._salesforce_server.url,
            "SALESFORCE_API_URL": self._salesforce_server.url,
        }

    def start(self) -> None:
        """Start Salesforce, then everything else."""
        self._salesforce_server.start()
        super().start()

    def stop(self) -> None:
        """Stop everything, Salesforce last."""
        super().stop()
        self.outbound.stop()
        self._salesforce_server.stop()

    def begin_test(self) -> None:
        """Forget what earlier tests left in Salesforce, too; organisations of before are silent from now on."""
        self.outbound.duplicates, self.outbound.shuffle, self.outbound.batch_size = 0, False, LARGEST_BATCH
        for org in self.salesforce.orgs.values():
            org.outbound_messages.clear()
        self.outbound.flush()
        super().begin_test()

    def kill_workers(self) -> None:
        """Kill the worker and every process it has started, as a power cut would, and start it anew."""
        worker = self.processes.pop("worker")
        started = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text(encoding="ascii").split()
        worker.kill()
        for pid in started:
            with contextlib.suppress(ProcessLookupError):  # one that only helps ends with its parent
                os.kill(int(pid), signal.SIGKILL)
        self.start_process("worker")


@dataclass
class OrgScene:
    """A fresh organisation with one user who owns things, our package in it, installed in the connector."""

    rig: SalesforceRig
    org_id: str = field(default_factory=lambda: str(normal_id(f"00D{next(_orgs):012}")))
    owner_number: str = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        """Open the organisation and install it, its outbound messages among it."""
        world, self.admin = self.rig.salesforce, f"admin.{self.org_id}@example.com"
        host = f"org{self.org_id[-7:].lower()}.my.salesforce.com"
        world.add_org(
            self.org_id,
            username=self.admin,
            instance_host=host,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            name="Northgate Services",
        )
        world.add_choice(self.org_id, "OpportunityStage", BOOKED, label="Demo booked")
        email = f"sam.{self.org_id}@example.com"
        self.owner_id = world.add_user(self.org_id, email, FirstName="Sam", LastName="Okafor")
        self._settings = {
            "default_region": "US",
            "instance_url": f"https://{host}",
            "owner_phones": {email: self.owner_number},
        }
        account_row = self.connect()
        specs = self.rig.connector.salesforce_messages(account_row, self.admin)
        made = self.rig.connector.set_up_salesforce(account_row, specs)
        assert not any(each.trouble for each in made), made
        self.books = OrgBooks(self.rig, 0, self.org_id)

    def connect(self) -> AccountRow:
        """Give the connector tokens of the organisation: to install it, or again when it took the old ones away."""
        issued = self.rig.salesforce.grant(self.org_id, client_id=CLIENT_ID)
        tokens = (issued.access_token, issued.refresh_token)
        added = self.rig.connector.accounts.add(Installation(SALESFORCE, self.org_id, *tokens, self._settings))
        assert not added.missing, added.missing
        return added.account

    @property
    def org(self) -> Any:
        """The organisation itself."""
        return self.rig.salesforce.org(self.org_id)

    # -- the organisation

    def person(self, first: str = "Maya", *, number: str | None = None) -> Person:
        """Add a contact with a number of their own, or a given one."""
        return self._person("Contact", first, number)

    def lead(self, first: str = "Noa", *, number: str | None = None) -> Person:
        """Add a lead in the same way."""
        return self._person("Lead", first, number, Company="Initech")

    def _person(self, kind: str, first: str, number: str | None, **more: str) -> Person:
        given = number or next(_numbers)
        values = {"FirstName": first, "LastName": "Lindqvist", "MobilePhone": given, "OwnerId": self.owner_id}
        return Person(self._create(kind, {**values, **more}), given)

    def deal(self, person: Person, name: str = "Studio website") -> str:
        """Add an opportunity of a contact, in a stage that starts nothing."""
        day = self.rig.clock.now().date().isoformat()
        values = {"Name": name, "StageName": NEW, "CloseDate": day, "Amount": 4800, "OwnerId": self.owner_id}
        return self._create("Opportunity", {**values, "ContactId": person.crm_id})

    def change(self, kind: str, crm_id: str, **fields: Any) -> None:
        """Let a user change a record; the outbound message is delivered when this returns."""
        self.rig.salesforce.update(self.org_id, kind, crm_id, fields)
        self.rig.outbound.flush()

    def book(self, person: Person, name: str = "Studio website") -> str:
        """Let a new opportunity of a contact reach the stage whose journey texts them; give its id."""
        deal_id = self.deal(person, name)
        self.change("Opportunity", deal_id, StageName=BOOKED)
        return deal_id

    def _create(self, kind: str, values: Mapping[str, Any]) -> str:
        return str(self.rig.salesforce.create(self.org_id, kind, values)["Id"])

    # -- the phones

    def texts(self, number: str) -> list[str]:
        """What the phone of a number got from us, oldest first."""
        return self.rig.shown(number)

    def gets(self, number: str, text: str, *, count: int = 1, step: float = 2) -> None:
        """Let time pass until a phone shows texts that hold these words."""
        self.rig.while_time_passes(
            lambda: sum(text in body for body in self.texts(number)) >= count,
            f"a phone shows {text!r} {count} times",
            step=step,
        )

    def write(self, number: str, text: str) -> None:
        """Let a person write to our number."""
        known = len(self.books.inbox("twilio.inbound"))
        self.rig.reply(number, text, "twilio")
        eventually(lambda: len(self.books.inbox("twilio.inbound")) > known, "the reply is in the inbox")

    # -- what a rep sees

    def tasks(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Activities of a contact or lead, newest first."""
        return self.rig.salesforce.timeline(self.org_id, person.crm_id)

    def messages(self, person: Person) -> Sequence[Mapping[str, Any]]:
        """Our package's own records of a contact's texts, oldest first."""
        return [
            each
            for each in self.rig.salesforce.list(self.org_id, "SMS_Message__c")
            if each["Contact__c"] == person.crm_id
        ]

    def flag(self, person: Person) -> bool:
        """The opt-out checkbox of a contact or lead."""
        kind = "Lead" if person.crm_id.startswith("00Q") else "Contact"
        return bool(self.rig.salesforce.get(self.org_id, kind, person.crm_id)[OPT_OUT])

    def why(self, subject: str) -> str:
        """What `smsctl explain` would say."""
        return "\n".join(map(str, self.rig.connector.traces.explain(subject)))


@dataclass(frozen=True)
class OrgBooks(Books):
    """What the ledger holds about one organisation, compared with its Tasks, its records of texts and its flags."""

    org_id: str

    @property
    def account_id(self) -> str:
        """Our id of the organisation."""
        return str(self._rows(select(account.c.id).where(account.c.external_id == self.org_id))[0].id)

    def _listed(self, kind: str) -> Sequence[Mapping[str, Any]]:
        assert isinstance(self.rig, SalesforceRig)
        return self.rig.salesforce.list(self.org_id, kind)

    def _check_timeline(self) -> None:
        messages = {each.id: each for each in self.messages()}
        records = self.records()
        tasks = self._listed("Task")
        shown = [row for row in records if row.kind in _SHOWN]
        wanted = sorted(row.ref for row in records if row.kind in {*_SHOWN, RecordSubject.TASK, RecordSubject.NOTE})
        assert sorted(str(task["SMS_Ref__c"]) for task in tasks) == wanted, "a Task is missing or doubled"
        said = {str(task["SMS_Ref__c"]): str(task["Description"]) for task in tasks}
        texts = {str(each["External_Id__c"]): each for each in self._listed("SMS_Message__c")}
        assert len(texts) == len(self._listed("SMS_Message__c")), "a text is recorded twice"
        for row in shown:
            about = messages.get(row.subject.partition(":")[2])
            if about is None:
                continue
            assert _gist(said[row.ref]) == _gist(_expected(about, row)), "the Task shows another state than the ledger"
            assert texts[row.ref]["Status__c"] == about.state.value
            assert texts[row.ref]["Body__c"] == about.body
        with_contact = {each.id for each in messages.values() if each.contact_id}
        recorded = {row.subject.partition(":")[2] for row in records if row.kind in {"message", "reply"}}
        assert with_contact == recorded, "a message has no record"
        assert len(texts) == len(recorded)
        self._check_flags()

    def _check_flags(self) -> None:
        numbers = self.suppressed()
        for each in [*self._listed("Contact"), *self._listed("Lead")]:
            assert each[OPT_OUT] == (each["MobilePhone"] in numbers), "the checkbox is not what the ledger says"
