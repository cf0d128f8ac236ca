"""How does each text of the journeys look with sample values, in each language, and what does it cost to send?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from connector.adapters.gateway_file import load_gateways
from connector.adapters.journey_builder import JourneyBuilder
from connector.adapters.journey_checks import JourneyChecks
from connector.adapters.journey_meanings import meanings_of
from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_texts import SMSUse, longest_names_of, names_of
from connector.adapters.journey_world import World
from connector.adapters.length_checks import TextAt, rendered
from connector.adapters.locale_checks import fallback_of
from connector.adapters.name_checks import is_open, without_place
from connector.adapters.preview_checks import seen_by
from connector.adapters.preview_file import previews_of
from connector.adapters.world_files import read_world
from connector.adapters.yaml_file import read_file
from connector.adapters.yaml_shapes import closest, quoted
from connector.domain.locales import ULTIMATE, normalise_locale
from connector.domain.prices import Price
from connector.domain.segments import Encoding, foreign_characters, measure
from connector.errors import ConditionError, ConfigurationError, MappingError

USUAL, LONGEST = "usual values", "longest values"
"""Names of the two previews that every text has."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One text as one person would get it.

    Attributes:
        text: `invoice-overdue/first`, or the path of a text written in the journey file.
        preview: name of the sample values.
        locale: the language asked for.
        written_in: the language the text is there in; another one than asked for is a fall-back.
        chain: how that was found, such as `fr-CA → fr → en`.
        file: where the text stands.
        body: what is sent; empty when it cannot be shown.
        encoding, units, segments: how it is sent; units are what counts towards a part's 160 or 70.
        dear: characters that make it UCS-2.
        mistake: why it cannot be shown, or empty.
    """

    journey: str
    text: str
    preview: str
    locale: str
    written_in: str
    chain: str
    file: str
    body: str = ""
    encoding: Encoding = Encoding.GSM7
    units: int = 0
    segments: int = 0
    dear: tuple[str, ...] = ()
    mistake: str = ""

    @property
    def fell_back(self) -> bool:
        """Whether people of this locale get the text in another language."""
        return self.written_in.partition("-")[0] != self.locale.partition("-")[0]


def show_texts(
    mappings_dir: Path, templates_dir: Path, subject: str | None = None, locale: str | None = None
) -> tuple[Shown, ...]:
    """Show the texts of all journeys, of one (`invoice-overdue`), or one text (`invoice-overdue/first`).

    With a `locale` as people of that locale get them; else in every language that the journey has or promises.

    Raises:
        ConfigurationError: the locale is none, or there is no such journey or text.
    """
    wanted = normalise_locale(locale) if locale else None
    if locale and wanted is None:
        raise ConfigurationError(f"{locale!r} is no locale: expected a language such as de or pt-BR")
    world, paths, _ = read_world(mappings_dir, templates_dir)
    found = [shown for path in paths for shown in _journey(path, world, wanted)]
    chosen = tuple(shown for shown in found if subject in {None, shown.journey, shown.text})
    if not chosen and subject is not None:
        known = sorted({name for shown in found for name in (shown.journey, shown.text)})
        raise ConfigurationError(f"no journey and no text is named {quoted(subject)}. {closest(subject, known) or ''}")
    return chosen


def _journey(path: Path, world: World, locale: str | None) -> Iterator[Shown]:
    try:
        builder = JourneyBuilder(read_file(path), meanings_of(world.keywords, world.audiences))
    except MappingError:
        return  # `smsctl check` says what is wrong with it
    journey = builder.build(world.templates)
    checks = JourneyChecks(builder, world)
    for _ in checks.run(journey, path.stem):
        pass  # makes the variables known
    sms = checks.texts.sms()
    promised = journey.locales if journey is not None else ()
    for use in sms:
        versions = {at.locale for other in sms if other.is_template for at in other.versions}
        for tag in [locale] if locale else _in_order({*versions, *promised, ULTIMATE}):
            yield from _in_locale(path.stem, use, tag, checks.names)


def _in_order(locales: set[str]) -> list[str]:
    return sorted(locales, key=lambda tag: (tag != ULTIMATE, tag))


def _in_locale(journey: str, use: SMSUse, locale: str, names: JourneyNames) -> Iterator[Shown]:
    chain, got = fallback_of(use.name, locale, names.world.templates) if use.is_template else ("", ULTIMATE)
    at = next((at for at in use.versions if at.locale == got), None)
    if at is None or got is None or (not use.is_template and locale != ULTIMATE):
        return  # a missing text is told by `smsctl check`; one in the journey file is in one language only
    text = use.name if use.is_template else f"{journey}/{use.name}"
    shown = Shown(journey, text, "", locale, got, chain, at.file)
    spoken_in = replace(at, locale=locale) if not shown.fell_back else at
    for preview, values in _samples(use, names):
        yield _with_body(replace(shown, preview=preview), spoken_in, values)


def _samples(use: SMSUse, names: JourneyNames) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield USUAL, names_of(use, names)
    document = names.world.previews.get(use.name) if use.is_template else None
    for preview in previews_of(document, seen_by([use], names))[0] if document is not None else ():
        yield preview.name, names_of(use, names, preview.values)
    yield LONGEST, longest_names_of(use, names)


def _with_body(shown: Shown, at: TextAt, values: Mapping[str, Any]) -> Shown:
    if is_open(at.compiled, values):
        return replace(shown, mistake="it needs what an endpoint answers: give that in a preview")
    try:
        body = rendered(at, values)
    except ConditionError as exc:
        return replace(shown, mistake=without_place(exc))
    size = measure(body)
    dear = foreign_characters(body)
    return replace(shown, body=body, encoding=size.encoding, units=size.units, segments=size.count, dear=dear)


@dataclass(frozen=True, slots=True)
class PricedText:
    """A text and what it costs to send; no price where none is listed, or the text cannot be shown."""

    shown: Shown
    price: Price | None


def priced(
    shown: Sequence[Shown], mappings_dir: Path, gateway: str | None = None, country: str | None = None
) -> tuple[PricedText, ...]:
    """Put list prices beside texts: through a gateway (the first one listed), in a country (the gateway's default).

    Raises:
        ConfigurationError: no prices are listed for this gateway, or `mappings/gateways.yaml` has mistakes.
    """
    book = load_gateways(mappings_dir / "gateways.yaml")
    if gateway is not None and gateway not in book.prices:
        known = ", ".join(book.prices) or "none"
        raise ConfigurationError(f"mappings/gateways.yaml has no prices for {gateway!r}: there are {known}")
    chosen = gateway or next(iter(book.prices), "")
    where = country.upper() if country else None
    return tuple(
        PricedText(each, book.price(chosen, each.segments, where) if each.segments else None) for each in shown
    )


def fallen_back(shown: Sequence[Shown]) -> dict[str, str]:
    """Give the fall-backs among these, by text and locale: `invoice-overdue/first.fr` → `fr → en`."""
    return {f"{each.text}.{each.locale}": each.chain for each in shown if each.fell_back}
