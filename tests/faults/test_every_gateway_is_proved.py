"""Is every gateway of the catalogue held to the contract, over the very vendor it is proved against here?"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import get_args, get_type_hints

import pytest

from connector.adapters.sms.catalogue import BUILT_IN
from connector.ports.gateway_plugin import GatewayPlugin
from tests.adapters.sms.contract import GatewayContract, RemoteGatewayContract
from tests.faults.emulated import Emulated, OverHTTP
from tests.faults.gateways import STARTED

_WITHOUT_VENDOR = {"null"}  # sends nothing anywhere

PLUGINS = pytest.mark.parametrize("plugin", BUILT_IN, ids=lambda plugin: plugin.slug)


def test_every_gateway_that_has_a_vendor_is_proved_against_it() -> None:
    assert {plugin.slug for plugin in BUILT_IN} - _WITHOUT_VENDOR == set(STARTED)


@PLUGINS
def test_contract_suite_is_inherited_for(plugin: GatewayPlugin) -> None:
    """Found in the module named after the slug, by what its fixture `gateway` gives."""
    suites = [each for each in contract_suites(plugin) if slug_under_test(each) == plugin.slug]
    assert suites, f"no class that inherits GatewayContract and has a gateway {plugin.slug!r}"
    speaks_http = plugin.slug not in _WITHOUT_VENDOR and plugin.slug != "smpp"
    assert any(issubclass(each, RemoteGatewayContract) for each in suites) == speaks_http


def contract_suites(plugin: GatewayPlugin) -> list[type[GatewayContract]]:
    """Give the suites that pytest collects of a gateway's test module."""
    module = importlib.import_module(f"tests.adapters.sms.test_{plugin.slug.replace('-', '_')}_gateway")
    named = [each for name, each in inspect.getmembers(module, inspect.isclass) if name.startswith("Test")]
    return [each for each in named if issubclass(each, GatewayContract)]


def slug_under_test(suite: type[GatewayContract]) -> str:
    """Give the slug of the gateway that a suite's fixture gives, in the class or else in its module."""
    fixture = getattr(suite, "gateway", None) or vars(inspect.getmodule(suite))["gateway"]
    function: Callable[..., object] = fixture._get_wrapped_function()
    given = get_type_hints(function, vars(inspect.getmodule(suite)))["return"]
    kind = get_args(given)[0] if get_args(given) else given  # an iterator of them, where it is closed afterwards
    return str(kind.slug)


@PLUGINS
def test_adapter_that_is_proved_can_what_the_catalogue_says(
    plugin: GatewayPlugin, vendors: Callable[[str], Emulated]
) -> None:
    if plugin.slug in _WITHOUT_VENDOR:
        pytest.skip("has no vendor")
    vendor = vendors(plugin.slug)
    assert vendor.gateway.slug == vendor.slug == plugin.slug
    assert vendor.gateway.capabilities == plugin.capabilities
    if isinstance(vendor, OverHTTP) and plugin.slug != "twilio":
        assert vendor.box.world.skin.slug == plugin.slug  # type: ignore[union-attr] # Twilio has no skin


@PLUGINS
def test_no_override_of_the_contract_goes_without_its_reason(plugin: GatewayPlugin) -> None:
    """A gateway that keeps a promise another way says how, in a docstring or in the comment above."""
    for suite in contract_suites(plugin):
        lines = inspect.getsource(inspect.getmodule(suite)).splitlines()  # type: ignore[arg-type] # it has a module
        for name, method in vars(suite).items():
            if not name.startswith("test_") or not hasattr(GatewayContract, name) or method.__doc__:
                continue
            above = lines[inspect.getsourcelines(method)[1] - 2]
            inside = "#" in inspect.getsource(method)
            assert above.strip().startswith("#") or inside, f"{suite.__name__}.{name} overrides without a reason"
