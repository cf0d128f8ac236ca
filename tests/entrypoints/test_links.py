"""Whoever taps a link gets where it leads, at once; the click is kept, and the code is kept to itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from connector.adapters.store.migrate import migrate
from connector.adapters.store.tables import click
from connector.bootstrap import Connector
from connector.entrypoints.web.app import create_app
from connector.entrypoints.web.visitors import is_person
from connector.ports.links import ShortLinkRow
from connector.services.links import LinkDesk
from connector.settings import read_settings
from tests.adapters.store.factories import NOW, a_message, an_account

CODE = "23456789ABC"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


@pytest.fixture
def connector(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    values = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    account = an_account(external_id="12345")
    message = a_message(account.id)
    link = ShortLinkRow("link-1", account.id, CODE, "payment", "https://pay.example.com/ü?i=7", message.id, NOW)
    with connector.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.messages.add(message)
        uow.links.add([link])
        uow.commit()
    yield connector
    connector.ledger.close()


@pytest.fixture
def client(connector: Connector) -> FlaskClient:
    return create_app(connector).test_client()


def clicks(connector: Connector) -> list[bool]:
    with connector.ledger.engine.connect() as connection:
        return list(connection.execute(select(click.c.is_person).order_by(click.c.id)).scalars())


def test_a_tap_leads_to_the_address_and_is_kept(client: FlaskClient, connector: Connector) -> None:
    answer = client.get(f"/l/{CODE}", headers={"User-Agent": PHONE})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://pay.example.com/%C3%BC?i=7"
    assert clicks(connector) == [True]


def test_nobody_keeps_the_answer_and_the_page_does_not_learn_the_code(client: FlaskClient) -> None:
    answer = client.get(f"/l/{CODE}", headers={"User-Agent": PHONE})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert CODE not in answer.text


def test_a_program_gets_there_too_and_is_no_person(client: FlaskClient, connector: Connector) -> None:
    assert client.head(f"/l/{CODE}", headers={"User-Agent": PHONE}).status_code == 302
    assert client.get(f"/l/{CODE}", headers={"User-Agent": "facebookexternalhit/1.1"}).status_code == 302
    assert clicks(connector) == [False, False]


@pytest.mark.parametrize("code", ["23456789ABD", "2345", "23456789ABC2", "0000000000O", "%00", "a" * 5000])
def test_an_unknown_code_gets_a_plain_page(client: FlaskClient, connector: Connector, code: str) -> None:
    answer = client.get(f"/l/{code}", headers={"User-Agent": PHONE})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "leads nowhere" in answer.text
    assert clicks(connector) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_link_is_only_read(client: FlaskClient, method: str) -> None:
    assert client.open(f"/l/{CODE}", method=method).status_code == 405


def test_a_ledger_that_cannot_be_written_keeps_nobody_from_following_a_link(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise OperationalError("INSERT", {}, Exception("locked"))

    monkeypatch.setattr(LinkDesk, "note", refuse)
    assert client.get(f"/l/{CODE}", headers={"User-Agent": PHONE}).status_code == 302


def test_a_ledger_that_is_busy_is_not_waited_for_and_hears_of_the_click_later(
    client: FlaskClient, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.entrypoints.web.links._PATIENCE_SECONDS", 0.05)
    with connector.ledger.begin() as uow:
        assert client.get(f"/l/{CODE}", headers={"User-Agent": PHONE}).status_code == 302
        uow.commit()
    connector.committer.close()  # works what is in line
    assert clicks(connector) == [True]


def test_a_ledger_that_cannot_be_read_is_said_plainly_and_logged_without_the_code(
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_args: object) -> None:
        raise ValueError(f"something about {CODE}")

    monkeypatch.setattr(LinkDesk, "find", refuse)
    with caplog.at_level(logging.DEBUG):
        answer = client.get(f"/l/{CODE}", headers={"User-Agent": PHONE})
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    out = capsys.readouterr()
    assert "ValueError" in caplog.text + out.out + out.err
    assert CODE not in caplog.text + out.out + out.err


@pytest.mark.parametrize(
    "agent",
    [
        PHONE,
        "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Mozilla/5.0 (Linux; Android 13; CUBOT X50) AppleWebKit/537.36 Chrome/143.0 Mobile Safari/537.36",
    ],
)
def test_a_browser_is_a_person(agent: str) -> None:
    assert is_person("GET", {"User-Agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.24.1 A",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/143.0",
        "curl/8.5.0",
        "python-requests/2.32",
        "Python/3.12 aiohttp/3.9",
        "Go-http-client/2.0",
    ],
)
def test_a_program_that_says_so_is_none(agent: str) -> None:
    assert not is_person("GET", {"User-Agent": agent})


@pytest.mark.parametrize(
    ("name", "value"),
    [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Purpose", "preview"), ("X-Moz", "prefetch")],
)
def test_a_browser_that_fetches_ahead_is_no_person_yet(name: str, value: str) -> None:
    assert not is_person("GET", {"User-Agent": PHONE, name: value})


def test_who_only_asks_for_the_head_reads_nothing() -> None:
    assert not is_person("HEAD", {"User-Agent": PHONE})
