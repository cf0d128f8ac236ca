"""Does a key open what it may open, for its own account, as often as it may, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from connector.adapters.rate_limiter import RedisRateLimiter
from connector.adapters.redis_server import make_redis
from connector.bootstrap import Connector
from connector.domain.message import Direction, MessageState
from connector.entrypoints.web.api import openapi_document
from connector.errors import ConfigurationError
from connector.ports.api_keys import APIScope
from connector.ports.contacts import ContactRow
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.number_lookup import LineType
from tests.entrypoints.api.conftest import HELLO, NUMBER, Program, a_program, kind_of, put

BODIES: dict[str, Any] = {
    "/messages": HELLO,
    "/messages/batch": {"messages": [HELLO]},
    "/messages/search": {},
    "/conversations/search": {"number": NUMBER},
    "/consents": {"number": NUMBER, "kind": "opt_out"},
    "/consents/search": {"number": NUMBER},
    "/callbacks/replay": {"ids": ["1"]},
    "/dead-letters/replay": {"ids": ["1"]},
    "/dead-letters/drop": {"ids": ["1"]},
    "/lookups": {"number": NUMBER},
    "/lookups/search": {"numbers": [NUMBER]},
    "/card/contacts/{crm_id}/preview": {"body": "Hello"},
    "/card/contacts/{crm_id}/messages": {"body": "Hello", "idempotency_key": "1"},
    "/card/contacts/{crm_id}/consent": {"action": "opt_out"},
    "/card/settings": {"settings": {}},
    "/card/journeys/{journey}": {"enabled": True},
}
"""A body that each operation takes."""


def operations(app: Flask) -> list[tuple[str, str, str]]:
    """Give method, path and scope of every operation."""
    return [
        (method.upper(), path.removeprefix("/api/v1"), what["security"][0]["bearer"][0])
        for path, methods in openapi_document(app)["paths"].items()
        for method, what in methods.items()
        if method != "parameters"
    ]


def asked(program: Program, method: str, path: str, message_id: str = "1") -> Any:
    body = BODIES.get(path) if method in {"POST", "PATCH"} else None
    for name, value in (("{message_id}", message_id), ("{name}", "null"), ("{crm_id}", "deleted")):
        path = path.replace(name, value)
    return program.call(method, path, body)


@pytest.fixture(autouse=True)
def gone(connector: Connector) -> None:
    """A contact that the CRM has deleted, so that it need not be asked about it."""
    with connector.ledger.begin() as uow:
        now = connector.clock.now()
        for account_id in ("account-1", "account-2"):
            row = ContactRow(
                id=f"deleted-{account_id}",
                account_id=account_id,
                crm="hubspot",
                crm_id="deleted",
                msisdn=None,
                msisdn_reason="",
                time_zone=None,
                locale=None,
                country=None,
                owner_id=None,
                attributes={},
                read_at=now,
            )
            uow.contacts.save(row)
            uow.contacts.mark_deleted(account_id, "deleted", now)
        uow.commit()


def test_without_a_key_nothing_opens(app: Flask, program: Program) -> None:
    for secret in ("", "smsk_unheard-of", "another-kind-of-token"):
        intruder = replace(program, secret=secret)
        for method, path, _ in operations(app):
            answer = asked(intruder, method, path)
            assert (answer.status_code, kind_of(answer.json)) == (401, "unauthorized"), path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_is_sent_as_a_bearer_and_in_no_other_way(program: Program) -> None:
    for header in (f"Basic {program.secret}", program.secret, "Bearer"):
        answer = program.client.get("/api/v1/messages", headers={"Authorization": header})
        assert answer.status_code == 401, header
    assert program.client.get(f"/api/v1/messages?key={program.secret}").status_code == 401


def test_each_operation_opens_with_its_scope_and_with_no_other(app: Flask, connector: Connector) -> None:
    for method, path, scope in operations(app):
        others = a_program(connector, app, scopes=[each for each in APIScope if each.value != scope])
        refused = asked(others, method, path)
        assert (refused.status_code, kind_of(refused.json)) == (403, "forbidden"), path
        assert f'scope="{scope}"' in refused.headers["WWW-Authenticate"]
        fitting = a_program(connector, app, scopes=[APIScope(scope)])
        assert asked(fitting, method, path).status_code in {200, 201, 404, 409}, path


def test_a_key_is_asked_for_before_anything_is_read(app: Flask, program: Program) -> None:
    intruder = replace(program, secret="smsk_no")
    assert intruder.call("POST", "/messages", {"nonsense": True}).status_code == 401


def test_a_revoked_or_expired_key_opens_nothing(app: Flask, connector: Connector) -> None:
    revoked = a_program(connector, app)
    (row,) = connector.api_keys.of_account("account-1")
    connector.api_keys.revoke("account-1", row.prefix)
    expired = a_program(connector, app, expires_at=connector.clock.now() - timedelta(seconds=1))
    assert [each.call("GET", "/messages").status_code for each in (revoked, expired)] == [401, 401]
    with pytest.raises(ConfigurationError, match="0 keys"):
        connector.api_keys.revoke("account-1", row.prefix)


def test_a_key_may_make_so_many_calls_and_is_told_when_to_come_back(app: Flask, connector: Connector) -> None:
    program, other = a_program(connector, app, per_minute=12), a_program(connector, app, per_minute=12)
    assert [program.call("GET", "/messages").status_code for _ in range(3)] == [200, 200, 429]
    refused = program.call("GET", "/messages")
    assert (kind_of(refused.json or {}), refused.headers["Retry-After"]) == ("rate-limited", "5")
    assert other.call("GET", "/messages").status_code == 200


def redis_goes(connector: Connector) -> None:
    vars(connector)["rate_limiter"] = RedisRateLimiter(make_redis("redis://127.0.0.1:1/0"))


def test_without_redis_nothing_is_sent_and_everything_else_goes_on(
    app: Flask, connector: Connector, program: Program
) -> None:
    row = put(connector)
    redis_goes(connector)
    for path in ("/messages", "/messages/batch", "/dead-letters/replay", "/lookups"):
        refused = program.call("POST", path, BODIES[path])
        assert (refused.status_code, kind_of(refused.json or {})) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    with connector.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {"queued": 1}
    assert program.get("/messages")["messages"][0]["id"] == row.id
    assert program.post(f"/messages/{row.id}/cancel")["state"] == "cancelled"
    assert program.post("/consents", BODIES["/consents"])["may_be_texted"] is False


def test_that_a_key_is_in_use_is_noted_once_a_minute(
    connector: Connector, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.get("/messages")
    (first,) = connector.api_keys.of_account("account-1")
    assert first.last_used_at is not None
    monkeypatch.setattr("connector.services.api_keys.APIKeys.note", lambda *_: pytest.fail("noted again"))
    program.get("/messages")
    assert connector.api_keys.of_account("account-1") == [first]


def test_that_the_use_of_a_key_cannot_be_noted_keeps_nobody_from_calling(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("connector.services.api_keys.APIKeys.note", away)
    assert program.get("/messages")["messages"] == []


def a_failed_callback(connector: Connector) -> EffectRow:
    now = connector.clock.now()
    row = EffectRow(
        connector.ledger.new_id(), "account-1", EffectKind.CALLBACK, "key", "https://shop.example",
        {"url": "https://shop.example/hook", "message_id": "message-1", "data": {"type": "message.delivered"}},
        now, now + timedelta(hours=1), now,
    )  # fmt: skip
    with connector.ledger.begin() as uow:
        uow.effects.add(row)
        uow.effects.end(row.id, EffectState.FAILED, now, error="it answered HTTP 410")
        uow.commit()
    return row


def know(connector: Connector) -> None:
    """Let account 1 know what kind of number the number is."""
    now = connector.clock.now()
    with connector.ledger.begin() as uow:
        uow.numbers.save([NumberRow("account-1", NUMBER, LookupState.KNOWN, now, LineType.MOBILE, known_at=now)])
        uow.commit()


def test_no_operation_shows_or_touches_what_is_another_accounts(
    app: Flask, connector: Connector, program: Program, stranger: Program
) -> None:
    """Everything of account 1 is there; a program of account 2 asks every operation for it."""
    sent = program.send(idempotency_key="table-7", send_at=(connector.clock.now() + timedelta(hours=1)).isoformat())
    replied = put(connector, direction=Direction.IN, state=MessageState.RECEIVED, body="Thanks")
    callback, dead = a_failed_callback(connector), put(connector, state=MessageState.DEAD_LETTER)
    know(connector)
    program.post("/consents", {"number": NUMBER, "kind": "opt_out", "scope": "marketing"})
    for method, path, _ in operations(app):
        if "{message_id}" in path:
            for message_id in (sent["id"], replied.id):
                assert asked(stranger, method, path, message_id).status_code == 404, path
    assert stranger.get("/messages")["messages"] == []
    assert stranger.post("/messages/search", {"to": NUMBER})["messages"] == []
    assert stranger.get(f"/messages?before={'f' * 36}")["messages"] == []
    assert stranger.post("/conversations/search", {"number": NUMBER})["messages"] == []
    assert stranger.post("/consents/search", {"number": NUMBER})["history"] == []
    assert stranger.get("/callbacks/failed")["callbacks"] == []
    assert stranger.get("/dead-letters")["dead_letters"] == []
    for verb in ("replay", "drop"):
        decided = stranger.post(f"/dead-letters/{verb}", {"ids": [dead.id, "unheard-of"]})
        assert decided == {"done": [], "passed_over": [dead.id, "unheard-of"]}
    assert stranger.post("/lookups/search", {"numbers": [NUMBER]})["numbers"][0]["state"] == "unheard_of"
    assert stranger.post("/callbacks/replay", {"ids": [callback.id]})["ids"] == []
    assert stranger.send(idempotency_key="table-7")["id"] != sent["id"]
    assert program.get(f"/messages/{sent['id']}")["state"] == "held"
    assert program.get("/callbacks/failed")["callbacks"][0]["id"] == callback.id
    assert program.get("/dead-letters")["dead_letters"][0]["id"] == dead.id
    assert program.post("/lookups/search", {"numbers": [NUMBER]})["numbers"][0]["line_type"] == "mobile"


def test_a_stranger_learns_of_an_id_nothing_that_a_made_up_one_would_not_tell(
    program: Program, stranger: Program
) -> None:
    sent = program.send()
    theirs, made_up = (stranger.call("GET", f"/messages/{each}") for each in (sent["id"], "0" * 36))
    assert (theirs.status_code, theirs.data) == (made_up.status_code, made_up.data)


def test_an_opt_out_finds_its_door_while_the_crm_is_disconnected(program: Program, connector: Connector) -> None:
    with connector.ledger.begin() as uow:
        uow.accounts.set_status("account-1", "disconnected", "the token was revoked")
        uow.commit()
    assert program.call("GET", "/messages").status_code == 200


def test_asking_a_gateway_takes_a_scope_of_its_own(app: Flask, connector: Connector) -> None:
    reader = a_program(connector, app, scopes=[APIScope.LOOKUPS_READ])
    assert "lookups:write" in reader.post("/lookups", {"number": NUMBER}, 403)["detail"]
