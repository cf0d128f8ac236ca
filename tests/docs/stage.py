"""On which stage are the commands of a documentation page played, and what happens around them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector.adapters.store.migrate import migrate
from connector.adapters.store.unit_of_work import make_engine
from connector.domain.circuit import CircuitState, GatewayHealth
from connector.domain.message import MessageState
from connector.domain.scoring import Tally
from tests.adapters.store.factories import a_message, an_attempt
from tests.docs.playing import Said, commands_of, lay_out_what_is_shown, lay_out_what_ships, run
from tests.services.theatre import ACCOUNT, REMINDER, Theatre

_OF_THE_LEDGER = frozenset(
    {
        *("backtest", "publish", "rollback", "retire", "release", "diff", "versions", "status", "explain", "report"),
        *("dlq", "provider", "route", "lookup"),
    }
)


def settings(folder: Path, redis_url: str) -> dict[str, str]:
    """Give the environment that commands need which look into the ledger."""
    return {
        "DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
        "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
        "TWILIO_AUTH_TOKENS": "the-auth-token",
        "TWILIO_FROM": "+12025550100",
        "VONAGE_API_KEY": "abcd1234",
        "VONAGE_API_SECRET": "the-api-secret",
        "VONAGE_FROM": "+12025550101",
    }


def play(page: Path, folder: Path) -> Iterator[tuple[Said, str]]:
    """Run the commands of a page in a folder, which is the working directory; give what each one prints."""
    lay_out_what_ships(page, folder)
    if not any(said.command.split()[1] in _OF_THE_LEDGER for said in commands_of(page)):
        yield from _played(page, folder, None)
        return
    with _portal(folder) as theatre:
        run("smsctl publish", folder)
        yield from _played(page, folder, theatre)


def _played(page: Path, folder: Path, theatre: Theatre | None) -> Iterator[tuple[Said, str]]:
    line = 0
    for said in commands_of(page):
        lay_out_what_is_shown(page, folder, line, said.fence.line)
        line = said.fence.line
        if said.scene and theatre is not None:
            SCENES[said.scene](theatre)
        yield said, run(said.command, folder)


@contextmanager
def _portal(folder: Path) -> Iterator[Theatre]:
    """Open the demo's portal, as far as pages tell of it: an account, some people and deals, an hour ago."""
    url = f"sqlite:///{folder}/ledger.sqlite3"
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    theatre = Theatre(folder / "theatre", url, {"reminder": REMINDER})
    theatre.clock.at = datetime.now(UTC) - timedelta(hours=1)
    theatre.crm.labels["deal"]["closedwon"] = "Closed won"
    for contact, first, last, deal, name, amount in (
        ("102", "Maya", "Lindqvist", "107", "Studio website", "4800"),
        ("104", "Priya", "Sundaram", "108", "Bookshop tills", "2650"),
    ):
        known = {"firstname": first, "lastname": last, "mobilephone": f"+12025550{contact}", "country": "US"}
        theatre.crm.put("contact", id=contact, hubspot_owner_id="7", **known)
        about = {"dealname": name, "dealstage": "demo", "amount": amount, "hubspot_owner_id": "7"}
        theatre.crm.put("deal", [contact], id=deal, **about)
    yield theatre
    theatre.close()


def _a_deal_is_won(theatre: Theatre) -> None:
    theatre.deal_moves("107", "closedwon")
    theatre.work()


def _a_deal_is_won_and_the_customer_answers_no(theatre: Theatre) -> None:
    theatre.pass_time(minutes=30)
    theatre.deal_moves("108", "closedwon")
    theatre.work()
    theatre.accept_all()
    theatre.work()
    theatre.pass_time(minutes=5)
    theatre.reply("No", "+12025550104")
    theatre.work()


def _two_deals_are_won(theatre: Theatre) -> None:
    _a_deal_is_won(theatre)
    _a_deal_is_won_and_the_customer_answers_no(theatre)


def _texts_are_given_up(theatre: Theatre) -> None:
    """Leave two texts behind that Twilio refused all day, and one nobody can tell the fate of."""
    down = "Twilio answered 503: try again later; gave up after 12 tries"
    untold = "nobody can tell whether it went out; a person has to decide"
    _give_up(theatre, 1, "+12025550102", down, state=MessageState.FAILED, error_code="503", error_class="transient")
    _give_up(theatre, 2, "+12025550104", down, state=MessageState.FAILED, error_code="503", error_class="transient")
    _give_up(theatre, 3, "+447700900461", untold, state=MessageState.UNKNOWN)


def _give_up(theatre: Theatre, number: int, to: str, reason: str, **end: Any) -> None:
    at = datetime.now(UTC) - timedelta(minutes=10 - number)
    message = a_message(
        ACCOUNT, id=f"01985f1c-7a00-7000-8000-00000000000{number}", msisdn=to, body="Your table is ready.",
        gateway="twilio", state=MessageState.DEAD_LETTER, state_reason=reason, tries=12, created_at=at, updated_at=at,
        not_before=at, expires_at=at + timedelta(days=1), ordered_by="cli",
    )  # fmt: skip
    with theatre.ledger.begin() as uow:
        assert uow.messages.add(message)
        uow.attempts.add([an_attempt(message, requested_at=at, answered_at=at, **end)])
        uow.commit()


def _two_gateways_carry_texts(theatre: Theatre) -> None:
    """Let Twilio do well and Vonage stumble, ten minutes ago."""
    now = datetime.now(UTC)
    slot = now - timedelta(minutes=10)  # to the second, so that what counts half as much counts so at any minute
    why = "31% of its latest requests came to nothing"
    with theatre.ledger.begin() as uow:
        uow.traffic.note([Tally("twilio", "US", "", "", slot, 400, 388, 12, 1, 160.0, 2328.0)])
        uow.traffic.note([Tally("vonage", "US", "", "", slot, 90, 66, 24, 41, 27.0, 594.0)])
        uow.traffic.save_health(GatewayHealth("twilio", now, now, usual_seconds=0.4, error_rate=0.0025, weight=70.0))
        uow.traffic.save_health(
            GatewayHealth("vonage", now, now, CircuitState.LIMITED, 0.25, why, None, 0, 0, 0.3, 0.31, 70.0)
        )
        uow.commit()


SCENES: Mapping[str, Callable[[Theatre], None]] = {
    "Maya's deal was won before anything was published": _a_deal_is_won,
    "Priya's deal is won and she answers NO": _a_deal_is_won_and_the_customer_answers_no,
    "two deals are won": _two_deals_are_won,
    "texts are given up": _texts_are_given_up,
    "two gateways carry texts": _two_gateways_carry_texts,
}
"""What happens in the world, by the name that a page gives it."""
