"""How does a send step become a message?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from connector.domain.event import Owner
from connector.domain.gateway_book import GatewayBook
from connector.domain.journey import Journey
from connector.domain.message import LIFETIMES, Direction, MessageState, Purpose, default_policy
from connector.domain.msisdn import MSISDN, normalise, time_zones
from connector.domain.segments import measure, replace_smart_characters
from connector.domain.steps import Send
from connector.errors import ConditionError, ConnectorError, InvalidNumberError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.ports.rendering import MadeLink, RenderedText, Renderer
from connector.services.links import LinkWriter

_KEPT = 4096  # numbers as they were read: one that is texted is texted again, and reading it takes a third of a text


class UnsendableError(ConnectorError):
    """A send step cannot make its message; says why, for the trace, without number or text."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a step: who runs which journey for whom.

    Attributes:
        owner: whom `owner` means: the record's, else the contact's.
        subject: the CRM record that started the journey, such as `deal:9001`.
        event: the event that started it.
        owners: everybody in the CRM, by id.
    """

    account: AccountRow
    journey: Journey
    enrollment_id: str
    contact: ContactRow
    owner: Owner | None
    names: Mapping[str, Any]
    subject: str = ""
    event: str = ""
    owners: Mapping[str, Owner] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A message, what its trace shows beside it, and the short links in it."""

    message: MessageRow
    shown: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[MadeLink] = ()


@dataclass(frozen=True, slots=True)
class _Recipient:
    kind: str
    number: MSISDN
    locale: str | None
    own_zone: str | None
    came_from: str


class MessageMaker:
    """Makes the messages of send steps.

    Args of the constructor:
        default_gateway: for accounts that name none.
        routes: gateway by the name of the route a step may ask for; only gateways that carry texts here.
        links: makes their short links; None where none are kept.
        book: how texts to each country are written.
    """

    def __init__(
        self,
        renderer: Renderer,
        default_gateway: str,
        new_id: Callable[[], str],
        routes: Mapping[str, str] | None = None,
        links: LinkWriter | None = None,
        book: GatewayBook | None = None,
    ) -> None:
        self._renderer, self._default_gateway, self._new_id = renderer, default_gateway, new_id
        self._routes, self._links, self._book = routes or {}, links, book or GatewayBook()

    def make(self, setting: Setting, step: Send, key: str, now: datetime) -> Made:
        """Make the message of a step, queued; the claim decides whether it may go out now.

        Raises:
            UnsendableError: no usable number, or a text that cannot be rendered.
        """
        account, journey = setting.account, setting.journey
        purpose = step.purpose or journey.purpose
        recipient = self._recipient(setting, step)
        zones = zones_of(account, journey, recipient.own_zone, recipient.number.e164)
        rendered = self._text(setting, step, recipient, zones[0] if zones else None)
        region = recipient.number.region
        country = region if len(region) == 2 else None
        body = self._book.country(country).written(_as_sent(account, rendered.text))
        size = measure(body)
        gateway, route = self._gateway(step.route)
        message = MessageRow(
            id=self._new_id(),
            account_id=account.id,
            direction=Direction.OUT,
            idempotency_key=key,
            purpose=purpose,
            msisdn=recipient.number.e164,
            body=body,
            gateway=gateway,
            encoding=size.encoding.value,
            segments=size.count,
            state=MessageState.QUEUED,
            policy=step.policy or default_policy(purpose),
            not_before=now,
            created_at=now,
            contact_id=setting.contact.id,
            enrollment_id=setting.enrollment_id,
            journey=journey.id,
            step=step.path,
            recipient=recipient.kind,
            sender=step.sender,
            send_window=step.window or journey.window or "",
            caps=tuple(str(cap) for cap in journey.caps) if recipient.kind == "contact" else (),
            time_zones=_own_zones(recipient) if purpose is Purpose.MARKETING else zones,
            country=country,
            expires_at=now + (step.expires_after or LIFETIMES[purpose]),
            priority=journey.priority,
            route=step.route or "",
            template=step.template or "",
            wanted_sender=step.sender,
        )
        shown = {"template": rendered.template, "locale": rendered.locale, "number_from": recipient.came_from}
        return Made(message, {**shown, "segments": size.count, **route}, rendered.links)

    def _gateway(self, route: str | None) -> tuple[str, dict[str, str]]:
        """Give the gateway of a text, and what its trace shows of its route, where it asks for one.

        A route that leads to no gateway in use must not hold a text for ever: it takes the usual one, and says so.
        """
        usual = self._default_gateway
        if route is None:
            return usual, {}
        gateway = self._routes.get(route)
        if gateway is None:
            return usual, {"route": f"{route} leads to no gateway in use here; {usual} takes it"}
        return gateway, {"route": f"{route}, which is {gateway}"}

    def _text(self, setting: Setting, step: Send, recipient: _Recipient, time_zone: str | None) -> RenderedText:
        journey, locale = setting.journey, recipient.locale
        links = None if self._links is None else self._links.maker(journey.id, step.id)
        try:
            return self._renderer.render_send(
                journey, step, setting.names, locale=locale, time_zone=time_zone, links=links
            )
        except ConditionError as error:
            raise UnsendableError(f"the text cannot be written: {error}") from error

    def _recipient(self, setting: Setting, step: Send) -> _Recipient:
        if step.to == "contact":
            return _contact(setting)
        if step.to == "owner":
            return _owner(setting)
        if isinstance(step.to, str):
            raise UnsendableError(f"nobody is meant by to: {step.to}")
        try:
            value = self._renderer.evaluate(step.to, setting.names)
        except ConditionError as error:
            raise UnsendableError(f"to failed: {error}") from error
        regions = [setting.contact.country, setting.account.settings.get("default_region")]
        number = _number(str(value or ""), regions, step.to.source)
        return _Recipient("number", number, setting.contact.locale, None, step.to.source)


def _as_sent(account: AccountRow, text: str) -> str:
    """Replace what would make a text dearer and look the same, unless the account wants it as it is."""
    return replace_smart_characters(text) if account.settings.get("replace_smart_characters", True) else text


def _contact(setting: Setting) -> _Recipient:
    contact = setting.contact
    if contact.msisdn is None:
        raise UnsendableError(f"the contact has no usable number: {contact.msisdn_reason}")
    number = _number(contact.msisdn, [], contact.msisdn_reason)
    return _Recipient("contact", number, contact.locale, contact.time_zone, contact.msisdn_reason)


def _owner(setting: Setting) -> _Recipient:
    if setting.owner is None:
        raise UnsendableError("the record and the contact have no owner")
    settings, email = setting.account.settings, setting.owner.email.casefold()
    phones = {str(key).casefold(): value for key, value in (settings.get("owner_phones") or {}).items()}
    if email not in phones:
        raise UnsendableError(f"no phone is set for the owner {setting.owner.name} (owner_phones of the account)")
    number = _number(str(phones[email]), [settings.get("default_region")], "owner_phones")
    return _Recipient("owner", number, settings.get("locale"), settings.get("time_zone"), "owner_phones")


def _number(text: str, regions: list[Any], came_from: str) -> MSISDN:
    try:
        return _read_number(text, tuple(str(region) for region in regions if region))
    except InvalidNumberError as error:
        raise UnsendableError(f"{came_from}: {error}") from error


def _own_zones(recipient: _Recipient) -> tuple[str, ...]:
    """Give the zones the recipient can be in.

    The hours in which marketing may reach somebody are counted by their clock (47 CFR 64.1200(c)(1): "local time at the
    called party's location"), whatever clock the journey names for its waits.
    """
    return (recipient.own_zone,) if recipient.own_zone else time_zones(recipient.number.e164)


@lru_cache(maxsize=_KEPT)
def _read_number(text: str, regions: tuple[str, ...]) -> MSISDN:
    return normalise(text, regions)


def zones_of(account: AccountRow, journey: Journey, own_zone: str | None, e164: str | None) -> tuple[str, ...]:
    """Give the zones whose clocks the journey goes by: the one it names, else the recipient's own, else the number's.

    The send window of marketing is no matter of the journey's choice.
    """
    if journey.time_zone not in {"contact", "account"}:
        return (journey.time_zone,)
    own = account.settings.get("time_zone") if journey.time_zone == "account" else own_zone
    if own:
        return (str(own),)
    return () if e164 is None else time_zones(e164)
