"""Does only the right browser, once and in time, make an admin's yes an account, and only the one that is meant?"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.account_status import AccountStatus
from connector.errors import CRMUnavailableError, InstallRefusedError
from connector.ports.crm import CRM, CRMAccount
from connector.ports.installing import Asking, Grant
from connector.ports.ledger import AccountRow
from connector.services.accounts import Accounts
from connector.services.installing import LIFETIME, Begun, Installer, Return, Visitor

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
OPERATOR, STRANGER = Visitor(may_bring_new=True, by="ann"), Visitor(may_bring_new=False)


@dataclass
class Clock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Door:
    """A CRM's door that grants what it is told to."""

    grant: Grant
    slug: str = "hubspot"
    asked: list[tuple[str, str, Asking]] = field(default_factory=list)
    given_back: list[Grant] = field(default_factory=list)
    error: Exception | None = None

    def host(self, named: str) -> str:
        return named or "https://login.example"

    def authorize_url(self, asking: Asking) -> str:
        return f"{asking.host}/authorize?state={asking.state}&challenge={asking.challenge}"

    def refusal(self, word: str) -> str:
        return f"no, {word}"

    def exchange(self, code: str, verifier: str, asking: Asking) -> Grant:
        if self.error is not None:
            raise self.error
        self.asked.append((code, verifier, asking))
        return self.grant

    def give_back(self, grant: Grant) -> None:
        self.given_back.append(grant)

    def leave(self, account_id: str) -> Sequence[str]:
        raise NotImplementedError(account_id)


@dataclass
class Scene:
    ledger: SQLLedger
    door: Door
    clock: Clock
    begun: list[str]

    def __post_init__(self) -> None:
        numbers = itertools.count()
        accounts = Accounts(self.ledger, {"hubspot": cast("CRM", self)}, self.clock, self._put_in_service)
        self.installer = Installer(
            self.ledger,
            {"hubspot": self.door},
            accounts,
            self.clock,
            "https://sms.example",
            lambda: f"secret-{next(numbers)}-" + "x" * 40,
        )

    def install(self, _account: CRMAccount) -> dict[str, Any]:
        return {"name": "Acme", "external_id": self.door.grant.external_id}

    def _put_in_service(self, account_id: str) -> Sequence[str]:
        self.begun.append(account_id)
        return ["demo-booked"]

    def back(self, begun: Begun, **changes: str) -> Return:
        return replace(Return(begun.state, begun.state, "code-1"), **changes)

    def accounts(self) -> list[AccountRow]:
        with self.ledger.begin(write=False) as work:
            return [work.accounts.with_tokens(each.id) for each in work.accounts.all()]

    def add(self, external_id: str = "7", status: str = "active") -> str:
        with self.ledger.begin() as work:
            account_id = self.ledger.new_id()
            row = AccountRow(account_id, "hubspot", external_id, "Old", status, "", {"locale": "de"}, START, "a", "r")
            work.accounts.add(row)
            work.commit()
        return account_id


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    ledger = SQLLedger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"), Vault(["k" * 32]), lambda _: None)
    metadata.create_all(ledger.engine)
    grant = Grant("7", "access-1", "refresh-1", START + timedelta(minutes=30), {"installed_by": "ann@example.com"})
    yield Scene(ledger, Door(grant), Clock(), [])
    ledger.close()


def test_an_admins_yes_becomes_an_account_with_its_tokens_and_journeys(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR)
    installed = scene.installer.finish("hubspot", scene.back(begun))
    row = scene.accounts()[0]
    assert (row.external_id, row.access_token, row.refresh_token) == ("7", "access-1", "refresh-1")
    assert row.token_expires_at == START + timedelta(minutes=30)
    assert (row.status, row.name, row.settings["installed_by"]) == ("active", "Acme", "ann@example.com")
    assert installed.is_new
    assert list(installed.added.in_service) == ["demo-booked"]


def test_the_code_goes_with_the_verifier_of_the_challenge_and_the_same_address(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR, host="https://acme.example")
    scene.installer.finish("hubspot", scene.back(begun))
    [(code, verifier, asking)] = scene.door.asked
    assert code == "code-1"
    assert len(verifier) >= 43
    digest = hashlib.sha256(verifier.encode()).digest()
    assert asking.challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert asking.challenge in begun.url
    assert verifier not in begun.url
    assert (asking.host, asking.redirect_uri) == (
        "https://acme.example",
        "https://sms.example/install/hubspot/callback",
    )


def test_an_answer_counts_once(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR)
    scene.installer.finish("hubspot", scene.back(begun))
    with pytest.raises(InstallRefusedError, match="used already"):
        scene.installer.finish("hubspot", scene.back(begun))
    assert len(scene.door.asked) == 1


def test_an_answer_does_not_count_in_another_browser(scene: Scene) -> None:
    begun, other = scene.installer.begin("hubspot", OPERATOR), scene.installer.begin("hubspot", OPERATOR)
    for kept in (other.state, "", "x"):
        with pytest.raises(InstallRefusedError, match="does not belong to this browser"):
            scene.installer.finish("hubspot", scene.back(begun, kept_state=kept))
    with pytest.raises(InstallRefusedError):
        scene.installer.finish("hubspot", Return("", "", "code-1"))
    assert scene.door.asked == []
    assert scene.accounts() == []


def test_an_answer_comes_too_late_after_ten_minutes(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR)
    scene.clock.at += LIFETIME
    with pytest.raises(InstallRefusedError, match="ten minutes"):
        scene.installer.finish("hubspot", scene.back(begun))


def test_a_no_is_told_in_the_crms_words_and_uses_the_attempt_up(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR)
    with pytest.raises(InstallRefusedError, match="no, access_denied") as caught:
        scene.installer.finish("hubspot", scene.back(begun, code="", error="access_denied"))
    assert caught.value.code == "access_denied"
    with pytest.raises(InstallRefusedError, match="used already"):
        scene.installer.finish("hubspot", scene.back(begun))


def test_a_portal_nobody_knows_is_given_back_where_only_the_operator_may_install(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", STRANGER)
    with pytest.raises(InstallRefusedError, match="INSTALL_OPEN"):
        scene.installer.finish("hubspot", scene.back(begun))
    assert scene.door.given_back == [scene.door.grant]
    assert scene.accounts() == []


@pytest.mark.parametrize("status", ["active", "disconnected", "uninstalled"])
def test_an_account_that_is_there_is_connected_again_by_whoever_the_crm_lets(scene: Scene, status: str) -> None:
    account_id = scene.add(status=status)
    begun = scene.installer.begin("hubspot", STRANGER)
    installed = scene.installer.finish("hubspot", scene.back(begun))
    [row] = scene.accounts()
    assert (row.id, row.status, row.access_token) == (account_id, "active", "access-1")
    assert row.settings["locale"] == "de"
    assert not installed.is_new


def test_reconnecting_an_account_takes_no_other_portal_and_leaves_that_one_as_it_is(scene: Scene) -> None:
    meant, other = scene.add("8", "disconnected"), scene.add("7")
    begun = scene.installer.begin("hubspot", OPERATOR, account_id=meant)
    with pytest.raises(InstallRefusedError, match="not the account to be connected"):
        scene.installer.finish("hubspot", scene.back(begun))
    assert scene.door.given_back == []  # uninstalling would take the other account's app away
    assert {row.id: row.access_token for row in scene.accounts()} == {meant: "a", other: "a"}


def test_reconnecting_with_a_portal_nobody_knows_makes_no_new_account(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR, account_id=scene.add("8", "disconnected"))
    with pytest.raises(InstallRefusedError, match="not the account to be connected"):
        scene.installer.finish("hubspot", scene.back(begun))
    assert scene.door.given_back == [scene.door.grant]
    assert len(scene.accounts()) == 1


def test_an_account_that_is_being_erased_comes_back_only_afterwards(scene: Scene) -> None:
    account_id = scene.add(status=AccountStatus.ERASING)
    with pytest.raises(InstallRefusedError, match="being erased"):
        scene.installer.begin("hubspot", OPERATOR, account_id=account_id)
    begun = scene.installer.begin("hubspot", OPERATOR)
    with pytest.raises(InstallRefusedError, match="quarter of an hour"):
        scene.installer.finish("hubspot", scene.back(begun))
    assert scene.accounts()[0].status == "erasing"


def test_an_account_or_crm_nobody_knows_is_refused_at_once(scene: Scene) -> None:
    with pytest.raises(InstallRefusedError, match="no such account"):
        scene.installer.begin("hubspot", OPERATOR, account_id="account-9")
    with pytest.raises(InstallRefusedError, match="not set up"):
        scene.installer.begin("zoho", OPERATOR)
    assert scene.installer.offered() == ["hubspot"]


def test_a_crm_that_is_away_is_told_as_it_is(scene: Scene) -> None:
    scene.door.error = CRMUnavailableError("no answer from HubSpot")
    begun = scene.installer.begin("hubspot", OPERATOR)
    with pytest.raises(CRMUnavailableError):
        scene.installer.finish("hubspot", scene.back(begun))


def test_neither_state_nor_code_is_shown_by_accident(scene: Scene) -> None:
    begun = scene.installer.begin("hubspot", OPERATOR)
    assert begun.state not in repr(begun)
    assert begun.state not in repr(scene.back(begun))
    assert "code-1" not in repr(scene.back(begun))
