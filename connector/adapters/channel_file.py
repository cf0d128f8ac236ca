"""Through which channels can staff and other systems be told something, according to `mappings/channels.yaml`?

Secrets are never in the file: `env CHANNEL_SLACK_SALES` names the environment variable that holds one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connector.adapters.journey_schema import SLUG
from connector.adapters.outbound_guard import OutboundGuard, is_loopback, is_public
from connector.adapters.outside_schema import EMAIL
from connector.adapters.yaml_file import Document, Trail, read_file
from connector.adapters.yaml_shapes import Shape, quoted, shape_of, spoken
from connector.adapters.yaml_values import Anything, Choice, TextList, Words
from connector.domain.places import Place
from connector.errors import ChannelRefusedError, MappingError, Mistake
from connector.ports.channels import ChannelKind, ChannelSpec

RESERVED = "owner"
"""In a `notify` step the contact's owner, so no channel can have that name."""

_ENV = re.compile(r"env\s+(\S+)")
_VARIABLE = re.compile(r"CHANNEL_[A-Z0-9_]+")
_URL = r"https?://\S+"


class ChannelsShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "a channel file (channels: …)"

    channels = Anything(required=True)


class KindShape(Shape):
    """What every channel says."""

    what: ClassVar[str] = "a channel (kind: …, and what that kind needs)"
    secrets: ClassVar[frozenset[str]] = frozenset()

    kind = Choice([kind.value for kind in ChannelKind], required=True)


class EmailShape(KindShape):
    """E-mail to staff, through the mail server of the settings."""

    what: ClassVar[str] = "an email channel (to, from)"

    to = TextList(required=True)
    sender = Words(data_key="from", required=True, pattern=f".*{EMAIL}>?", expected="an e-mail address")


class WebhookShape(KindShape):
    """A webhook, whose address is a secret."""

    what: ClassVar[str] = "a channel with a webhook (url: env CHANNEL_…)"
    secrets: ClassVar[frozenset[str]] = frozenset({"url"})

    url = Words(required=True)


class PagerDutyShape(KindShape):
    """An integration of a PagerDuty service."""

    what: ClassVar[str] = "a pagerduty channel (routing_key, severity, url)"
    secrets: ClassVar[frozenset[str]] = frozenset({"routing_key"})

    routing_key = Words(required=True)
    severity = Choice(("critical", "error", "warning", "info"))
    url = Words(pattern=_URL, expected="an address such as https://events.eu.pagerduty.com/v2/enqueue")


class JiraShape(KindShape):
    """A project of a Jira site."""

    what: ClassVar[str] = "a jira channel (url, user, token, project, issue_type)"
    secrets: ClassVar[frozenset[str]] = frozenset({"token"})

    url = Words(required=True, pattern=_URL, expected="the site's address, such as https://example.atlassian.net")
    user = Words(required=True)
    token = Words(required=True)
    project = Words(required=True, pattern=r"[A-Z][A-Z0-9_]*", expected="a project's key, such as OPS")
    issue_type = Words()


class WhatsAppShape(KindShape):
    """A WhatsApp sender of the gateway's account."""

    what: ClassVar[str] = "a whatsapp channel (from, content_sid)"

    sender = Words(
        data_key="from", required=True, pattern=r"\+[1-9][0-9]{6,14}", expected="a number such as +12025550143"
    )
    content_sid = Words(pattern=r"HX[0-9a-f]{32}", expected="the SID of an approved template, HX and 32 hex digits")


class EndpointShape(KindShape):
    """An address of the admin's own that takes signed POSTs."""

    what: ClassVar[str] = "an endpoint (url, secret)"
    secrets: ClassVar[frozenset[str]] = frozenset({"secret"})

    url = Words(required=True, pattern=_URL, expected="an address such as https://shop.example.com/hooks/sms")
    secret = Words(required=True)


_SHAPES: Mapping[ChannelKind, type[KindShape]] = {
    ChannelKind.EMAIL: EmailShape,
    ChannelKind.SLACK: WebhookShape,
    ChannelKind.TEAMS: WebhookShape,
    ChannelKind.PAGERDUTY: PagerDutyShape,
    ChannelKind.JIRA: JiraShape,
    ChannelKind.WHATSAPP: WhatsAppShape,
    ChannelKind.ENDPOINT: EndpointShape,
}


def load_channels(path: Path, *, allows_loopback: bool = True) -> dict[str, ChannelSpec]:
    """Read the channels by name; none when there is no such file.

    Args:
        path: `mappings/channels.yaml`.
        allows_loopback: an address of this machine is no mistake here; whether it may be called is the guard's word.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    if not path.is_file():
        return {}
    reader = _ChannelReader(read_file(path), allows_loopback=allows_loopback)
    found = reader.read()
    if reader.mistakes:
        raise MappingError(reader.mistakes)
    return found


class _ChannelReader:
    def __init__(self, document: Document, *, allows_loopback: bool) -> None:
        self.document = document
        self._allows_loopback = allows_loopback
        self.mistakes: list[Mistake] = []

    def read(self) -> dict[str, ChannelSpec]:
        top = shape_of(ChannelsShape(), self.document, (), self.document.value, self.mistakes)
        channels = top["channels"] if top else {}
        if not isinstance(channels, dict):
            self._say(("channels",), f"expected channels by name, found {spoken(channels)}")
            return {}
        read = {name: self._channel(("channels", name), name, raw) for name, raw in channels.items()}
        return {name: spec for name, spec in read.items() if spec is not None}

    def _channel(self, trail: Trail, name: str, raw: Any) -> ChannelSpec | None:
        if not re.fullmatch(SLUG, name) or name == RESERVED:
            why = "means the contact's owner" if name == RESERVED else "is no name of small letters and hyphens"
            self._say(trail, f"{quoted(name)} {why}", key=True)
        named = raw.get("kind") if isinstance(raw, dict) else None
        shape = _SHAPES.get(ChannelKind(named)) if named in set(ChannelKind) else None
        if shape is None:
            known = raw.keys() if isinstance(raw, dict) else ()
            shape_of(KindShape(), self.document, trail, raw, self.mistakes, also=known)
            return None
        given = {key: item for key, item in raw.items() if _ENV.fullmatch(str(item).strip())}
        secrets = {key: self._variable((*trail, key), str(item)) for key, item in given.items() if key != "kind"}
        plain = {key: item for key, item in raw.items() if key not in secrets}
        found = self._options(shape, trail, plain, secrets)
        if found is None:
            return None
        spot = self.document.spot(trail, key=True)
        place = Place(self.document.file, spot.line, spot.column)
        return ChannelSpec(name, ChannelKind(found.pop("kind")), place, found, secrets)

    def _options(
        self, kind: type[KindShape], trail: Trail, plain: dict[str, Any], secrets: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """Read what stands in the file itself, by the file's keys; what is named by `env` counts as given."""
        keys = {name: each.data_key or name for name, each in kind().fields.items()}
        for key in secrets.keys() - keys.values():
            self._say((*trail, key), f"`{key}` is not a key of {kind.what}", key=True)
        for key in sorted(kind.secrets & plain.keys()):
            hint = f"write {key}: env CHANNEL_{str(trail[-1]).upper().replace('-', '_')}"
            self._say((*trail, key), "is a secret, which has no place in a file", hint)
        shape = kind(exclude=[name for name, key in keys.items() if key in secrets])
        found = shape_of(shape, self.document, trail, plain, self.mistakes)
        why = _unsafe(found["url"], allows_loopback=self._allows_loopback) if found and "url" in found else ""
        if why and "url" not in kind.secrets:
            self._say((*trail, "url"), why, "such as https://shop.example.com/hooks/sms")
        return None if found is None else {keys[name]: item for name, item in found.items()}

    def _variable(self, trail: Trail, text: str) -> str:
        found = _ENV.fullmatch(text.strip())
        name = found[1] if found else ""
        if not _VARIABLE.fullmatch(name):
            self._say(trail, f"{quoted(name)} is no variable for a channel's secret", "its name begins with CHANNEL_")
        return name

    def _say(self, trail: Trail, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion, key=key))


def _unsafe(url: str, *, allows_loopback: bool) -> str:
    """Say why a URL will not be called, as far as it shows without asking for its host's addresses; empty if it may."""
    try:
        host = urlsplit(url).hostname or ""
        is_own = host == "localhost" or host.endswith(".localhost") or is_loopback(host)
        OutboundGuard(allows_loopback=allows_loopback and is_own).check_url(url)
    except (ValueError, ChannelRefusedError) as error:
        return str(error)
    if is_own:
        return "" if allows_loopback else "leads to the machine it is called from, which is for development only"
    return "leads into a private or reserved network" if _is_address(host) and not is_public(host) else ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
