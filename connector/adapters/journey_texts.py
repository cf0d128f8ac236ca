"""Which SMS texts does a journey file name, in which languages, and which previews does each one have?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.adapters.jinja_syntax import compile_text
from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_uses import Uses
from connector.adapters.length_checks import TextAt
from connector.adapters.locale_checks import files_of
from connector.adapters.rendering import locale_of
from connector.adapters.yaml_file import Document, Trail, format_trail
from connector.domain.compliance import MOST_SEGMENTS, Compliance
from connector.domain.locales import ULTIMATE
from connector.domain.message import Purpose
from connector.domain.steps import Send


@dataclass(frozen=True, slots=True)
class SMSUse:
    """A text at one step that sends it.

    Attributes:
        name: `invoice-overdue/first`, or the path of a text written in the journey file.
        trail: where the step names it.
        knows: names it sees beside those of every text.
        versions: it in each of its languages, the one for everybody first; none when the template is missing.
        most: SMS it may take, by the purpose it goes out with.
    """

    name: str
    trail: Trail
    knows: tuple[str, ...]
    versions: tuple[TextAt, ...]
    most: int = MOST_SEGMENTS
    is_template: bool = True


def sms_uses(document: Document, uses: Uses, names: JourneyNames) -> list[SMSUse]:
    """Give every SMS text of a journey file, templates first."""
    world, found = names.world, []
    for use in uses.templates:
        files = tuple(_files(use.name, world.templates, world.templates_dir))
        found.append(SMSUse(use.name, use.trail, use.knows, files, _most(document, use.trail, world.compliance)))
    for text in (use for use in uses.texts if use.is_sms):
        path, most = format_trail(text.trail), _most(document, text.trail, world.compliance)
        at = TextAt(text.text.source, compile_text(text.text.source), document.file, ULTIMATE, text.text.place, path)
        found.append(SMSUse(path, text.trail, text.knows, (at,), most, is_template=False))
    return found


def _most(document: Document, trail: Trail, compliance: Compliance | None) -> int:
    """Give how many SMS the text at a place may take, by the purpose it goes out with there."""
    top: Any = document.value
    beside = top
    for part in trail[:-1]:
        beside = beside[part]
    purpose = beside.get("purpose", top.get("purpose")) if "verify" not in trail[-2:] else Purpose.OTP.value
    rule = compliance.purposes.get(purpose) if compliance is not None and isinstance(purpose, str) else None
    return MOST_SEGMENTS if rule is None else rule.most_segments


def use_of(send: Send, found: list[SMSUse]) -> SMSUse | None:
    """Find the text that a step sends."""
    for use in found:
        if use.is_template and use.name == send.template and format_trail(use.trail).startswith(send.path):
            return use
        if not use.is_template and send.text is not None and use.versions[0].place == send.text.place:
            return use
    return None


def names_of(use: SMSUse, names: JourneyNames, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the names a text sees, with usual values and those `given`."""
    return names.at(use.trail, knows=use.knows, given=given)


def longest_names_of(use: SMSUse, names: JourneyNames) -> dict[str, Any]:
    """Give the names a text sees, with the longest plausible values."""
    return names.at(use.trail, knows=use.knows, longest=True)


def _files(name: str, templates: Mapping[str, str], templates_dir: str) -> Iterator[TextAt]:
    for path in files_of(name, templates):
        source = templates[path]
        yield TextAt(source, compile_text(source), f"{templates_dir}/{path}", locale_of(path) or ULTIMATE)
