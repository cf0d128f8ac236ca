"""Which words stop, start or explain our texts or answer them, according to `mappings/keywords.yaml`?"""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from connector.adapters.step_schema import INTENT
from connector.adapters.yaml_fields import YAMLFields
from connector.domain.consent import KeywordBook, KeywordKind, LanguageKeywords
from connector.domain.locales import normalise_locale
from connector.domain.wording import joined, words

_KEYWORDS = ("stop", "start", "help")
_PHRASES = ("courtesies", "revocations", "refutations")
_ANSWERS = ("help_text", "stop_confirmation", "start_confirmation")
_INTENTS = "intents"
_INTENT = re.compile(INTENT)


def load_keyword_book(path: Path) -> KeywordBook:
    """Read the book.

    Raises:
        MappingError: every mistake with file, line and column (a ConfigurationError).
    """
    fields = YAMLFields(path)
    top = fields.mapping(fields.root, "", ("default", "languages"), ("default", "languages"))
    nodes = fields.mapping(top["languages"], "languages") if "languages" in top else {}
    languages = {tag: _language(fields, node, tag) for tag, node in nodes.items()}
    _refuse_double_meanings(fields, nodes, languages)
    default = fields.text(top["default"], "default") if "default" in top else ""
    if "default" in top and "languages" in top and default not in languages:
        fields.mistake(top["default"], "default", f"{default!r} is not among the languages below")
    book = KeywordBook(languages, default)
    _refuse_deaf_intents(fields, nodes, book)
    fields.check()
    return book


def _language(fields: YAMLFields, node: yaml.Node, tag: str) -> LanguageKeywords:
    path = f"languages.{tag}"
    if normalise_locale(tag) != tag:
        fields.mistake(node, path, 'expected a language such as "de" or "pt-BR"')
    keys = fields.mapping(node, path, (*_KEYWORDS, *_ANSWERS), (*_KEYWORDS, *_PHRASES, *_ANSWERS, _INTENTS))
    lists = {key: _listed(fields, keys.get(key), f"{path}.{key}") for key in (*_KEYWORDS, *_PHRASES)}
    answers = {key: fields.text(keys[key], f"{path}.{key}") if key in keys else "" for key in _ANSWERS}
    return LanguageKeywords(
        stop=lists["stop"],
        start=lists["start"],
        help=lists["help"],
        courtesies=lists["courtesies"],
        revocations=lists["revocations"],
        refutations=lists["refutations"],
        help_text=answers["help_text"],
        stop_confirmation=answers["stop_confirmation"],
        start_confirmation=answers["start_confirmation"],
        intents=_intents(fields, keys.get(_INTENTS), f"{path}.{_INTENTS}"),
    )


def _intents(fields: YAMLFields, node: yaml.Node | None, path: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in fields.mapping(node, path).items() if node else ():
        if not _INTENT.fullmatch(name):
            fields.mistake(value, f"{path}.{name}", 'expected an intent such as "yes" or "call me"')
        found[name] = _listed(fields, value, f"{path}.{name}")
        if not found[name]:
            fields.mistake(value, f"{path}.{name}", "has no words")
    return found


def _listed(fields: YAMLFields, node: yaml.Node | None, path: str) -> tuple[str, ...]:
    listed = fields.texts(node, path)
    for item in listed:
        if item and not words(item):
            fields.mistake(node, path, f"{item!r} has no letters to compare")
    return listed


def _refuse_double_meanings(
    fields: YAMLFields, nodes: Mapping[str, yaml.Node], languages: Mapping[str, LanguageKeywords]
) -> None:
    """A word that stops in any language stops in all, so it could never start or help: say so at the door."""
    stops = {joined(word): (tag, word) for tag, language in languages.items() for word in language.stop}
    for tag, language in languages.items():
        for word in (*language.start, *language.help):
            if joined(word) in stops:
                stop_tag, stop_word = stops[joined(word)]
                message = f"{word!r} can do nothing: {stop_word!r} under languages.{stop_tag}.stop stops first"
                fields.mistake(nodes[tag], f"languages.{tag}", message)


def _refuse_deaf_intents(fields: YAMLFields, nodes: Mapping[str, yaml.Node], book: KeywordBook) -> None:
    """A word about consent never reaches a journey, and one of two intents reaches only the first: say so here."""
    taken: dict[str, tuple[str, str]] = {}
    for tag, language in book.languages.items():
        for name, listed in language.intents.items():
            path = f"languages.{tag}.{_INTENTS}.{name}"
            for word in listed:
                kind = book.classify(word).kind
                if kind is not KeywordKind.NONE:
                    fields.mistake(nodes[tag], path, f"{word!r} never gets here: it is a {kind.name} word")
                other, where = taken.setdefault(joined(word), (name, tag))
                if other != name:
                    fields.mistake(nodes[tag], path, f"{word!r} means {other!r} already, in {where!r}")
