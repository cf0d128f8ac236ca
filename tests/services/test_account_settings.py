"""Are an account's settings changed all or none, and those of others never?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.account_settings import settings_of
from connector.errors import CRMUnavailableError
from connector.ports.ledger import AccountRow
from connector.services.account_settings import AccountSettings
from tests.services.fake_crm import FakeCRM

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    with ledger.begin() as work:
        for number, crm in ((1, "hubspot"), (2, "salesforce")):
            settings = {"default_region": "DE", "instance_url": "https://acme.my.salesforce.com"}
            work.accounts.add(AccountRow(f"account-{number}", crm, str(number), "Acme", "active", "", settings, AT))
        work.commit()
    return ledger


def test_values_are_those_set_and_defaults_for_the_rest(ledger: MemoryLedger) -> None:
    values = AccountSettings(ledger, {}).values("account-1")
    assert (values["default_region"], values["unknown_numbers"], values["senders"]) == ("DE", "ignore", [])
    assert "instance_url" not in values
    assert "salesforce_namespace" not in values
    assert AccountSettings(ledger, {}).values("account-2")["salesforce_namespace"] == ""


def test_a_change_is_kept_beside_what_is_no_setting(ledger: MemoryLedger) -> None:
    assert AccountSettings(ledger, {}).change("account-1", {"unknown_numbers": "attach", "name": "Lea"}, "ann") == {}
    kept = ledger.accounts.get("account-1").settings
    assert (kept["unknown_numbers"], kept["name"], kept["default_region"]) == ("attach", "Lea", "DE")
    assert kept["instance_url"] == "https://acme.my.salesforce.com"
    assert ledger.accounts.get("account-2").settings.get("name") is None


def test_one_mistake_changes_nothing_and_every_mistake_is_named(ledger: MemoryLedger) -> None:
    before = ledger.accounts.get("account-1")
    wrong = AccountSettings(ledger, {}).change("account-1", {"name": "Lea", "time_zone": "x", "colour": "red"}, "ann")
    assert set(wrong) == {"time_zone", "colour"}
    assert ledger.accounts.get("account-1") == before


def test_an_emptied_setting_has_its_default_again(ledger: MemoryLedger) -> None:
    desk = AccountSettings(ledger, {})
    desk.change("account-1", {"unknown_numbers": "create"}, "ann")
    assert desk.change("account-1", {"unknown_numbers": None, "default_region": ""}, "ann") == {}
    assert desk.values("account-1")["unknown_numbers"] == "ignore"
    assert "default_region" not in ledger.accounts.get("account-1").settings


def test_numbers_of_owners_are_read_in_the_country_that_is_set_with_them(ledger: MemoryLedger) -> None:
    change = {"default_region": "US", "owner_phones": {"ann@example.com": "202 555 0110"}}
    assert AccountSettings(ledger, {}).change("account-1", change, "ann") == {}
    assert AccountSettings(ledger, {}).values("account-1")["owner_phones"] == {"ann@example.com": "+12025550110"}


def test_an_account_nobody_knows_has_no_settings(ledger: MemoryLedger) -> None:
    with pytest.raises(KeyError):
        AccountSettings(ledger, {}).values("account-9")
    with pytest.raises(KeyError):
        AccountSettings(ledger, {}).change("account-9", {}, "ann")


@pytest.mark.parametrize("crm", ["hubspot", "salesforce"])
def test_an_account_is_shown_the_settings_of_its_crm_and_no_others(ledger: MemoryLedger, crm: str) -> None:
    shown = {each.name: each for each in AccountSettings(ledger, {}).shown(crm)}
    assert list(shown) == [each.name for each in settings_of(crm)]
    assert ("new_person" in shown) == (crm == "salesforce")
    assert shown["unknown_numbers"].options == ("ignore", "attach", "create")


def test_a_field_the_crm_does_not_have_is_refused_beside_its_setting(ledger: MemoryLedger) -> None:
    crm = FakeCRM(fields={"do_not_text"})
    desk, wrong = AccountSettings(ledger, {"hubspot": crm}), {"opt_out_fields": {"contact": "do_not_txt"}}
    assert set(desk.change("account-1", {**wrong, "name": "Lea"}, "ann")) == {"opt_out_fields"}
    assert ledger.accounts.get("account-1").settings.get("name") is None
    assert desk.change("account-1", {"opt_out_fields": {"contact": "do_not_text"}}, "ann") == {}
    assert ledger.accounts.get("account-1").settings["opt_out_fields"] == {"contact": "do_not_text"}


def test_the_crm_is_asked_only_for_fields_that_changed(ledger: MemoryLedger) -> None:
    crm = FakeCRM(fields={"do_not_text"})
    desk = AccountSettings(ledger, {"hubspot": crm})
    desk.change("account-1", {"opt_out_fields": {"contact": "do_not_text"}}, "ann")
    crm.fields = set()  # somebody took it away
    assert desk.change("account-1", {"opt_out_fields": {"contact": "do_not_text"}, "name": "Lea"}, "ann") == {}
    assert crm.calls["mistakes_in_settings"] == 1


def test_settings_are_changed_while_the_crm_is_away(ledger: MemoryLedger) -> None:
    crm = FakeCRM(fields=set())
    crm.fail("mistakes_in_settings", CRMUnavailableError("down", status=503))
    change = {"opt_out_fields": {"contact": "do_not_text"}}
    assert AccountSettings(ledger, {"hubspot": crm}).change("account-1", change, "ann") == {}


def test_an_account_that_is_not_connected_is_not_asked(ledger: MemoryLedger) -> None:
    with ledger.begin() as work:
        work.accounts.set_status("account-1", "disconnected", "")
        work.commit()
    crm = FakeCRM(fields=set())
    change = {"opt_out_fields": {"contact": "do_not_text"}}
    assert AccountSettings(ledger, {"hubspot": crm}).change("account-1", change, "ann") == {}
    assert crm.calls["mistakes_in_settings"] == 0
