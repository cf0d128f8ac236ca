"""Which keys and kinds of values does the header of a journey file have?

One shape per mapping, one level deep: lists of steps are read step by step (`step_schema`, `journey_parts`), so that a
mistake in one step hides none in another. The docstring of a shape and the `means` of a field explain it in an editor.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from cronsim import CronSim, CronSimError
from marshmallow import ValidationError

from connector.adapters.yaml_shapes import Complaint, Shape, quoted
from connector.adapters.yaml_values import (
    Below,
    Choice,
    Items,
    Named,
    Parsed,
    Steps,
    TextList,
    WholeNumber,
    Words,
    YesNo,
)
from connector.domain.caps import parse_cap
from connector.domain.locales import normalise_locale
from connector.domain.message import Purpose

SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
VARIABLE = r"[a-z][a-z0-9_]*"
EVENT = r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+"


class Caps(TextList):
    """One cap such as `3 per 7 days`, or several that hold together."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return tuple(parse_cap(text) for text in super()._deserialize(value, *args, **kwargs))
        except ValueError as exc:
            raise exc if isinstance(exc, ValidationError) else ValidationError(str(exc)) from exc

    def plain_schema(self) -> dict[str, Any]:
        """Give the pattern of a cap."""
        cap = {"type": "string", "pattern": r"^\s*[0-9]{1,6}\s+per\s+.+$", "examples": ["3 per 7 days", "1 per day"]}
        return {"anyOf": [cap, {"type": "array", "items": cap, "minItems": 1}]}


class Locales(TextList):
    """Languages such as `de` or `pt-BR`."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        for each in found:
            tag = normalise_locale(each)
            if tag != each:
                hint = f"write {tag}" if tag else 'such as "de" or "pt-BR"'
                raise ValidationError(Complaint(f"{quoted(each)} is no language", hint))
        return tuple(dict.fromkeys(found))


class Again(Words):
    """When somebody may enter again; the builder reads it, an editor knows its form."""

    def plain_schema(self) -> dict[str, Any]:
        """Give the words and the pattern of a duration."""
        return {"anyOf": [{"enum": ["never", "after exit", "always"]}, {"type": "string", "pattern": _AGAIN_AFTER}]}


_AGAIN_AFTER = r"^(after\s+)?[0-9]{1,9}\s+(second|minute|hour|day|week)s?\s*$"


class CronLine(Parsed):
    """When a schedule comes round."""

    def plain_schema(self) -> dict[str, Any]:
        """Give the pattern of five fields."""
        return {"type": "string", "pattern": r"^\s*(\S+\s+){4}\S+\s*$"}


_CRON_FIELDS = 5
_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _cron_line(text: str) -> str:
    """Check a cron line of five fields.

    Raises:
        ValueError: it is none, or names a day that never comes, such as February 30.
    """
    if len(text.split()) != _CRON_FIELDS:
        raise ValueError(f"{quoted(text)} is no cron line: expected minute, hour, day, month and weekday")
    try:
        CronSim(text, _SOME_TIME)
    except CronSimError as exc:
        raise ValueError(f"{quoted(text)} is no cron line: {str(exc)[:1].lower()}{str(exc)[1:]}") from exc
    return text


class TriggerShape(Shape):
    """What starts the journey: an event, or a schedule with an audience."""

    what: ClassVar[str] = "a trigger (event: …)"

    event = Words(pattern=EVENT, expected="an event, such as invoice.overdue", means="An event of mappings/events/.")
    where = Words(means="A condition that must hold, such as `invoice.balance_due >= 10`.")
    imports = YesNo(means="Take records that came in with a bulk import too; left out otherwise.")
    audience = Words(
        pattern=SLUG, expected="an audience of mappings/audiences.yaml", means="The contact must be in this audience."
    )
    schedule = CronLine(
        _cron_line, means="Instead of an event: minute, hour, day, month, weekday.", examples=["0 10 * * tue"]
    )


class EnrollShape(Shape):
    """What makes an enrollment unique, and when the same key may enter again."""

    what: ClassVar[str] = "an enroll rule (key: …, again: …)"

    key = Words(means="One live enrollment per contact and value of this; `contact.id` when left out.")
    again = Again(
        means="When the same key may enter again: never, after exit, after 30 days, always; `never` when left out.",
        examples=["never", "after exit", "after 30 days", "always"],
    )


class ExitRuleShape(Shape):
    """What ends the journey early: an event, or a condition alone."""

    what: ClassVar[str] = "an event (event: …, where: …) or a condition (where: …)"

    event = Words(means="An event of mappings/events/.")
    where = Words(means="A condition; of an event it sees `event.*`.")


class JourneyShape(Shape):
    """When this happens in the CRM, to whom, these texts go out, in this order, until this stops it."""

    what: ClassVar[str] = "a journey"

    journey = Words(
        required=True,
        pattern=SLUG,
        expected="an id of lower-case letters, digits and hyphens",
        longest=60,
        means="Its id: the name of the file.",
    )
    title = Words(longest=120, means="For people.")
    purpose = Choice(
        [purpose.value for purpose in Purpose],
        required=True,
        means="Decides consent, send window, caps, lane and what becomes of a text nobody can tell the fate of.",
    )
    owner = Words(longest=120, means="Who is told when the journey breaks.")
    enabled = YesNo(means="`no` lets nobody new in.")
    labels = TextList(means="For people.")
    crm = Words(means="Only events of this CRM.")
    window = Words(means="A send window of mappings/compliance.yaml, or anytime.", examples=["anytime"])
    cap = Caps(means="At most so many texts of this journey to a number: `3 per 7 days`, or several.")
    timezone = Words(
        means="Whose clock counts: contact, account, or an IANA zone.", examples=["contact", "account", "Europe/Berlin"]
    )
    priority = WholeNumber(1, 9, means="Who gives way when the last slot under a cap is wanted twice: 9 goes first.")
    locales = Locales(means="Languages it promises every text in.")
    variables = Named(Words(), name=VARIABLE, means="Named expressions, computed once at the start: `vars.name`.")
    trigger = Below(TriggerShape, required=True, means="What starts it.")
    enroll = Below(EnrollShape, means="Who may enter, and how often.")
    exit_when = Items("a list of events or conditions (- event: …)", ExitRuleShape, means="What ends it early.")
    steps = Steps(required=True, means="What it does, in order.")
