"""Are an account's settings changed all or none, and those of others never?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.account_settings import ACCOUNT_SETTINGS
from connector.ports.ledger import AccountRow
from connector.services.account_settings import AccountSettings

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
    values = AccountSettings(ledger).values("account-1")
    assert (values["default_region"], values["unknown_numbers"], values["senders"]) == ("DE", "ignore", [])
    assert "instance_url" not in values
    assert "salesforce_namespace" not in values
    assert AccountSettings(ledger).values("account-2")["salesforce_namespace"] == ""


def test_a_change_is_kept_beside_what_is_no_setting(ledger: MemoryLedger) -> None:
    assert AccountSettings(ledger).change("account-1", {"unknown_numbers": "attach", "name": "Lea"}, "ann") == {}
    kept = ledger.accounts.get("account-1").settings
    assert (kept["unknown_numbers"], kept["name"], kept["default_region"]) == ("attach", "Lea", "DE")
    assert kept["instance_url"] == "https://acme.my.salesforce.com"
    assert ledger.accounts.get("account-2").settings.get("name") is None


def test_one_mistake_changes_nothing_and_every_mistake_is_named(ledger: MemoryLedger) -> None:
    before = ledger.accounts.get("account-1")
    wrong = AccountSettings(ledger).change("account-1", {"name": "Lea", "time_zone": "x", "colour": "red"}, "ann")
    assert set(wrong) == {"time_zone", "colour"}
    assert ledger.accounts.get("account-1") == before


def test_an_emptied_setting_has_its_default_again(ledger: MemoryLedger) -> None:
    desk = AccountSettings(ledger)
    desk.change("account-1", {"unknown_numbers": "create"}, "ann")
    assert desk.change("account-1", {"unknown_numbers": None, "default_region": ""}, "ann") == {}
    assert desk.values("account-1")["unknown_numbers"] == "ignore"
    assert "default_region" not in ledger.accounts.get("account-1").settings


def test_numbers_of_owners_are_read_in_the_country_that_is_set_with_them(ledger: MemoryLedger) -> None:
    change = {"default_region": "US", "owner_phones": {"ann@example.com": "202 555 0110"}}
    assert AccountSettings(ledger).change("account-1", change, "ann") == {}
    assert AccountSettings(ledger).values("account-1")["owner_phones"] == {"ann@example.com": "+12025550110"}


def test_an_account_nobody_knows_has_no_settings(ledger: MemoryLedger) -> None:
    with pytest.raises(KeyError):
        AccountSettings(ledger).values("account-9")
    with pytest.raises(KeyError):
        AccountSettings(ledger).change("account-9", {}, "ann")


def test_every_setting_is_shown_and_those_of_one_crm_say_so(ledger: MemoryLedger) -> None:
    shown = {each.name: each for each in AccountSettings(ledger).shown()}
    assert list(shown) == [each.name for each in ACCOUNT_SETTINGS]
    assert shown["new_person"].help.endswith("(Salesforce only.)")
    assert shown["unknown_numbers"].options == ("ignore", "attach", "create")
