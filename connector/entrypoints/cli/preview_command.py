"""How does an admin see every text as people will get it, before anybody does?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import click

from connector.adapters.previewing import PricedText, Shown, fallen_back, priced, show_texts
from connector.domain.segments import Encoding
from connector.settings import read_some

_ALPHABETS = {Encoding.GSM7: "GSM-7", Encoding.UCS2: "UCS-2"}


@click.command()
@click.argument("subject", required=False, metavar="[JOURNEY[/STEP]]")
@click.option("--locale", help="As people of this locale get it, such as de-AT; every language when left out.")
@click.option("--country", help="Price in this country, such as US; the gateway's default price when left out.")
@click.option("--gateway", help="Price through this gateway of mappings/gateways.yaml; the first one when left out.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def preview(subject: str | None, locale: str | None, country: str | None, gateway: str | None, as_json: bool) -> None:
    """Render every text with usual, longest and your own sample values: encoding, SMS, price, dear characters."""
    settings = read_some("MAPPINGS_DIR", "TEMPLATES_DIR")
    shown = show_texts(settings["mappings_dir"], settings["templates_dir"], subject, locale)
    texts = priced(shown, settings["mappings_dir"], gateway, country)
    if as_json:
        click.echo(json.dumps([_document(text) for text in texts], indent=2, ensure_ascii=False))
    else:
        for line in _lines(texts, _painter(color=sys.stdout.isatty())):
            click.echo(line)
    if any(text.shown.mistake for text in texts):
        sys.exit(1)


def _document(text: PricedText) -> dict[str, Any]:
    shown = text.shown
    return {
        "journey": shown.journey,
        "text": shown.text,
        "preview": shown.preview,
        "locale": shown.locale,
        "written_in": shown.written_in,
        "fell_back": shown.fell_back,
        "file": shown.file,
        "body": shown.body,
        "encoding": shown.encoding.value,
        "characters": shown.units,
        "segments": shown.segments,
        "dear_characters": list(shown.dear),
        "price": None if text.price is None else f"{text.price.amount:f}",
        "currency": None if text.price is None else text.price.currency,
        "mistake": shown.mistake or None,
    }


def _lines(texts: Sequence[PricedText], paint: Callable[[str, str], str]) -> Iterator[str]:
    for name, of_text in groupby(texts, key=lambda text: text.shown.text):
        yield paint(name, "bold")
        for text in of_text:
            yield f"  {_head(text, paint)}"
            yield from (f"    {paint('|', 'dim')} {line}" for line in text.shown.body.split("\n"))
        yield ""
    for name, chain in fallen_back([each.shown for each in texts]).items():
        yield paint(f"{name} is not there: people get {chain.rpartition(' ')[2]} ({chain})", "yellow")
    yield _summary(texts)


def _head(text: PricedText, paint: Callable[[str, str], str]) -> str:
    shown = text.shown
    words = [shown.locale if not shown.fell_back else f"{shown.locale} (gets {shown.written_in})", shown.preview]
    if shown.mistake:
        return f"{' · '.join(words)} · {paint(shown.mistake, 'red')}"
    words += [_ALPHABETS[shown.encoding], f"{shown.units} characters", f"{shown.segments} SMS"]
    words += [f"{text.price.amount.normalize():f} {text.price.currency}"] if text.price is not None else []
    return " · ".join([*words, *_dear(shown, paint)])


def _dear(shown: Shown, paint: Callable[[str, str], str]) -> list[str]:
    if not shown.dear:
        return []
    listed = ", ".join(f"`{char}` (U+{ord(char):04X})" for char in shown.dear)
    return [paint(f"{listed} cost{'s' if len(shown.dear) == 1 else ''} UCS-2", "yellow")]


def _summary(texts: Sequence[PricedText]) -> str:
    shown = [text.shown for text in texts]
    names, longest = len({each.text for each in shown}), max((each.segments for each in shown), default=0)
    ways = f"{names} text{'s' if names != 1 else ''}, shown {len(shown)} times"
    return f"{ways}; at most {longest} SMS." if shown else "There are no texts."


def _painter(*, color: bool) -> Callable[[str, str], str]:
    styles: dict[str, dict[str, Any]] = {
        "bold": {"bold": True}, "dim": {"dim": True}, "yellow": {"fg": "yellow"}, "red": {"fg": "red"},
    }  # fmt: skip
    return lambda text, style: click.style(text, **styles[style]) if color else text
