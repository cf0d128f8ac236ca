"""Does the gateway that the page on adding one shows keep the promises of every gateway, and is it found?"""

from __future__ import annotations

import importlib.util
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Response
from flask.typing import ResponseReturnValue

from connector.adapters.sms import catalogue
from connector.adapters.sms.catalogue import ENTRY_POINTS, gateway_plugins
from connector.errors import SignatureError
from connector.ports.gateway import CallbackRequest, SMSGateway
from connector.ports.gateway_plugin import GatewayPlugin
from connector.sandbox.faults import Fault, Faults, Work
from connector.sandbox.gateways.sandbox import GatewaySandbox
from tests.adapters.sms.contract import NUMBER, SENDER, Break, RemoteGatewayContract, sms
from tests.adapters.sms.emulated import Receiver, as_request
from tests.docs.markdown import ROOT, fences
from tests.sandbox.gateways.plain import INBOUND_URL, KEY, SECRET, PlainSkin

PAGE = ROOT / "docs/adding-a-gateway.md"
SHOWN = {fence.title: fence.text for fence in fences(PAGE)}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The page's module, installed as its `pyproject.toml` says."""
    path = tmp_path_factory.mktemp("acme") / "acme_sms.py"
    path.write_text(SHOWN["acme_sms.py"], encoding="utf-8")
    spec = importlib.util.spec_from_file_location("acme_sms", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["acme_sms"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["acme_sms"]


@pytest.fixture
def plugin(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayPlugin]:
    """The page's plugin, as the program finds it."""
    named = tomllib.loads(SHOWN["pyproject.toml"])["project"]["entry-points"][ENTRY_POINTS]
    entries = [EntryPoint(name, value, ENTRY_POINTS) for name, value in named.items()]
    monkeypatch.setattr(catalogue, "entry_points", lambda group: entries if group == ENTRY_POINTS else [])
    gateway_plugins.cache_clear()
    yield gateway_plugins()[example.PLUGIN.slug]
    gateway_plugins.cache_clear()


def _values(plugin: GatewayPlugin, url: str) -> dict[str, str]:
    defaults = {setting.name: setting.default for setting in plugin.settings}
    given = {"ACME_API_KEY": KEY, "ACME_SECRETS": SECRET.decode(), "ACME_FROM": SENDER, "ACME_API_URL": url}
    return defaults | given


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


class _FaultsAsArmed(Faults):
    """Faults with the very body and headers they were armed with: the made-up vendor would write its own."""

    def run(
        self, operation: str, work: Work, respond: Callable[[Fault], Response] | None = None
    ) -> ResponseReturnValue:
        return super().run(operation, work, respond=None)


@pytest.fixture
def box(receiver: Receiver) -> Iterator[GatewaySandbox]:
    account: dict[str, Any] = {"inbound_url": INBOUND_URL, "credentials": {"key": KEY}}
    box = GatewaySandbox(PlainSkin(), faults=_FaultsAsArmed(), post=receiver, **account)
    with box.server:
        yield box


@pytest.fixture
def gateway(plugin: GatewayPlugin, box: GatewaySandbox) -> Iterator[SMSGateway]:
    one = plugin.build(_values(plugin, box.url))
    yield one
    one.close()


class TestGatewayOfThePage(RemoteGatewayContract):
    @pytest.fixture(autouse=True)
    def take_box(self, box: GatewaySandbox, receiver: Receiver) -> None:
        self.box, self.receiver = box, receiver

    def now(self) -> datetime:
        return self.box.world.clock.now()

    def deliver(self, gateway: SMSGateway) -> Sequence[CallbackRequest]:
        return self.receiver.after(self.box.engine)

    @pytest.fixture
    def break_next(self, box: GatewaySandbox) -> Break:
        def arm(kind: str, **options: Any) -> None:
            box.faults.arm("plain.send", kind, **options)

        return arm

    @pytest.fixture
    def unreachable(self, plugin: GatewayPlugin) -> SMSGateway:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and closed, not listening: refused at once
            port = taken.getsockname()[1]
        return plugin.build(_values(plugin, f"http://127.0.0.1:{port}"))

    @pytest.fixture
    def received(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: len(box.world.messages())

    @pytest.fixture
    def requests(self, box: GatewaySandbox) -> Callable[[], int]:
        return lambda: box.world.calls["send"]

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (KEY, SECRET.decode())


def test_reply_to_the_gateway_of_the_page_is_read(gateway: SMSGateway, box: GatewaySandbox, receiver: Receiver) -> None:
    box.world.reply(NUMBER, SENDER, "YES")
    (request,) = receiver.after(box.engine)
    gateway.verify(request)
    (reply,) = gateway.read_incoming(request)
    assert (reply.from_, reply.to, reply.body) == (NUMBER, SENDER, "YES")
    assert gateway.read_status(request, None) == []


def test_receipt_to_the_gateway_of_the_page_is_not_believed_when_it_is_old(
    gateway: SMSGateway, box: GatewaySandbox, receiver: Receiver
) -> None:
    gateway.send(sms())
    receiver.after(box.engine)
    old = box.world.skin.sign(receiver.calls[0], datetime.fromisoformat("2026-01-02T03:04:05+00:00"))
    with pytest.raises(SignatureError):
        gateway.verify(as_request(old))


def test_page_names_every_file_that_a_gateway_of_ours_has() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for part in ("acme.py", "acme_codes.py", "acme_callbacks.py", "test_acme_gateway.py", "connect-acme.md", "skin.py"):
        assert part in text, part


def test_project_of_the_page_is_whole() -> None:
    project = tomllib.loads(SHOWN["pyproject.toml"])
    assert project["project"]["dependencies"] == ["sms-connector"]
    assert project["tool"]["setuptools"]["py-modules"] == [Path("acme_sms.py").stem]
