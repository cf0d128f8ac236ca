"""Which keys and kinds of values does each part of an event file have?"""

from __future__ import annotations

from typing import ClassVar

from connector.adapters.journey_schema import SLUG, VARIABLE
from connector.adapters.yaml_shapes import Shape
from connector.adapters.yaml_values import Anything, Choice, Duration, Items, TextList, Words
from connector.domain.event import ChangeKind

PROPERTY = r"[A-Za-z_][A-Za-z0-9_]*"


class EventFileShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "an event file (crm, contact, events)"

    crm = Words(required=True, pattern=SLUG, expected="a CRM's short name, such as hubspot")
    contact = Anything(required=True)
    events = Anything(required=True)


class ContactShape(Shape):
    """What is read of a contact."""

    what: ClassVar[str] = "a contact mapping"

    read = Anything(required=True)


class EventShape(Shape):
    """One event."""

    what: ClassVar[str] = "an event (on or poll, read, contact)"

    on = Anything()
    poll = Anything()
    read = Anything()
    contact = Anything(required=True)


class OnShape(Shape):
    """`on`."""

    what: ClassVar[str] = "a notice (object: …, property: … or kind: created)"

    object = Words(required=True, pattern=VARIABLE, expected="a kind of record, such as deal")
    kind = Choice((ChangeKind.CREATED.value, ChangeKind.CHANGED.value))
    property = Words(pattern=PROPERTY, expected="a property")
    values = TextList()


class PollShape(Shape):
    """`poll`."""

    what: ClassVar[str] = "a poll (every, object, where, once_per)"

    every = Duration(required=True)
    object = Words(required=True, pattern=VARIABLE, expected="a kind of record, such as invoice")
    where = Items("a list of conditions (hs_invoice_status = open)", required=True)
    once_per = TextList(required=True)


class ContactRuleShape(Shape):
    """`contact` of an event."""

    what: ClassVar[str] = "`self`, or {associated: deal, prefer: primary, through: company}"

    associated = Words(required=True, pattern=VARIABLE, expected="a kind of record, such as deal")
    prefer = Words()
    through = Words(pattern=VARIABLE, expected="a kind of record, such as company")
