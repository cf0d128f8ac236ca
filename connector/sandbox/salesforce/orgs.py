"""Which orgs are there, and what have their admins set up?"""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from connector.sandbox.changing_world import ChangingWorld
from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.changes import Change
from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.ids import IdMaker, normal_id
from connector.sandbox.salesforce.org import Org, ValidationRule
from connector.sandbox.salesforce.org_making import OrgMaker
from connector.sandbox.salesforce.package_schema import allow_activities, install_package, uninstall_package
from connector.sandbox.salesforce.query_cursors import Cursors
from connector.sandbox.salesforce.refusals import no_such_resource
from connector.sandbox.salesforce.tokens import Issued, Tokens
from connector.sandbox.salesforce.usage import DAILY_CALLS
from connector.sandbox.salesforce.writes import Writer


class Orgs(ChangingWorld[Change]):
    """Orgs in memory behind one lock, without what people do in them: see SalesforceWorld."""

    def __init__(self, clock: SandboxClock, *, seed: int | None = None, query_batch: int = 2000) -> None:
        super().__init__()
        self.clock = clock
        self.random = random.Random(seed)
        self.query_batch = query_batch
        self.orgs: dict[str, Org] = {}
        self.tokens = Tokens(clock, self.random)
        self.cursors = Cursors(clock)
        self.calls: Counter[str] = Counter()
        self.org_calls: Counter[tuple[str, str]] = Counter()
        self.denies_approval = False
        self.unknown_field_refuses_call = False
        self.writer = Writer(clock, IdMaker())
        self._maker = OrgMaker(clock, self.writer)

    # --- orgs and what an admin sets up --------------------------------------------------------------

    def add_org(  # noqa: PLR0913 - a setting of an org each
        self,
        org_id: str,
        *,
        username: str,
        instance_host: str | None = None,
        client_id: str = "sandbox-client",
        client_secret: str | None = "sandbox-secret",  # noqa: S107 - the pretend app's, known to everybody
        redirect_uris: Iterable[str] = (),
        rotates: bool = True,
        name: str = "",
        time_zone: str = "America/New_York",
        currency: str = "USD",
        is_multi_currency: bool = True,
        has_package: bool = True,
        namespace: str = "",
        has_consent_objects: bool = True,
        has_invoices: bool = True,
        api_limit: int = DAILY_CALLS,
    ) -> Org:
        """Open an org with one user, an administrator who is also the integration's user.

        `client_id` is the External Client App that may ask for its tokens; orgs may share one. `has_package` puts
        the connector's objects and fields in, under `namespace` when given; `has_invoices` an `Invoice__c`.
        """
        whole_id = normal_id(org_id)
        if whole_id is None or not whole_id.startswith("00D"):
            raise ValueError(f"{org_id} is no organization id")
        with self.held():
            if whole_id in self.orgs:
                raise ValueError(f"org {org_id} is there already")
            org = self._maker.make(
                whole_id,
                username=username,
                name=name,
                time_zone=time_zone,
                currency=currency,
                is_multi_currency=is_multi_currency,
                namespace=namespace,
                api_limit=api_limit,
            )
            org.instance_host = instance_host
            self._maker.fit_out(org, package=has_package, consent=has_consent_objects, invoices=has_invoices)
            self.orgs[whole_id] = org
            self.tokens.add_app(client_id, client_secret, redirect_uris, rotates=rotates)
            return org

    def org(self, org_id: str) -> Org:
        """The org; 404 when there is none."""
        found = self.orgs.get(normal_id(org_id) or "")
        if found is None:
            raise no_such_resource()
        return found

    def grant(self, org_id: str, *, client_id: str = "sandbox-client", username: str | None = None) -> Issued:
        """Access and refresh tokens for an org's user, as if the web flow had been gone through.

        As there, a sixth for one user and app ends the oldest.
        """
        org = self.org(org_id)
        user_id = self.user_id(org_id, username) if username else org.user_id
        return self.tokens.grant(org.id, user_id, client_id)

    def add_user(self, org_id: str, username: str, *, is_active: bool = True, **values: Any) -> str:
        """Add a user records can belong to; their id. `values` are fields such as FirstName or MobilePhone."""
        with self.held():
            return self._maker.add_user(self.org(org_id), username, {"IsActive": is_active, **values})

    def add_queue(self, org_id: str, name: str) -> str:
        """Add a queue that leads, cases and tasks can belong to; its id."""
        with self.held():
            return self._maker.add_row(self.org(org_id), "Group", {"Name": name, "Type": "Queue"})

    def set_user(self, org_id: str, username: str, **values: Any) -> None:
        """Change fields of a user, `IsActive` above all."""
        with self.held():
            org = self.org(org_id)
            self.writer.write_over(org, org.user(self.user_id(org_id, username)), values, org.user_id)

    def user_id(self, org_id: str, username: str) -> str:
        """The id of a user by username; 404 when there is none."""
        for user in self.org(org_id).rows("User"):
            if user.values["Username"].lower() == username.lower():
                return user.id
        raise no_such_resource()

    def silence(self, org_id: str, username: str) -> None:
        """Switch Send Outbound Messages off in a user's profile: what they write fires none."""
        self.org(org_id).silent_users.add(self.user_id(org_id, username))

    def add_choice(self, org_id: str, list_name: str, value: str, *, label: str = "", is_closed: bool = False) -> None:
        """Add a row to OpportunityStage, TaskStatus, CaseStatus or LeadStatus."""
        with self.held():
            row = {"ApiName": value, "MasterLabel": label or value, "IsClosed": is_closed, "IsActive": True}
            self._maker.add_row(self.org(org_id), list_name, row)

    def clear_choices(self, org_id: str, list_name: str) -> None:
        """Empty a list, before an org gets one of its own."""
        with self.held():
            self.org(org_id).records[list_name].clear()

    def add_object(self, org_id: str, definition: ObjectDefinition, *, has_activities: bool = True) -> None:
        """Add a custom object; tasks may be related to it unless said."""
        with self.held():
            org = self.org(org_id)
            org.objects[definition.name] = definition
            if has_activities:
                allow_activities(org.objects, definition.name)

    def install_package(self, org_id: str, namespace: str = "") -> None:
        """Put the connector's objects and fields into an org."""
        with self.held():
            org = self.org(org_id)
            org.namespace = namespace
            install_package(org.objects, namespace)

    def uninstall_package(self, org_id: str) -> None:
        """Take them away with their data, and end the app's tokens."""
        with self.held():
            org = self.org(org_id)
            for name in uninstall_package(org.objects, org.namespace):
                org.records.pop(name, None)
            org.uniques.clear()
            self.tokens.uninstall(org.id)

    def add_rule(self, org_id: str, object_name: str, field: str, pattern: str, message: str) -> None:
        """Add a validation rule: rows whose `field` matches the whole of `pattern` are refused with `message`."""
        self.org(org_id).rules.append(ValidationRule(object_name, field, pattern, message))

    def lock_row(self, org_id: str, record_id: str, times: int | None = None) -> None:
        """Let somebody hold a record: the next `times` writes to it or to its children cannot lock it."""
        self.org(org_id).locks[record_id] = times

    def unlock_row(self, org_id: str, record_id: str) -> None:
        """Let go of a record."""
        self.org(org_id).locks.pop(record_id, None)
