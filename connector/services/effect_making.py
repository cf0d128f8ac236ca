"""How do a notification, a hand-off and a call to an endpoint become rows of the effects lane?

What is to be said is written now, with what holds now; the lane only delivers it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connector.domain.errands import Call, Handoff, HandoffTo, Notify
from connector.domain.message import Direction, Purpose
from connector.domain.msisdn import normalise
from connector.errors import ConditionError, InvalidNumberError
from connector.ports.effects import EffectKind, EffectRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.rendering import Renderer
from connector.services.message_making import Setting, zones_of
from connector.services.shown_texts import shown_body
from connector.services.wishes import ImpossibleError, Wish, for_contact, for_staff

WORTH_TELLING = timedelta(hours=24)
"""How long staff are tried to be told something: longer than a chat or mail system is away, and the next day somebody
has seen it in the CRM anyway."""

_COUNTRY_CODE = 2  # letters, ISO 3166

MOST_MESSAGES = 20
"""Of a conversation that is passed on: what a person reads before answering; the CRM has the rest."""


class EffectMaker:
    """Makes the rows."""

    def __init__(self, renderer: Renderer, new_id: Callable[[], str]) -> None:
        self._renderer, self._new_id = renderer, new_id

    def notification(self, wish: Wish, step: Notify) -> EffectRow:
        """Tell staff something.

        Raises:
            ImpossibleError: it cannot be written.
        """
        journey = wish.setting.journey
        title = journey.title if step.title is None else for_staff(self._renderer, wish.setting, step.title)
        said = {"title": title or journey.id, "text": for_staff(self._renderer, wish.setting, step.text)}
        return self._row(wish, EffectKind.NOTIFY, step.channel, said, WORTH_TELLING)

    def handoff(self, uow: UnitOfWork, wish: Wish, step: Handoff) -> EffectRow:
        """Pass a conversation on, by e-mail or WhatsApp.

        Raises:
            ImpossibleError: it cannot be written, or there is no number to go on with.
        """
        said = self._to_whatsapp(wish, step) if step.to is HandoffTo.WHATSAPP else self._to_email(uow, wish, step)
        return self._row(wish, EffectKind.HANDOFF, step.channel, said, WORTH_TELLING)

    def call(self, wish: Wish, step: Call) -> EffectRow:
        """Ask an endpoint.

        Raises:
            ImpossibleError: a value cannot be worked out.
        """
        data = {}
        for name, expression in step.payload.items():
            try:
                data[name] = plain(self._renderer.evaluate(expression, wish.setting.names))
            except ConditionError as error:
                raise ImpossibleError(f"send.{name} failed: {error}") from error
        return self._row(wish, EffectKind.CALL, step.endpoint, {"data": data}, step.within)

    def _to_whatsapp(self, wish: Wish, step: Handoff) -> dict[str, Any]:
        number = wish.setting.contact.msisdn
        if number is None:
            raise ImpossibleError(f"the contact has no usable number: {wish.setting.contact.msisdn_reason}")
        if step.text is None:
            raise ImpossibleError("there is no text to go on with")
        text = for_contact(self._renderer, wish.setting, step.text)
        return {"number": number, "text": text, **_limits(wish.setting, number)}

    def _to_email(self, uow: UnitOfWork, wish: Wish, step: Handoff) -> dict[str, Any]:
        setting = wish.setting
        name = _name(setting.names)
        line = "" if step.text is None else for_staff(self._renderer, setting, step.text)
        messages = uow.messages.of_contact(setting.account.id, setting.contact.id, MOST_MESSAGES)
        talk = [_spoken(each, name) for each in reversed(messages) if _is_of_contact(each)]
        about = f"Contact {name}, {setting.contact.msisdn or 'no number'}; {setting.subject}"
        text = "\n\n".join(part for part in (line, about, "\n".join(talk)) if part)
        return {"title": f"{setting.journey.title or setting.journey.id}: {name}", "text": text}

    def _row(
        self, wish: Wish, kind: EffectKind, channel: str, payload: Mapping[str, Any], tried_for: timedelta
    ) -> EffectRow:
        return EffectRow(
            id=self._new_id(),
            account_id=wish.setting.account.id,
            kind=kind,
            key=wish.key,
            channel=channel,
            payload=payload,
            not_before=wish.now,
            expires_at=wish.now + tried_for,
            created_at=wish.now,
            enrollment_id=wish.setting.enrollment_id,
            contact_id=wish.setting.contact.id,
            path=wish.step.path,
            is_awaited=wish.is_awaited,
        )


def _limits(setting: Setting, number: str) -> dict[str, Any]:
    """Give what decides whether and when a message may reach the contact; asked when it is about to go out."""
    journey = setting.journey
    try:
        region = normalise(number, []).region
    except InvalidNumberError as error:
        raise ImpossibleError(f"the contact's number is of no use: {error}") from error
    return {
        "purpose": journey.purpose.value,
        "window": journey.window or "",
        "time_zones": list(zones_of(setting.account, journey, setting.contact.time_zone, number)),
        "country": region if len(region) == _COUNTRY_CODE else None,  # "001" is a number of no country
    }


def plain(value: Any) -> Any:
    """Give a value as JSON has it; an amount as a text, so that no cent is lost on the way."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _is_of_contact(message: MessageRow) -> bool:
    """One-time codes are nobody else's business, and what an owner was sent is no part of the conversation."""
    is_code = message.purpose is Purpose.OTP and message.direction is Direction.OUT
    return message.recipient == "contact" and not is_code


def _spoken(message: MessageRow, name: str) -> str:
    who = name if message.direction is Direction.IN else "We"
    return f"{message.created_at:%Y-%m-%d %H:%M} UTC  {who}: {shown_body(message)}"


def _name(names: Mapping[str, Any]) -> str:
    contact = names.get("contact")
    name = contact.get("name") if isinstance(contact, Mapping) else None
    return str(name) if name else "a contact"
