"""On which stage are the commands of a documentation page played, and what happens around them?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.adapters.store.migrate import migrate
from connector.adapters.store.unit_of_work import make_engine
from tests.docs.playing import Said, commands_of, lay_out_what_is_shown, lay_out_what_ships, run
from tests.services.theatre import REMINDER, Theatre

_OF_THE_LEDGER = frozenset(
    {"backtest", "publish", "rollback", "retire", "release", "diff", "versions", "status", "explain", "report"}
)


def settings(folder: Path, redis_url: str) -> dict[str, str]:
    """Give the environment that commands need which look into the ledger."""
    return {
        "DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
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


SCENES: Mapping[str, Callable[[Theatre], None]] = {
    "Maya's deal was won before anything was published": _a_deal_is_won,
    "Priya's deal is won and she answers NO": _a_deal_is_won_and_the_customer_answers_no,
    "two deals are won": _two_deals_are_won,
}
"""What happens in the world, by the name that a page gives it."""
