from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.adapters.sms import catalogue, null, telnyx
from connector.adapters.sms.catalogue import (
    BUILT_IN,
    ENTRY_POINTS,
    gateway_plugins,
    is_configured,
    missing_settings,
)
from connector.errors import ConfigurationError
from connector.ports.gateway_plugin import GatewayPlugin, GatewaySetting
from connector.settings import read_settings

SETTING = GatewaySetting("ACME_API_KEY", "Key of Acme's API.", "k-0123", is_required=True, is_secret=True)
ACME = replace(null.PLUGIN, slug="acme", settings=(SETTING,))
Install = Callable[..., Sequence[EntryPoint]]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install distributions, one per keyword: its module holds the value as `PLUGIN`, or nothing when it is None."""

    def install_all(**plugins: Any) -> Sequence[EntryPoint]:
        entries = []
        for name, plugin in plugins.items():
            module = ModuleType(f"{name}_sms")
            if plugin is not None:
                module.PLUGIN = plugin  # type: ignore[attr-defined] # as a distribution's module would
            monkeypatch.setitem(sys.modules, module.__name__, module)
            entries.append(EntryPoint(name, f"{name}_sms:PLUGIN", ENTRY_POINTS))
        monkeypatch.setattr(catalogue, "entry_points", lambda group: entries if group == ENTRY_POINTS else [])
        gateway_plugins.cache_clear()
        return entries

    yield install_all
    gateway_plugins.cache_clear()


def test_slugs_of_our_gateways_differ_and_are_what_their_adapters_are_called() -> None:
    slugs = [plugin.slug for plugin in BUILT_IN]
    assert len(set(slugs)) == len(slugs)
    assert {name.split(".")[-1].replace("_", "-") for name in _modules()} == set(slugs)


def _modules() -> list[str]:
    return [plugin.build.__module__ for plugin in BUILT_IN]


def test_settings_of_every_gateway_begin_with_its_slug() -> None:
    for plugin in BUILT_IN:
        prefix = plugin.slug.upper().replace("-", "_") + "_"
        assert all(setting.name.startswith(prefix) for setting in plugin.settings), plugin.slug


def test_gateway_of_another_distribution_stands_beside_ours(install: Install) -> None:
    install(acme=ACME)
    assert list(gateway_plugins()) == [*(plugin.slug for plugin in BUILT_IN), "acme"]
    assert gateway_plugins()["acme"] is ACME


def test_settings_of_a_gateway_of_another_distribution_are_read_and_switch_it_on(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(acme=ACME)
    for name, value in {
        "REDIS_URL": "redis://localhost",
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "x" * 32,
        "GATEWAY": "acme",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="ACME_API_KEY is missing, but GATEWAY is acme"):
        read_settings()
    monkeypatch.setenv("ACME_API_KEY", "k-4711")
    settings = read_settings()
    assert is_configured(ACME, settings.gateway_values)
    assert missing_settings(ACME, settings.gateway_values) == []
    assert "k-4711" not in repr(settings)


@pytest.mark.parametrize("plugin", [None, "no plugin", null.NullGateway])
def test_distribution_that_is_broken_is_left_out_and_the_others_are_not(install: Install, plugin: object) -> None:
    install(broken=plugin, acme=ACME)
    with capture_logs() as logs:
        found = gateway_plugins()
    assert list(found) == [*(each.slug for each in BUILT_IN), "acme"]
    assert [(log["event"], log["entry_point"]) for log in logs] == [("gateway.not_loaded", "broken")]


def test_distribution_that_cannot_be_imported_is_left_out(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    (entry,) = install(acme=ACME)
    monkeypatch.delitem(sys.modules, "acme_sms")
    with capture_logs() as logs:
        assert entry.name not in gateway_plugins()
    assert logs[0]["error"] == "ModuleNotFoundError"


def test_distribution_cannot_take_the_place_of_a_gateway_of_ours(install: Install) -> None:
    install(cuckoo=replace(ACME, slug=telnyx.PLUGIN.slug))
    with capture_logs() as logs:
        assert gateway_plugins()["telnyx"] is telnyx.PLUGIN
    assert logs[0]["error"] == "no plugin, or a slug that is taken"


def test_of_two_distributions_with_one_slug_the_first_is_taken(install: Install) -> None:
    second = GatewayPlugin("acme", ACME.capabilities, (), ACME.build)
    install(acme=ACME, other=second)
    assert gateway_plugins()["acme"] is ACME
