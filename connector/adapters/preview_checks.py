"""Do the previews of a journey's texts name what there is, and can each text be shown with each of them?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_texts import SMSUse, names_of
from connector.adapters.length_checks import rendered
from connector.adapters.name_checks import is_open, without_place
from connector.adapters.preview_file import Preview, previews_of
from connector.adapters.yaml_file import Document
from connector.domain.segments import measure
from connector.errors import ConditionError, Mistake


def preview_mistakes(uses: Sequence[SMSUse], names: JourneyNames) -> Iterator[Mistake]:
    """Check the companion files of a journey's templates."""
    for name in dict.fromkeys(use.name for use in uses):
        document = names.world.previews.get(name)
        here = [use for use in uses if use.name == name]
        if document is None or not names.knows_trigger:
            continue
        previews, mistakes = previews_of(document, seen_by(here, names))
        yield from mistakes
        for preview in previews:
            for use in here:
                yield from _shown(document, preview, use, names)


def seen_by(uses: Sequence[SMSUse], names: JourneyNames) -> dict[str, Any]:
    """Give every name that a text sees at one of the steps that send it."""
    found: dict[str, Any] = {}
    for use in uses:
        for name, value in names_of(use, names).items():
            before = found.get(name)
            found[name] = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return found


def _shown(document: Document, preview: Preview, use: SMSUse, names: JourneyNames) -> Iterator[Mistake]:
    values = names_of(use, names, preview.values)
    for at in use.versions:
        if at.compiled.template is None or is_open(at.compiled, values):
            continue  # the one is told where the text stands, the other cannot be known
        try:
            size = measure(rendered(at, values))
        except ConditionError as exc:
            message = f"cannot be shown in {at.locale}: {without_place(exc)}"
            yield document.mistake(preview.trail, message, "give it a value, or let the text do without", key=True)
            continue
        if size.count > use.most:
            message = f"takes {size.count} SMS in {at.locale}: more than {use.most}"
            yield document.mistake(preview.trail, message, "shorten the text", key=True, severity="warning")
