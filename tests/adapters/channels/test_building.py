"""Every kind of channel can be described and built; what is missing is named, and breaks one channel alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.adapters.channels.building import BrokenChannel, ChannelTools, broken, build_channel, build_channels
from connector.adapters.channels.posting import Poster
from connector.adapters.outbound_guard import OutboundGuard
from connector.domain.places import Place
from connector.errors import ChannelUnavailableError, ConfigurationError
from connector.ports.channels import ChannelKind, ChannelSpec, Delivery

PLACE = Place("mappings/channels.yaml", 4, 3)
SECRETS = {"CHANNEL_URL": "https://hooks.example.com/T0/secret", "CHANNEL_KEY": "k" * 32}
OPTIONS: Mapping[ChannelKind, tuple[Mapping[str, Any], Mapping[str, str]]] = {
    ChannelKind.EMAIL: ({"to": ["billing@example.com"], "from": "SMS <sms@example.com>"}, {}),
    ChannelKind.SLACK: ({}, {"url": "CHANNEL_URL"}),
    ChannelKind.TEAMS: ({}, {"url": "CHANNEL_URL"}),
    ChannelKind.PAGERDUTY: ({"severity": "warning"}, {"routing_key": "CHANNEL_KEY"}),
    ChannelKind.JIRA: (
        {"url": "https://acme.example.com", "user": "bot@example.com", "project": "OPS"},
        {"token": "CHANNEL_KEY"},
    ),
    ChannelKind.WHATSAPP: ({"from": "+12025550100"}, {}),
    ChannelKind.ENDPOINT: ({"url": "https://api.example.com/sms"}, {"secret": "CHANNEL_KEY"}),
}


def tools(**changes: Any) -> ChannelTools:
    values: dict[str, Any] = {
        "poster": Poster(OutboundGuard()),
        "now": lambda: datetime(2026, 11, 20, tzinfo=UTC),
        "secrets": SECRETS,
        "smtp_url": "smtps://u:p@mail.example.com",
        "twilio": ("AC1", "token", "https://api.twilio.com"),
    }
    return ChannelTools(**values | changes)


def spec(kind: ChannelKind, **changes: Any) -> ChannelSpec:
    options, secrets = OPTIONS[kind]
    return replace(ChannelSpec("alerts", kind, PLACE, options, secrets), **changes)


@pytest.mark.parametrize("kind", ChannelKind)
def test_every_kind_can_be_built(kind: ChannelKind) -> None:
    assert not isinstance(build_channels([spec(kind)], tools())["alerts"], BrokenChannel)


@pytest.mark.parametrize("kind", ChannelKind)
def test_whatever_a_kind_needs_is_named_when_it_is_missing(kind: ChannelKind) -> None:
    options, secrets = OPTIONS[kind]
    for name in options.keys() - {"severity"}:
        fewer = {key: value for key, value in options.items() if key != name}
        with pytest.raises(ConfigurationError, match=rf"channels.yaml:4: channel alerts: {name} is missing"):
            build_channel(spec(kind, options=fewer), tools())
    for name, variable in secrets.items():
        with pytest.raises(
            ConfigurationError, match=f"{variable} is missing: the channel alerts needs it as its {name}"
        ):
            build_channel(spec(kind), tools(secrets={}))


def test_mail_needs_a_mail_server_and_whatsapp_an_account() -> None:
    with pytest.raises(ConfigurationError, match="SMTP_URL is missing"):
        build_channel(spec(ChannelKind.EMAIL), tools(smtp_url=""))
    with pytest.raises(ConfigurationError, match="TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKENS are missing"):
        build_channel(spec(ChannelKind.WHATSAPP), tools(twilio=("", "", "https://api.twilio.com")))


def test_a_severity_pagerduty_does_not_know_is_refused_with_those_it_does() -> None:
    with pytest.raises(ConfigurationError, match="critical, error, info, warning"):
        build_channel(spec(ChannelKind.PAGERDUTY, options={"severity": "bad"}), tools())


def test_a_secret_that_may_not_be_called_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_channel(spec(ChannelKind.SLACK), tools(secrets={"CHANNEL_URL": "http://hooks.example.com/T0/secret"}))
    assert str(refused.value) == "mappings/channels.yaml: channel alerts: its URL does not begin with https://"


def test_a_broken_channel_stops_no_other_and_says_what_it_waits_for() -> None:
    specs = [spec(ChannelKind.SLACK), spec(ChannelKind.ENDPOINT, name="slots")]
    channels = build_channels(specs, tools(secrets={"CHANNEL_KEY": "k"}))
    assert broken(channels) == {"alerts": "CHANNEL_URL is missing: the channel alerts needs it as its url"}
    with pytest.raises(ChannelUnavailableError, match="not set up: CHANNEL_URL is missing"):
        channels["alerts"].deliver(Delivery("id-1"))


def test_a_channel_shows_no_secret() -> None:
    assert "secret" not in repr(tools())
    assert all("k" * 32 not in repr(build_channel(spec(kind), tools())) for kind in ChannelKind)
