"""Does the composed connector tell what is due through the channels of its file, and say which of them are broken?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector, lanes
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.queue import EFFECTS
from connector.settings import read_settings
from tests.adapters.channels.listening import Listener, Said
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[2]
CHANNELS = """
channels:
  shop: {{kind: endpoint, url: "http://127.0.0.1:{port}/hook", secret: env CHANNEL_SHOP_SECRET}}
  sales: {{kind: slack, url: env CHANNEL_SALES_SLACK}}
"""


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def connector(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connector]:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    (tmp_path / "mappings" / "channels.yaml").write_text(CHANNELS.format(port=listener.port))
    set_environment(
        monkeypatch,
        tmp_path,
        redis_url,
        TEMPLATES_DIR=str(ROOT / "templates"),
        ALLOW_LOOPBACK_URLS="true",
        CHANNEL_SHOP_SECRET="s" * 32,
    )
    connector = Connector(read_settings())
    migrate(connector.ledger.engine)
    yield connector
    connector.ledger.close()


def want(connector: Connector, channel: str) -> EffectRow:
    now, account = connector.clock.now(), an_account()
    row = EffectRow(
        connector.ledger.new_id(), account.id, EffectKind.CALL, "key", channel, {"data": {"n": 7}}, now,
        now + timedelta(hours=1), now,
    )  # fmt: skip
    with connector.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.effects.add(row)
        uow.commit()
    return row


def state(connector: Connector, row: EffectRow) -> EffectRow:
    with connector.ledger.begin(write=False) as uow:
        found = uow.effects.get(row.account_id, row.id)
    assert found is not None
    return found


def test_what_is_due_is_found_by_the_clock_and_told(connector: Connector, listener: Listener) -> None:
    listener.say(Said(200, b'{"ok": true}', {"Content-Type": "application/json"}))
    row = want(connector, "shop")
    assert EFFECTS in connector.alarm.lanes_with_work()
    connector.drain(EFFECTS)
    assert json.loads(listener.heard[0].body) == {"n": 7}
    assert (state(connector, row).state, state(connector, row).answer) == (EffectState.DONE, {"ok": True})
    assert EFFECTS not in connector.alarm.lanes_with_work()


def test_workers_listen_to_the_lane(connector: Connector) -> None:
    assert EFFECTS in lanes(connector.settings)


def test_a_channel_without_its_secret_is_named_in_the_status_and_waited_for(connector: Connector) -> None:
    row = want(connector, "sales")
    connector.drain(EFFECTS)
    assert state(connector, row).state is EffectState.WAITING
    assert "CHANNEL_SALES_SLACK is missing" in state(connector, row).error
    broken = connector.status()["broken_channels"]
    assert broken == {"sales": "CHANNEL_SALES_SLACK is missing: the channel sales needs it as its url"}


def test_a_channel_file_with_a_mistake_stops_no_program(connector: Connector) -> None:
    (connector.settings.mappings_dir / "channels.yaml").write_text("channels: {shop: {kind: pigeon}}")
    row = want(connector, "shop")
    connector.drain(EFFECTS)
    assert state(connector, row).error == "there is no channel shop"
