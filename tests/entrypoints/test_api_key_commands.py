"""Can an operator let a program in, see who may come in, and take it back; and order a text with all there is to it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from connector.adapters.store.tables import metadata
from connector.bootstrap import Connector
from connector.domain.message import MessageState
from connector.entrypoints.cli import cli
from connector.errors import ConfigurationError
from connector.ports.api_keys import APIScope
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

NUMBER = "+12025550143"


@pytest.fixture
def connector(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connector]:
    (tmp_path / "templates" / "shop").mkdir(parents=True)
    (tmp_path / "templates" / "shop" / "ready.txt.j2").write_text("Order {{ order.id }} is ready")
    (tmp_path / "mappings").mkdir()
    set_environment(monkeypatch, tmp_path, redis_url)
    connector = Connector(read_settings())
    metadata.create_all(connector.ledger.engine)
    with connector.ledger.begin() as uow:
        uow.accounts.add(an_account(id="account-1", external_id="12345"))
        uow.commit()
    yield connector
    connector.ledger.close()


def smsctl(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def add(*words: str) -> str:
    done = smsctl("api-key", "add", "--name", "shop", *words)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_key_is_shown_once_and_only_its_hash_is_kept(connector: Connector) -> None:
    secret = add("--scope", "messages:send", "--per-minute", "60", "--days", "30")
    row = connector.api_keys.valid(secret)
    assert row is not None
    assert (row.name, row.scopes, row.per_minute) == ("shop", frozenset({APIScope.MESSAGES_SEND}), 60)
    assert row.expires_at is not None
    assert secret.encode() not in (connector.settings.templates_dir.parent / "ledger.sqlite3").read_bytes()
    assert secret not in smsctl("api-key", "list").output
    assert "valid until" in smsctl("api-key", "list").output


def test_all_scopes_are_given_with_one_word(connector: Connector) -> None:
    row = connector.api_keys.valid(add("--scope", "all"))
    assert row is not None
    assert row.scopes == set(APIScope)


def test_keys_are_listed_with_what_they_may_and_revoked_by_what_is_listed(connector: Connector) -> None:
    secret = add("--scope", "messages:send", "--scope", "messages:read")
    line = smsctl("api-key", "list").output
    assert "shop  valid  600/min  never used  messages:read, messages:send" in line
    assert "is revoked" in smsctl("api-key", "revoke", line.split()[0]).output
    assert connector.api_keys.valid(secret) is None
    assert "revoked 20" in smsctl("api-key", "list").output
    with pytest.raises(ConfigurationError, match="0 keys"):
        connector.api_keys.revoke("account-1", line.split()[0])


def test_a_key_that_expired_is_listed_as_such(connector: Connector) -> None:
    connector.api_keys.add("account-1", "old", [APIScope.MESSAGES_READ], expires_at=connector.clock.now())
    assert "expired 20" in smsctl("api-key", "list").output


def test_a_use_is_listed(connector: Connector) -> None:
    row = connector.api_keys.valid(add("--scope", "all"))
    assert row is not None
    with connector.ledger.begin() as uow:
        connector.api_keys.note(uow, row)
        uow.commit()
    assert "used 20" in smsctl("api-key", "list").output


def test_a_key_without_name_scope_or_calls_is_none(connector: Connector) -> None:
    for name, scopes, per_minute in (
        (" ", [APIScope.MESSAGES_READ], 1),
        ("x", [], 1),
        ("x", [APIScope.MESSAGES_READ], 0),
    ):
        with pytest.raises(ConfigurationError, match="a key needs"):
            connector.api_keys.add("account-1", name, scopes, per_minute=per_minute)
    assert smsctl("api-key", "add", "--name", "x").exit_code == 2


def test_the_secret_of_callbacks_is_shown_and_changed(connector: Connector) -> None:
    shown = smsctl("api-key", "callback-secret").output.split()
    assert shown[0].startswith("whsec_")
    rotated = smsctl("api-key", "callback-secret", "--rotate").output.splitlines()
    assert rotated[1].startswith(f"{shown[0]}  until 20")
    assert rotated[0] != shown[0]
    assert smsctl("api-key", "callback-secret", "--rotate", "--at-once").output.count("whsec_") == 1
    assert smsctl("api-key", "callback-secret", "--at-once").exit_code == 2


def test_an_operator_sends_with_all_there_is_to_it(connector: Connector) -> None:
    done = smsctl(
        "send", "--to", NUMBER, "--template", "shop/ready", "--data", json.dumps({"order": {"id": 7}}),
        "--priority", "9", "--send-at", "2126-01-01", "--key", "k",
    )  # fmt: skip
    assert "send_at" in str(done.exception)
    soon = (connector.clock.now() + timedelta(days=2)).isoformat()
    done = smsctl("send", "--to", NUMBER, "--template", "shop/ready", "--data", '{"order": {"id": 7}}', "--key", "k",
                  "--priority", "9", "--expires-at", soon)  # fmt: skip
    assert done.output.startswith("queued: message"), done.exception
    with connector.ledger.begin(write=False) as uow:
        row = uow.messages.by_key("account-1", "order:k")
    assert row is not None
    assert (row.body, row.priority, row.state) == ("Order 7 is ready", 9, MessageState.QUEUED)
    assert (row.ordered_by, row.template) == ("cli", "shop/ready")


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--send-at", "tomorrow"], "--send-at"),
        (["--data", "[1]"], "--data"),
        (["--data", "{no"], "--data"),
    ],
)
def test_what_cannot_be_read_is_named(connector: Connector, words: list[str], option: str) -> None:
    done = smsctl("send", "--to", NUMBER, "--template", "shop/ready", *words)
    assert isinstance(done.exception, ConfigurationError)
    assert str(done.exception).startswith(option)


def test_which_account_is_meant_must_be_said_when_there_are_several(connector: Connector) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.add(an_account(id="account-2", external_id="67890"))
        uow.commit()
    assert "--account" in str(smsctl("api-key", "list").exception)
    assert smsctl("api-key", "list", "--account", "67890").exit_code == 0


def test_programs_read_keys_and_what_they_send(connector: Connector) -> None:
    made = smsctl("api-key", "add", "--name", "shop", "--scope", "messages:send").output.split()[0]
    (key,) = json.loads(smsctl("api-key", "list", "--json").output)
    assert (key["prefix"], key["name"], key["is_valid"]) == (made[:11], "shop", True)
    assert (key["scopes"], key["last_used_at"]) == (["messages:send"], None)
    for is_new in (True, False):
        sent = json.loads(smsctl("send", "--to", NUMBER, "--body", "Hello", "--key", "k", "--json").output)
        assert (sent["is_new"], sent["state"], sent["segments"]) == (is_new, "queued", 1)
