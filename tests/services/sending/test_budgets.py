"""Is no more sent or spent in a day than was allowed, by anybody, and does what waits go on the next day?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, SQLUnitOfWork, make_engine
from connector.domain.gateway_book import Budget, BudgetScope, GatewayBook
from connector.domain.message import MessageState
from connector.domain.prices import Price
from connector.errors import AmbiguousSendError, PermanentSendError, TransientSendError
from connector.ports.gateway import Accepted, OutgoingSMS, StatusReport
from connector.ports.messages import MessageRow
from connector.ports.traffic import Spending
from tests.adapters.store.factories import NOW, an_account
from tests.domain.gateway_parts import prices
from tests.services.sending.conftest import PATIENT, Desk, ScriptedGateway
from tests.services.sending.texts import a_text, down, in_order, some_texts, with_plivo, work

USD = "USD"
PER_ACCOUNT, PER_GATEWAY, PER_JOURNEY = BudgetScope.ACCOUNT, BudgetScope.GATEWAY, BudgetScope.JOURNEY
ACCEPTED, HELD = MessageState.ACCEPTED, MessageState.HELD


def texts(scope: BudgetScope, count: int, name: str = "") -> Budget:
    return Budget(scope, name, per_day_texts=count)


def money(scope: BudgetScope, amount: str, name: str = "") -> Budget:
    return Budget(scope, name, per_day_spend=Price(Decimal(amount), USD))


def with_budgets(desk: Desk, *budgets: Budget, **prices_of: str) -> Desk:
    listed = prices(**(prices_of or {"twilio": "0.04"}))
    return replace(desk, book=replace(PATIENT, budgets=budgets, prices=listed))


def spent(desk: Desk) -> tuple[int, Decimal]:
    """Give how many texts count, and what they cost, over all days."""
    days = [(NOW + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1, 2)]
    with desk.ledger.begin(write=False) as uow:
        found = uow.traffic.spent(days)
    return sum(each.texts for each in found), sum((each.amount for each in found), Decimal(0))


def states(desk: Desk, rows: Sequence[MessageRow]) -> list[MessageState]:
    return [desk.state_of(row) for row in rows]


def test_texts_over_the_budget_wait_for_midnight_and_say_so(desk: Desk) -> None:
    desk = with_budgets(desk, texts(PER_ACCOUNT, 2))
    rows = some_texts(desk, 5)
    work(desk)
    held = [desk.row(row) for row in rows if desk.state_of(row) is HELD]
    assert len(desk.gateway.sent) == 2
    assert {row.not_before for row in held} == {datetime(2026, 11, 21, tzinfo=UTC)}
    assert {row.state_reason for row in held} == {"the daily budget of the account (2 texts) is used up for today"}
    desk.clock.time = datetime(2026, 11, 21, tzinfo=UTC)
    desk.wake()
    work(desk)
    assert len(desk.gateway.sent) == 4


def test_the_day_ends_at_midnight_by_the_clock_of_the_account(desk: Desk) -> None:
    account = an_account(settings={"time_zone": "America/New_York"})
    with desk.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    desk = replace(with_budgets(desk, texts(PER_ACCOUNT, 1)), account_id=account.id)
    rows = some_texts(desk, 2)
    work(desk)
    (held,) = [desk.row(row) for row in rows if desk.state_of(row) is HELD]
    assert held.not_before == datetime(2026, 11, 21, 5, tzinfo=UTC)
    with desk.ledger.begin(write=False) as uow:
        assert [each.day for each in uow.traffic.spent(["2026-11-20"])] == ["2026-11-20"]


def test_money_is_counted_by_what_texts_are_expected_to_cost(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "0.10"))
    rows = some_texts(desk, 5)
    work(desk)
    assert len(desk.gateway.sent) == 2
    assert spent(desk) == (2, Decimal("0.08"))
    held = next(desk.row(row) for row in rows if desk.state_of(row) is HELD)
    assert held.state_reason == "the daily budget of the account (0.10 USD) is used up for today"


def test_a_long_text_counts_as_much_as_it_costs(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "0.10"))
    long, short = a_text(desk, segments=3), a_text(desk)
    desk.add(long, short)
    work(desk)
    assert states(desk, [long, short]) == [HELD, ACCEPTED]


def test_the_last_cent_may_be_spent(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "0.12"))
    some_texts(desk, 4)
    work(desk)
    assert len(desk.gateway.sent) == 3


def test_the_real_price_corrects_what_was_expected_whether_it_comes_with_the_answer_or_the_receipt(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "1.00"))
    first = a_text(desk)
    desk.add(first)
    desk.gateway.price = Decimal("0.03")
    work(desk)
    assert spent(desk) == (1, Decimal("0.03"))
    desk.apply(first, MessageState.DELIVERED, price=Decimal("0.05"), currency=USD)
    assert spent(desk) == (1, Decimal("0.05"))
    desk.apply(first, MessageState.DELIVERED, price=Decimal("0.05"), currency=USD)
    assert spent(desk) == (1, Decimal("0.05"))


def test_a_text_that_turned_out_free_costs_nothing(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "1.00"))
    desk.gateway.price = Decimal(0)
    some_texts(desk, 1)
    work(desk)
    assert spent(desk) == (1, Decimal(0))


def test_a_price_that_beats_our_own_record_of_the_send_is_counted_once(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "1.00"))
    desk.gateway.price = Decimal("0.07")

    def receipt_first(sms: OutgoingSMS) -> None:
        with desk.ledger.begin() as uow:
            report = StatusReport(
                f"SM{1:030d}",
                MessageState.DELIVERED,
                "delivered",
                sms.attempt_id,
                price=Decimal("0.07"),
                currency=USD,
            )
            desk.receipts.apply(uow, "twilio", report, NOW)
            uow.commit()

    desk.gateway.before_answer = receipt_first
    some_texts(desk, 1)
    work(desk)
    assert spent(desk) == (1, Decimal("0.07"))


def test_a_price_in_another_currency_is_not_added_to_sums_of_this_one(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_ACCOUNT, "1.00"))
    (text,) = some_texts(desk, 1)
    work(desk)
    desk.apply(text, MessageState.DELIVERED, price=Decimal("3.50"), currency="JPY")
    assert spent(desk) == (1, Decimal("0.04"))


@pytest.mark.parametrize("error", [PermanentSendError("no mobile", code="1"), down()])
def test_what_a_gateway_refuses_is_given_back(desk: Desk, error: PermanentSendError | TransientSendError) -> None:
    desk = with_budgets(desk, texts(PER_ACCOUNT, 1))
    desk.gateway.script = [error]
    (text,) = some_texts(desk, 1)
    work(desk)
    assert spent(desk) == (0, Decimal(0))
    desk.apply(text, MessageState.FAILED, price=Decimal("0.09"), currency=USD)  # nothing is corrected that is not there
    assert spent(desk) == (0, Decimal(0))


def test_what_may_have_gone_out_stays_counted_until_it_certainly_did_not(desk: Desk) -> None:
    desk = with_budgets(desk, texts(PER_ACCOUNT, 1))
    desk.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    some_texts(desk, 1)
    work(desk)
    assert spent(desk) == (1, Decimal("0.04"))
    desk.clock.advance(minutes=4)
    desk.reconciler.ask()
    assert spent(desk) == (0, Decimal(0))
    work(desk)
    assert spent(desk) == (1, Decimal("0.04"))


def test_a_text_that_fails_over_is_paid_for_once_to_the_gateway_that_took_it(desk: Desk) -> None:
    book = replace(
        in_order("twilio", "plivo"), budgets=(texts(PER_ACCOUNT, 1),), prices=prices(twilio="0.04", plivo="0.06")
    )
    desk, plivo = with_plivo(desk, book)
    desk.gateway.script = [down()]
    some_texts(desk, 1)
    work(desk)
    desk.clock.advance(seconds=1)
    work(desk)
    assert len(plivo.sent) == 1
    with desk.ledger.begin(write=False) as uow:
        by_gateway = {each.gateway: (each.texts, each.amount) for each in uow.traffic.spent(["2026-11-20"])}
    assert by_gateway == {"twilio": (0, Decimal(0)), "plivo": (1, Decimal("0.06"))}


@pytest.mark.parametrize(
    ("budget", "sent"),
    [
        (texts(PER_JOURNEY, 1), 3),  # each journey has one of its own; the text outside journeys is none's
        (texts(PER_JOURNEY, 1, "tips"), 4),
        (texts(PER_GATEWAY, 2), 2),
        (texts(PER_GATEWAY, 2, "plivo"), 5),
        (texts(PER_ACCOUNT, 3), 3),
        (texts(PER_ACCOUNT, 3, "somebody else"), 5),
    ],
)
def test_a_budget_counts_what_it_is_for(desk: Desk, budget: Budget, sent: int) -> None:
    desk = with_budgets(desk, budget)
    desk.add(*(a_text(desk, journey=journey) for journey in ("tips", "tips", "news", "news", "")))
    work(desk)
    assert len(desk.gateway.sent) == sent


def test_a_gateways_budget_counts_the_texts_of_all_accounts(desk: Desk) -> None:
    desk = with_budgets(desk, texts(PER_GATEWAY, 3))
    other = an_account()
    with desk.ledger.begin() as uow:
        uow.accounts.add(other)
        uow.commit()
    desk.add(*(a_text(replace(desk, account_id=account)) for account in (desk.account_id, other.id) for _ in range(2)))
    work(desk)
    assert len(desk.gateway.sent) == 3


def test_a_gateways_day_is_one_for_all_accounts_whatever_their_clocks(desk: Desk) -> None:
    desk = with_budgets(desk, texts(PER_GATEWAY, 1))
    desk.clock.time = datetime(2026, 11, 21, 2, tzinfo=UTC)  # still the 20th in New York
    abroad = an_account(settings={"time_zone": "America/New_York"})
    with desk.ledger.begin() as uow:
        uow.accounts.add(abroad)
        uow.commit()
    desk.add(a_text(desk))
    work(desk)
    late = a_text(replace(desk, account_id=abroad.id))
    desk.add(late)
    work(desk)
    row = desk.row(late)
    assert (row.state, row.not_before) == (HELD, datetime(2026, 11, 22, tzinfo=UTC))
    assert row.state_reason == "the daily budget through twilio (1 texts) is used up for today"


def test_a_price_is_corrected_on_the_days_on_which_its_text_was_counted(desk: Desk) -> None:
    desk = with_budgets(desk, money(PER_GATEWAY, "0.10"))
    desk.clock.time = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    (text,) = some_texts(desk, 1)
    work(desk)
    desk.clock.advance(hours=1)
    desk.apply(text, MessageState.DELIVERED, price=Decimal("0.09"), currency=USD)
    with desk.ledger.begin(write=False) as uow:
        (found,) = uow.traffic.spent(["2026-11-20", "2026-11-21"])
    assert (found.day, found.utc_day, found.amount) == ("2026-11-20", "2026-11-20", Decimal("0.09"))


def test_a_text_without_a_price_is_not_sent_on_a_budget_of_money(desk: Desk) -> None:
    book = replace(in_order("plivo"), budgets=(money(PER_ACCOUNT, "0.10"),), prices=prices(twilio="0.04"))
    desk, plivo = with_plivo(desk, book)
    text = a_text(desk)
    desk.add(text)
    work(desk)
    row = desk.row(text)
    assert (plivo.sent, row.state, row.not_before) == ([], HELD, NOW + timedelta(hours=1))
    assert row.state_reason == ("the daily budget of the account (0.10 USD) cannot be kept: plivo has no price in USD")


def test_a_text_without_a_price_counts_as_one_where_a_budget_counts_texts_too(desk: Desk) -> None:
    both = replace(money(PER_ACCOUNT, "0.10"), per_day_texts=2)
    desk, plivo = with_plivo(desk, replace(in_order("plivo"), budgets=(both,), prices=prices(twilio="0.04")))
    some_texts(desk, 3)
    work(desk)
    assert len(plivo.sent) == 2


def test_a_budget_of_money_that_is_not_the_texts_own_asks_for_no_price(desk: Desk) -> None:
    book = replace(in_order("plivo"), budgets=(money(PER_GATEWAY, "0.10", "twilio"),), prices=prices(twilio="0.04"))
    desk, plivo = with_plivo(desk, book)
    some_texts(desk, 2)
    work(desk)
    assert len(plivo.sent) == 2


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "../etc", "America", ""])
def test_an_account_whose_time_zone_nobody_knows_has_days_of_utc_and_stops_nobody(desk: Desk, zone: str) -> None:
    lost = an_account(settings={"time_zone": zone})
    with desk.ledger.begin() as uow:
        uow.accounts.add(lost)
        uow.commit()
    desk = with_budgets(desk, texts(PER_ACCOUNT, 1))
    rows = [a_text(replace(desk, account_id=lost.id)) for _ in range(2)]
    desk.add(*rows, a_text(desk))
    work(desk)
    assert len(desk.gateway.sent) == 2
    assert {desk.row(row).not_before for row in rows} == {NOW, datetime(2026, 11, 21, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("budgets", "locked"),
    [
        ([texts(PER_ACCOUNT, 9)], [("account", "budget")]),
        ([texts(PER_JOURNEY, 9)], [("account", "budget")]),
        ([texts(PER_GATEWAY, 9)], [("", "budget:twilio")]),
        ([texts(PER_GATEWAY, 9, "twilio"), texts(PER_JOURNEY, 9)], [("", "budget:twilio"), ("account", "budget")]),
        ([texts(PER_GATEWAY, 9, "plivo")], []),
    ],
)
def test_a_claim_holds_only_what_its_texts_count_against(
    desk: Desk, budgets: Sequence[Budget], locked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = list[tuple[str, str]]()

    def note(_: object, account_id: str, names: Sequence[str]) -> None:
        held.extend((account_id.replace(desk.account_id, "account"), name) for name in names if "budget" in name)

    desk = with_budgets(desk, *budgets)
    some_texts(desk, 1)
    monkeypatch.setattr(SQLUnitOfWork, "lock_numbers", note)
    work(desk)
    assert held == locked


def test_without_budgets_nothing_is_counted(desk: Desk) -> None:
    desk = with_budgets(desk)
    some_texts(desk, 2)
    work(desk)
    assert spent(desk) == (0, Decimal(0))


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The desk on either database."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/shared.sqlite3" if on_sqlite else request.getfixturevalue("postgres_url")
    ledger = SQLLedger(make_engine(url), Vault(["k" * 32]), desk.nudged.append)
    metadata.create_all(ledger.engine)
    with desk.ledger.begin(write=False) as uow:
        account = uow.accounts.get(desk.account_id)
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    yield replace(desk, ledger=ledger)
    ledger.close()


@pytest.mark.parametrize("budget", [texts(PER_ACCOUNT, 20), money(PER_ACCOUNT, "0.80"), texts(PER_GATEWAY, 20)])
def test_two_workers_cannot_spend_the_last_cent_twice(shared: Desk, budget: Budget) -> None:
    book: GatewayBook = replace(PATIENT, budgets=(budget,), prices=prices(twilio="0.04"))
    gateways = [ScriptedGateway(), ScriptedGateway()]
    desks = [replace(shared, book=book, gateway=gateway) for gateway in gateways]
    for gateway, letter in zip(gateways, "AB", strict=True):
        gateway.send = _sending(gateway, letter)  # type: ignore[assignment, method-assign]
    some_texts(desks[0], 60)
    at_once = threading.Barrier(2)

    def claim(desk: Desk) -> None:
        at_once.wait(10)
        for _ in range(6):
            work(desk)

    workers = [threading.Thread(target=claim, args=(desk,)) for desk in desks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(len(gateway.sent) for gateway in gateways) == 20
    assert spent(shared) == (20, Decimal("0.80"))


def _sending(gateway: ScriptedGateway, letter: str) -> Callable[[OutgoingSMS], Accepted]:
    """Give ids that two processes do not both give."""

    def send(sms: OutgoingSMS) -> Accepted:
        gateway.sent.append(sms)
        return Accepted(f"{letter}-{sms.attempt_id}", MessageState.ACCEPTED, "queued")

    return send


def test_what_was_spent_before_a_budget_was_written_counts_from_then_on(desk: Desk) -> None:
    with desk.ledger.begin() as uow:
        uow.traffic.spend(
            [Spending(desk.account_id, "2026-11-20", "twilio", "", USD, 2, Decimal("0.08"), "2026-11-20")]
        )
        uow.commit()
    desk = with_budgets(desk, texts(PER_ACCOUNT, 3))
    some_texts(desk, 3)
    work(desk)
    assert len(desk.gateway.sent) == 1
