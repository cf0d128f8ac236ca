"""How does the description of a channel become one that delivers?

A channel that lacks a secret or an option is broken, by itself: what is to go through it waits and says why, and
everything else works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.adapters.channels.email import EmailChannel, mail_server
from connector.adapters.channels.endpoint import EndpointChannel
from connector.adapters.channels.jira import JiraChannel
from connector.adapters.channels.pagerduty import EVENTS_URL, SEVERITIES, PagerDutyChannel
from connector.adapters.channels.posting import Poster
from connector.adapters.channels.slack import SlackChannel
from connector.adapters.channels.teams import TeamsChannel
from connector.adapters.channels.whatsapp import WhatsAppChannel
from connector.errors import ChannelRefusedError, ChannelUnavailableError, ConfigurationError
from connector.ports.channels import Channel, ChannelKind, ChannelSpec, Delivery

_ASK_AGAIN_AFTER = timedelta(minutes=1)  # a missing secret is set by a person, and takes a restart


@dataclass(frozen=True, slots=True)
class ChannelTools:
    """What channels are built with.

    Attributes:
        secrets: values of the `CHANNEL_…` variables, by name.
        smtp_url: the mail server for e-mail, or empty.
        twilio: account SID, auth token and API URL for WhatsApp; the first two empty when there is no account.
        now: the present.
    """

    poster: Poster
    now: Callable[[], datetime]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    smtp_url: str = field(default="", repr=False)
    twilio: tuple[str, str, str] = field(default=("", "", ""), repr=False)


@dataclass(slots=True)
class BrokenChannel:
    """Stands for a channel that cannot work as it is described.

    Attributes:
        reason: what is missing or wrong, by its exact name.
    """

    reason: str
    is_repeatable: bool = True

    def deliver(self, delivery: Delivery) -> Any:  # noqa: ARG002 - the port's signature
        """Put everything off until somebody has mended it."""
        raise ChannelUnavailableError(f"the channel is not set up: {self.reason}", retry_after=_ASK_AGAIN_AFTER)


def build_channels(specs: Iterable[ChannelSpec], tools: ChannelTools) -> Mapping[str, Channel]:
    """Build every channel, by name; a `BrokenChannel` for each that cannot be built."""
    channels: dict[str, Channel] = {}
    for spec in specs:
        try:
            channels[spec.name] = build_channel(spec, tools)
        except ConfigurationError as error:
            channels[spec.name] = BrokenChannel(str(error))
    return channels


def build_channel(spec: ChannelSpec, tools: ChannelTools) -> Channel:
    """Build one channel.

    Raises:
        ConfigurationError: a secret or option is missing or wrong; the message names it, never its value.
    """
    try:
        return _MAKERS[spec.kind](_Options(spec, tools.secrets), tools)
    except ChannelRefusedError as error:  # the guard's word on its URL
        raise ConfigurationError(f"{spec.place.file}: channel {spec.name}: {error}") from None


def broken(channels: Mapping[str, Channel]) -> Mapping[str, str]:
    """Give what is missing or wrong, by the names of the channels that cannot work."""
    return {name: channel.reason for name, channel in channels.items() if isinstance(channel, BrokenChannel)}


class _Options:
    """A spec's options, its secrets filled in."""

    def __init__(self, spec: ChannelSpec, secrets: Mapping[str, str]) -> None:
        self._spec, self._secrets = spec, secrets

    def text(self, name: str) -> str:
        """Give an option that must be there.

        Raises:
            ConfigurationError: it is not.
        """
        value = self.maybe(name)
        if not value:
            raise self.wrong(name, "is missing")
        return value

    def maybe(self, name: str, default: str = "") -> str:
        """Give an option, or the default when it is not given; a secret that is named must be set."""
        variable = self._spec.secrets.get(name)
        if variable is None:
            return str(self._spec.options.get(name) or default).strip()
        value = self._secrets.get(variable, "").strip()
        if not value:
            raise ConfigurationError(f"{variable} is missing: the channel {self._spec.name} needs it as its {name}")
        return value

    def many(self, name: str) -> list[str]:
        """Give an option that is a list or one text, or one with commas."""
        value = self._spec.options.get(name)
        if isinstance(value, list | tuple):
            return [str(each).strip() for each in value if str(each).strip()]
        return [each.strip() for each in self.text(name).split(",") if each.strip()]

    def wrong(self, name: str, what: str) -> ConfigurationError:
        """Say what is wrong with an option."""
        place = self._spec.place
        return ConfigurationError(f"{place.file}:{place.line}: channel {self._spec.name}: {name} {what}")


def _email(options: _Options, tools: ChannelTools) -> Channel:
    recipients = options.many("to")
    if not recipients:
        raise options.wrong("to", "is missing")
    return EmailChannel(mail_server(tools.smtp_url), options.text("from"), recipients, tools.now)


def _slack(options: _Options, tools: ChannelTools) -> Channel:
    return SlackChannel(tools.poster, options.text("url"))


def _teams(options: _Options, tools: ChannelTools) -> Channel:
    return TeamsChannel(tools.poster, options.text("url"))


def _pagerduty(options: _Options, tools: ChannelTools) -> Channel:
    severity = options.maybe("severity", "error")
    if severity not in SEVERITIES:
        raise options.wrong("severity", f"is none of {', '.join(sorted(SEVERITIES))}")
    return PagerDutyChannel(tools.poster, options.text("routing_key"), severity, options.maybe("url", EVENTS_URL))


def _jira(options: _Options, tools: ChannelTools) -> Channel:
    return JiraChannel(
        tools.poster,
        options.text("url"),
        options.text("user"),
        options.text("token"),
        options.text("project"),
        options.maybe("issue_type", "Task"),
    )


def _whatsapp(options: _Options, tools: ChannelTools) -> Channel:
    account_sid, auth_token, api_url = tools.twilio
    if not account_sid or not auth_token:
        raise ConfigurationError("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKENS are missing: WhatsApp goes through Twilio")
    return WhatsAppChannel(account_sid, auth_token, api_url, options.text("from"), options.maybe("content_sid"))


def _endpoint(options: _Options, tools: ChannelTools) -> Channel:
    return EndpointChannel(tools.poster, options.text("url"), options.text("secret"), tools.now)


_MAKERS: Mapping[ChannelKind, Callable[[_Options, ChannelTools], Channel]] = {
    ChannelKind.EMAIL: _email,
    ChannelKind.SLACK: _slack,
    ChannelKind.TEAMS: _teams,
    ChannelKind.PAGERDUTY: _pagerduty,
    ChannelKind.JIRA: _jira,
    ChannelKind.WHATSAPP: _whatsapp,
    ChannelKind.ENDPOINT: _endpoint,
}
