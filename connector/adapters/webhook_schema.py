"""Which keys and kinds of values does each part of `mappings/events/generic.yaml` have?"""

from __future__ import annotations

from typing import ClassVar

from connector.adapters.journey_schema import SLUG
from connector.adapters.yaml_shapes import Shape
from connector.adapters.yaml_values import Anything, Choice, Items, TextList, Words
from connector.domain.webhook_sources import SignatureKind, Unit

GENERIC = "generic"
HEADER = r"[A-Za-z][A-Za-z0-9-]{0,79}"


class WebhookFileShape(Shape):
    """The file itself."""

    what: ClassVar[str] = "the file of webhooks (crm: generic, sources, events)"

    crm = Choice((GENERIC,), required=True)
    sources = Anything(required=True)
    events = Anything(required=True)


class SourceShape(Shape):
    """One system."""

    what: ClassVar[str] = "a system that sends webhooks (signature, id, type, at)"

    signature = Anything(required=True)
    id = Anything()
    type = Anything()
    at = Anything()


class SignatureShape(Shape):
    """`signature`, where it is none of the recipes that have a name."""

    what: ClassVar[str] = "`stripe`, `github`, or {kind: hmac, header: …, encoding: …, prefix: …}"

    kind = Choice(tuple(kind.value for kind in SignatureKind), required=True)
    header = Words(required=True, pattern=HEADER, expected="the name of a header, such as X-Signature")
    encoding = Choice(("hex", "base64"))
    prefix = Words(longest=40)


class TypeShape(Shape):
    """`type` of a system that names it in a header."""

    what: ClassVar[str] = "a JSONPath, or {header: X-Topic}"

    header = Words(required=True, pattern=HEADER, expected="the name of a header, such as X-Topic")


class OccurrenceShape(Shape):
    """One event as one system tells of it."""

    what: ClassVar[str] = "an event of a webhook (on, where, record, read, contact)"

    on = Anything(required=True)
    where = Items("a list of conditions ($.status = paid)")
    record = Anything(required=True)
    read = Anything()
    contact = Anything(required=True)


class OnWebhookShape(Shape):
    """`on`."""

    what: ClassVar[str] = "a webhook (source: …, type: …)"

    source = Words(required=True, pattern=SLUG, expected="the name of a source, such as billing")
    type = TextList()


UNITS = {Unit.MINOR.value: Unit.MINOR, Unit.SECONDS.value: Unit.SECONDS}
"""What may stand behind `in`."""
