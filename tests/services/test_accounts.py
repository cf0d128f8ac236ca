"""Does adding an account work with what the CRM gives, and refuse what would mix two accounts up?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import select

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata, timeline_entry
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.timeline import EntryKind
from connector.errors import ConfigurationError, CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRM, CRMAccount
from connector.ports.ledger import AccountRow
from connector.ports.queue import MAINTENANCE
from connector.services.accounts import Accounts, Installation
from tests.services.sending.conftest import HandClock


@dataclass
class InstallingCRM:
    """A CRM of which only `install` is asked, and what is wrong with settings."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    error: CRMError | None = None
    mistakes: Mapping[str, str] = field(default_factory=dict)

    def mistakes_in_settings(self, _account: CRMAccount) -> Mapping[str, str]:
        if self.error is not None:
            raise self.error
        return self.mistakes

    def install(self, _account: CRMAccount) -> Mapping[str, Any]:
        if self.error is not None:
            raise self.error
        return self.facts


@dataclass
class Desk:
    ledger: SQLLedger
    crm: InstallingCRM
    nudged: list[str]

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.ledger, {"hubspot": cast("CRM", self.crm)}, HandClock())

    def all(self) -> list[AccountRow]:
        with self.ledger.begin() as uow:
            return [uow.accounts.with_tokens(each.id) for each in uow.accounts.all()]

    def told(self, account_id: str) -> list[str]:
        """What a person has to look at."""
        query = select(timeline_entry.c.summary).where(
            timeline_entry.c.account_id == account_id, timeline_entry.c.kind == EntryKind.ATTENTION_NEEDED
        )
        with self.ledger.engine.begin() as connection:
            return list(connection.execute(query).scalars())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    nudged: list[str] = []
    ledger = SQLLedger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"), Vault(["k" * 32]), nudged.append)
    metadata.create_all(ledger.engine)
    yield Desk(ledger, InstallingCRM({"name": "Acme", "time_zone": "Europe/Berlin", "external_id": "7"}), nudged)
    ledger.close()


PORTAL = Installation("hubspot", "7", token="pat-1", settings={"default_region": "DE"})


def test_an_added_account_knows_what_the_admin_and_the_crm_say(desk: Desk) -> None:
    added = desk.accounts.add(PORTAL)
    assert (added.account.status, added.account.name, added.missing) == ("active", "Acme", "")
    assert added.account.settings == {"default_region": "DE", "time_zone": "Europe/Berlin"}
    assert MAINTENANCE in desk.nudged


def test_an_account_added_again_gets_the_new_token_and_keeps_its_settings(desk: Desk) -> None:
    desk.accounts.add(PORTAL)
    desk.accounts.add(Installation("hubspot", "7", token="pat-2"))
    (account,) = desk.all()
    assert (account.access_token, account.settings["default_region"]) == ("pat-2", "DE")


def test_an_account_added_again_keeps_what_the_admin_set_and_takes_over_the_facts_that_follow_the_crm(
    desk: Desk,
) -> None:
    desk.crm.facts = {**desk.crm.facts, "currency": "EUR", "ui_domain": "app.hubspot.com", "missing_fields": ["a"]}
    desk.accounts.add(PORTAL)
    desk.accounts.change("hubspot", "7", {"time_zone": "Europe/London", "currency": "GBP"})
    desk.crm.facts = {**desk.crm.facts, "ui_domain": "app-eu1.hubspot.com", "missing_fields": []}
    added = desk.accounts.add(Installation("hubspot", "7", token="pat-2"))
    expected = {
        "default_region": "DE",
        "time_zone": "Europe/London",
        "currency": "GBP",
        "ui_domain": "app-eu1.hubspot.com",
        "missing_fields": [],
    }
    assert {name: added.account.settings[name] for name in expected} == expected


@pytest.mark.parametrize(
    "error", [CRMRefusedError("needs a scope", status=403), CRMUnavailableError("down", status=503)]
)
def test_an_account_works_without_our_properties_and_says_what_is_missing(desk: Desk, error: CRMError) -> None:
    desk.crm.error = error
    added = desk.accounts.add(PORTAL)
    assert added.account.status == "active"
    assert str(error) in added.missing


def test_a_token_the_crm_does_not_know_is_refused(desk: Desk) -> None:
    desk.crm.error = CRMDisconnectedError("unknown token", status=401)
    with pytest.raises(CRMDisconnectedError):
        desk.accounts.add(PORTAL)


def test_a_token_of_another_portal_is_never_used_for_this_one(desk: Desk) -> None:
    desk.crm.facts = {"external_id": "8"}
    with pytest.raises(ConfigurationError, match="belongs to account 8, not to 7"):
        desk.accounts.add(PORTAL)
    assert [account.status for account in desk.all()] == ["disconnected"]


def test_a_token_of_another_portal_takes_no_connection_away_that_was_made_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(_account: CRMAccount) -> Mapping[str, Any]:
        monkeypatch.undo()
        desk.accounts.add(Installation("hubspot", "7", token="its own"))
        return {"external_id": "8"}

    monkeypatch.setattr(desk.crm, "install", install)
    with pytest.raises(ConfigurationError, match="belongs to account 8, not to 7"):
        desk.accounts.add(PORTAL)
    assert [(account.status, account.access_token) for account in desk.all()] == [("active", "its own")]


@pytest.mark.parametrize(
    ("installation", "told"),
    [(Installation("pipedrive", "7", token="x"), "--crm pipedrive"), (Installation("hubspot", "7"), "--token")],
)
def test_an_installation_that_cannot_work_is_named(desk: Desk, installation: Installation, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        desk.accounts.add(installation)


def test_settings_are_changed_one_by_one_and_removed_by_none(desk: Desk) -> None:
    desk.accounts.add(PORTAL)
    desk.accounts.change("hubspot", "7", {"locale": "de", "default_region": None})
    assert desk.all()[0].settings == {"locale": "de", "time_zone": "Europe/Berlin"}
    with pytest.raises(ConfigurationError, match="there is no hubspot account 9"):
        desk.accounts.change("hubspot", "9", {})


def test_fields_the_crm_does_not_show_are_told_to_who_adds_the_account_and_to_who_reads_its_timeline(
    desk: Desk,
) -> None:
    desk.crm.facts = {**desk.crm.facts, "missing_fields": ["Contact.No_Textt__c"]}
    added = desk.accounts.add(PORTAL)
    assert "Contact.No_Textt__c" in added.missing
    assert desk.told(added.account.id) == [added.missing]


def test_a_setting_that_names_a_field_nobody_has_is_told_when_it_is_changed(desk: Desk) -> None:
    added = desk.accounts.add(PORTAL)
    desk.crm.facts = {**desk.crm.facts, "missing_fields": ["Contact.No_Textt__c"]}
    desk.accounts.change("hubspot", "7", {"locale": "de"})
    assert desk.told(added.account.id) == []
    changed = desk.accounts.change("hubspot", "7", {"opt_out_fields": {"contact": "No_Textt__c"}})
    assert changed.settings["missing_fields"] == ["Contact.No_Textt__c"]
    assert [changed.settings] == [account.settings for account in desk.all()]
    (told,) = desk.told(added.account.id)
    assert "Contact.No_Textt__c" in told


def test_a_setting_that_can_never_match_is_refused_and_nothing_is_changed(desk: Desk) -> None:
    desk.accounts.add(PORTAL)
    desk.crm.mistakes = {"opt_out_fields": "contacts have no property no_textt"}
    with pytest.raises(ConfigurationError, match="opt_out_fields: contacts have no property no_textt"):
        desk.accounts.change("hubspot", "7", {"opt_out_fields": {"contact": "no_textt"}, "locale": "de"})
    assert not {"opt_out_fields", "locale"} & desk.all()[0].settings.keys()


def test_a_mistake_of_old_refuses_no_change_of_another_setting(desk: Desk) -> None:
    desk.accounts.add(PORTAL)
    desk.crm.mistakes = {"opt_out_fields": "contacts have no property no_text"}
    desk.accounts.change("hubspot", "7", {"phone_fields": {"contact": ["sms_number"]}, "locale": "de"})
    assert desk.all()[0].settings["locale"] == "de"


def test_a_setting_is_changed_while_the_crm_is_away(desk: Desk) -> None:
    desk.accounts.add(PORTAL)
    desk.crm.error = CRMUnavailableError("down", status=503)
    desk.accounts.change("hubspot", "7", {"opt_out_fields": {"contact": "no_text"}})
    assert desk.all()[0].settings["opt_out_fields"] == {"contact": "no_text"}
