"""Which gateways does this program know: its own, and those that other distributions bring?"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points

import structlog

from connector.adapters.sms import (
    aws_sms,
    aws_sns,
    infobip,
    messagebird,
    null,
    plivo,
    sinch,
    smpp,
    smsgatewayhub,
    telesign,
    telnyx,
    twilio,
    vonage,
    vonage_messages,
)
from connector.ports.gateway_plugin import GatewayPlugin

ENTRY_POINTS = "sms_connector.gateways"
"""Group under which a distribution names its `GatewayPlugin`; a test of theirs should inherit our contract suite."""

BUILT_IN: tuple[GatewayPlugin, ...] = (
    twilio.PLUGIN,
    vonage.PLUGIN,
    vonage_messages.PLUGIN,
    sinch.PLUGIN,
    telesign.PLUGIN,
    aws_sms.PLUGIN,
    aws_sns.PLUGIN,
    smsgatewayhub.PLUGIN,
    plivo.PLUGIN,
    telnyx.PLUGIN,
    infobip.PLUGIN,
    messagebird.PLUGIN,
    smpp.PLUGIN,
    null.PLUGIN,
)
"""Our own, in the order in which the documentation lists them. A new gateway is one entry here."""

log = structlog.get_logger(__name__)


@functools.cache
def gateway_plugins() -> Mapping[str, GatewayPlugin]:
    """Give every gateway by slug; one of another distribution that is broken, or named as one of ours, is left out."""
    found = {plugin.slug: plugin for plugin in BUILT_IN}
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            plugin = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the other gateways work
            log.error("gateway.not_loaded", entry_point=entry.name, error=type(error).__name__)
            continue
        if not isinstance(plugin, GatewayPlugin) or plugin.slug in found:
            log.error("gateway.not_loaded", entry_point=entry.name, error="no plugin, or a slug that is taken")
            continue
        found[plugin.slug] = plugin
    return found


def is_configured(plugin: GatewayPlugin, values: Mapping[str, str]) -> bool:
    """Tell whether the setting that switches a gateway on has a value; one without such a setting is always there."""
    switch = next((setting.name for setting in plugin.settings if setting.is_required), None)
    return switch is None or bool(values.get(switch))


def missing_settings(plugin: GatewayPlugin, values: Mapping[str, str]) -> list[str]:
    """Name the required settings of a gateway that have no value."""
    return [setting.name for setting in plugin.settings if setting.is_required and not values.get(setting.name)]
