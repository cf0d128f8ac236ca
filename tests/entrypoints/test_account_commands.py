"""Can an operator change, uninstall and erase accounts from the command line, and is told what is wrong?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import ConfigurationError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from tests.adapters.store.factories import a_message, an_account
from tests.entrypoints.operated import Operated, operated, run

NAMED = ("--crm", "hubspot", "--external-id", "12345")


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch, CLOCK_OFFSET_FILE=str(tmp_path / "clock")) as found:
        yield found


def account(desk: Operated) -> AccountRow:
    with desk.connector.ledger.begin(write=False) as work:
        return work.accounts.get(desk.account_id)


def failed(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, ConfigurationError), result.output
    return str(result.exception)


def removed(desk: Operated) -> None:
    assert run("account", "remove", *NAMED, "--by", "ann").exit_code == 0
    assert account(desk).status == "uninstalled"


def erased(desk: Operated) -> str:
    """Remove and erase the account; give the erasure's id."""
    removed(desk)
    told = run("account", "erase", *NAMED, "--by", "ann", "--reason", "asked").output
    found = re.search(r"^erasure (\S+): \d+ rows? of hubspot account 12345 went$", told, re.MULTILINE)
    assert found is not None, told
    return found[1]


def test_an_organisation_is_connected_in_a_browser_and_not_by_a_token(desk: Operated) -> None:
    told = failed("account", "add", "--crm", "salesforce", "--external-id", "00D000000000001", "--token", "a token")
    assert told.endswith("in a browser: http://localhost:8000/install/salesforce")
    with desk.connector.ledger.begin(write=False) as work:
        assert [each.id for each in work.accounts.all()] == [desk.account_id]


def test_any_setting_is_set_by_its_name_beside_the_usual_ones(desk: Operated) -> None:
    options = ("--region", "us", "--owner-phone", "Ann@example.com=202 555 0110")
    others = ("--set", "unknown_numbers=attach", "--set", 'senders={"US": ["+12025550100"]}')
    result = run("account", "set", *NAMED, *options, *others)
    assert result.exit_code == 0, result.output
    settings = account(desk).settings
    assert (settings["default_region"], settings["unknown_numbers"]) == ("US", "attach")
    assert settings["owner_phones"] == {"ann@example.com": "+12025550110"}
    assert settings["senders"] == {"US": ["+12025550100"]}
    assert run("account", "set", *NAMED, "--set", "unknown_numbers=").exit_code == 0
    assert "unknown_numbers" not in account(desk).settings


def test_every_wrong_value_is_told_at_once_and_none_is_taken(desk: Operated) -> None:
    before = account(desk).settings
    told = failed("account", "set", *NAMED, "--set", "time_zone=Mars", "--set", "colour=red", "--name", "Acme")
    assert [line.partition(":")[0] for line in told.splitlines()] == ["time_zone", "colour"]
    assert account(desk).settings == before
    assert "expected a name" in failed("account", "set", *NAMED, "--set", "time_zone")
    assert "expected a name" in failed("account", "set", *NAMED, "--owner-phone", "+12025550110")


def test_a_setting_of_another_crm_or_account_is_refused(desk: Operated) -> None:
    assert "no such setting" in failed("account", "set", *NAMED, "--set", "invoice_object=Invoice__c")
    assert "there is no hubspot account 9" in failed("account", "set", "--external-id", "9", "--set", "locale=de")
    assert account(desk).settings == {"default_region": "US"}


def test_an_account_without_a_token_is_removed_and_its_texts_are_cancelled(desk: Operated) -> None:
    with desk.connector.ledger.begin() as work:
        assert work.messages.add(a_message(desk.account_id))
        work.commit()
    result = run("account", "remove", *NAMED, "--by", "ann")
    assert "hubspot account 12345 is uninstalled" in result.output
    with desk.connector.ledger.begin(write=False) as work:
        assert dict(work.messages.counts(desk.account_id)) == {"cancelled": 1}


def test_a_private_apps_end_is_left_to_a_person(desk: Operated) -> None:
    with desk.connector.ledger.begin() as work:
        work.accounts.save_tokens(desk.account_id, "pat-1", None, None)
        work.commit()
    assert "delete the private app" in run("account", "remove", *NAMED, "--by", "ann").output


def test_a_crm_that_cannot_be_told_leaves_the_account_leaving(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HUBSPOT_CLIENT_ID", "client-1")
    monkeypatch.setenv("HUBSPOT_CLIENT_SECRETS", "secret-1")
    with desk.connector.ledger.begin() as work:
        at = desk.connector.clock.now() + timedelta(hours=1)
        work.accounts.save_tokens(desk.account_id, "access-1", "refresh-1", at)
        work.commit()
    told = failed("account", "remove", *NAMED, "--by", "ann")
    assert "--without-crm" in told
    assert account(desk).status == "leaving"
    assert run("account", "remove", *NAMED, "--by", "ann", "--without-crm").exit_code == 0
    assert account(desk).status == "uninstalled"


def test_an_account_still_installed_is_not_erased(desk: Operated) -> None:
    assert "smsctl account remove" in failed("account", "erase", *NAMED, "--by", "ann", "--reason", "asked")


def test_an_account_is_erased_and_its_certificate_holds(desk: Operated, tmp_path: Path) -> None:
    with desk.connector.ledger.begin() as work:
        assert work.messages.add(a_message(desk.account_id))
        work.commit()
    erasure_id = erased(desk)
    assert "still under way" in failed("account", "certificate", erasure_id)
    (tmp_path / "clock").write_text("1000")  # seconds: the quarter of an hour is over
    assert run("account", "erase", *NAMED, "--by", "ann", "--reason", "asked").exit_code == 0
    result = run("account", "certificate", erasure_id)
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["is_genuine"]
    assert (told["counts"]["message"], told["counts"]["account"]) == (1, 1)
    assert "there is no erasure" in failed("account", "certificate", "erasure-9")


def test_a_seal_made_with_secrets_that_are_gone_does_not_hold(
    desk: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure_id = erased(desk)
    (tmp_path / "clock").write_text("1000")
    assert run("account", "erase", *NAMED, "--by", "ann", "--reason", "asked").exit_code == 0
    monkeypatch.setenv("SECRET_KEYS", "n" * 32 + "," + "k" * 32)
    assert run("account", "certificate", erasure_id).exit_code == 0
    monkeypatch.setenv("SECRET_KEYS", "n" * 32)
    assert "does not hold" in failed("account", "certificate", erasure_id)


def test_one_contact_is_erased_and_certified(desk: Operated) -> None:
    with desk.connector.ledger.begin() as work:
        now = desk.connector.clock.now()
        work.contacts.save(
            ContactRow(
                desk.connector.ledger.new_id(),
                desk.account_id,
                "hubspot",
                "51",
                None,
                "no number",
                None,
                None,
                None,
                None,
                {},
                now,
            )
        )
        work.commit()
    asked = (*NAMED, "--by", "ann", "--reason", "asked")
    told = run("account", "erase-contact", "--contact", "51", *asked).output
    assert re.search(r"^certificate: smsctl account certificate \S+$", told, re.MULTILINE)
    assert "nothing is kept of it" in failed("account", "erase-contact", "--contact", "99", *asked)


def test_an_organisation_is_known_by_the_short_form_of_its_id(desk: Operated) -> None:
    with desk.connector.ledger.begin() as work:
        work.accounts.add(an_account(crm="salesforce", external_id="00D000000000001EAA"))
        work.commit()
    named = ("--crm", "salesforce", "--external-id", "00D000000000001")
    assert "salesforce account 00D000000000001EAA" in run("account", "set", *named, "--region", "us").output
