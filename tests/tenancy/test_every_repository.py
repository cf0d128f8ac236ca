"""Does any method of any repository, asked for one account with the ids of another, give or change anything?"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, get_type_hints

import pytest
from sqlalchemy.exc import IntegrityError, NoResultFound

from connector.adapters.memory.ledger import MemoryLedger
from connector.ports.ledger import Ledger, UnitOfWork
from tests.tenancy.calls import FORGED, Method, arguments, forged, methods
from tests.tenancy.conftest import a_sqlite_ledger
from tests.tenancy.filling import fill
from tests.tenancy.keeping import Kept, Ledgerful
from tests.tenancy.owners import ALDER, BIRCH, OWN, SHARED
from tests.tenancy.telling import belongings, belongings_now, leaked, told

WRITES_A_ROW_OF_ITS_OWN = {
    "versions.ensure": "an account may have a journey of the same name, in its own versions",
    "splits.assign": "the assignment is the account's; only its own texts are ever counted with it",
    "splits.win": "likewise",
}
"""Methods that answer something when they are called with another account's ids: the row they make is the caller's."""

SPEAKS_OF_THE_WHOLE_ACCOUNT = {
    "habits.of": "besides the contact's hours it gives those of all of the caller's own contacts",
}
"""Methods that answer with what is the caller's, whatever else they are asked for."""

HAPPENS_ONCE = {"polls.ensure", "splits.assign", "splits.win"}
"""Methods that do nothing the second time: what they would do for the owner has been done by `filling.py`."""

NOT_A_ROW = {
    "links.click": "the link is found by its code, and the click is of the link's account",
    "messages.dead_letters": "a filter, whose account is optional: of every account for an operator",
}
"""Methods that take something with an account in it, which is no row to be written."""

SAVES = ("attempts.save", "enrollments.save", "erasures.complete", "numbers.save", "traffic.spend")
"""What changes rows that are there. In memory only these are tried with forged rows: the ids of its new rows are
numbers that count up, and nobody can choose one."""

SCOPED = [(method, parameters) for method, parameters in methods() if "account_id" in parameters]
NAMES = [str(method) for method, _ in SCOPED]
PAIRS = [(ALDER.hubspot, BIRCH.hubspot), (ALDER.salesforce, BIRCH.salesforce), (ALDER.hubspot, BIRCH.salesforce)]


@dataclass(frozen=True)
class Home:
    """A ledger in which both tenants live; every test takes back what it does there."""

    ledger: Ledger
    rows: Ledgerful
    before: list[str]

    @contextlib.contextmanager
    def looking(self) -> Iterator[UnitOfWork]:
        """Begin a unit of work that nobody commits, and that is to change nothing of Birch's."""
        with self.ledger.begin() as uow:
            yield uow
            assert belongings_now(self.ledger, uow, BIRCH) == self.before


def _home(ledger: Ledger) -> Home:
    return Home(ledger, fill(ledger), belongings(ledger, BIRCH))


@pytest.fixture(scope="module")
def sql_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    ledger = a_sqlite_ledger(tmp_path_factory.mktemp("tenancy"))
    yield _home(ledger)
    ledger.close()


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def home(request: pytest.FixtureRequest, sql_home: Home) -> Home:
    return sql_home if request.param == "sqlite" else _home(MemoryLedger())


def call(uow: UnitOfWork, method: Method, parameters: Mapping[str, Parameter], kept: Kept, account_id: str) -> Any:
    given = arguments(method, parameters, kept, account_id)
    by_name = {name: given.pop(name) for name, each in parameters.items() if each.kind is Parameter.KEYWORD_ONLY}
    return getattr(getattr(uow, method.repository), method.name)(*given.values(), **by_name)


@pytest.mark.parametrize(("method", "parameters"), SCOPED, ids=NAMES)
def test_the_owner_would_find_or_change_something(
    home: Home, method: Method, parameters: Mapping[str, Parameter]
) -> None:
    """Without this the tests below would pass by asking for what nobody has."""
    with home.ledger.begin() as uow:
        found = call(uow, method, parameters, home.rows[BIRCH.hubspot.account_id, OWN], BIRCH.hubspot.account_id)
        is_changed = belongings_now(home.ledger, uow, BIRCH) != home.before
    assert found or is_changed or str(method) in HAPPENS_ONCE


@pytest.mark.parametrize(("method", "parameters"), SCOPED, ids=NAMES)
def test_another_account_finds_and_changes_nothing_by_ids_that_are_not_its_own(
    home: Home, method: Method, parameters: Mapping[str, Parameter]
) -> None:
    for mine, theirs in PAIRS:
        kept = home.rows[theirs.account_id, OWN]
        given = arguments(method, parameters, kept, mine.account_id)
        with home.looking() as uow:
            found = call(uow, method, parameters, kept, mine.account_id)
        assert not leaked(BIRCH, found, asked=told(given))
        names_something = given != arguments(method, parameters, home.rows[mine.account_id, OWN], mine.account_id)
        if names_something and str(method) not in {*WRITES_A_ROW_OF_ITS_OWN, *SPEAKS_OF_THE_WHOLE_ACCOUNT}:
            assert not found


@pytest.mark.parametrize(("method", "parameters"), SCOPED, ids=NAMES)
def test_another_account_finds_its_own_rows_only_by_what_both_have(
    home: Home, method: Method, parameters: Mapping[str, Parameter]
) -> None:
    """Both have texted one number, have a contact 51, a journey of one name, an order under one key …"""
    for mine, theirs in PAIRS:
        kept = home.rows[theirs.account_id, SHARED]
        with home.looking() as uow:
            found = call(uow, method, parameters, kept, mine.account_id)
        assert not leaked(BIRCH, found, asked=told(arguments(method, parameters, kept, mine.account_id)))


@pytest.mark.parametrize("method", FORGED, ids=str)
def test_a_row_with_anothers_id_on_it_changes_nothing_of_theirs(sql_home: Home, method: Method) -> None:
    _write_forged(sql_home, method)


@pytest.mark.parametrize("method", [method for method in FORGED if str(method) in SAVES], ids=str)
def test_a_row_with_anothers_id_is_not_saved_over_theirs(home: Home, method: Method) -> None:
    _write_forged(home, method)


def _write_forged(home: Home, method: Method) -> None:
    for key in (OWN, SHARED):
        row = forged(FORGED[method](home.rows[BIRCH.hubspot.account_id, key]), ALDER.hubspot.account_id)
        with contextlib.suppress(IntegrityError, KeyError, NoResultFound), home.looking() as uow:
            getattr(getattr(uow, method.repository), method.name)(row)
        assert belongings(home.ledger, BIRCH) == home.before


def test_every_method_that_takes_a_row_of_an_account_is_tried_with_a_forged_one() -> None:
    """By the annotations: a row of an account, or several of them."""
    takes_a_row = {
        str(method) for method, taken in methods() if any(_has_account(method, each) for each in taken.values())
    }
    assert takes_a_row - set(NOT_A_ROW) == {str(method) for method in FORGED} - {"accounts.add"}


def _has_account(method: Method, parameter: Parameter) -> bool:
    module = sys.modules[get_type_hints(UnitOfWork)[method.repository].__module__]
    types = [getattr(module, name, None) for name in re.findall(r"\w+", str(parameter.annotation))]
    return any("account_id" in getattr(each, "__dataclass_fields__", {}) for each in types)


def test_no_exception_is_left_over() -> None:
    known = {str(method) for method, _ in methods()}
    assert {*WRITES_A_ROW_OF_ITS_OWN, *SPEAKS_OF_THE_WHOLE_ACCOUNT, *HAPPENS_ONCE, *NOT_A_ROW, *SAVES} <= known
