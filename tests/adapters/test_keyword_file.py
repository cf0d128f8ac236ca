"""The file of keywords, and the mistakes it can hold."""

from pathlib import Path

import pytest

from connector.adapters.keyword_file import load_keyword_book
from connector.domain.consent import KeywordKind, matches_keyword
from connector.errors import MappingError

GOOD = """\
default: en
languages:
  en:
    stop: [STOP, no]
    start: [START]
    help: [HELP]
    help_text: Call us.
    stop_confirmation: Done.
    start_confirmation: Welcome back.
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "keywords.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_keyword_book(path)
    return [str(mistake).removeprefix(f"{path}:") for mistake in refused.value.mistakes]


def test_a_short_book_is_enough_and_no_is_a_word_not_a_boolean(tmp_path: Path) -> None:
    path = tmp_path / "keywords.yaml"
    path.write_text(GOOD, encoding="utf-8")
    book = load_keyword_book(path)
    assert book.classify("No!", "en").kind is KeywordKind.STOP
    assert book.help_text("en") == "Call us."


def test_a_word_that_stops_cannot_start_or_help_in_any_language(tmp_path: Path) -> None:
    german = GOOD.partition("  en:\n")[2].replace("[START]", "[Stop!]").replace("STOP, no", "ENDE")
    assert mistakes(tmp_path, GOOD + "  de:\n" + german) == [
        "11:5: languages.de: 'Stop!' can do nothing: 'STOP' under languages.en.stop stops first"
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("default: en", "default: fr", ["1:10: default: 'fr' is not among the languages below"]),
        ("default: en\n", "", ["1:1: lacks 'default'"]),
        ("  en:", "  EN_us:", ["1:10: default: 'en' is not among", "4:5: languages.EN_us: expected a language"]),
        ("    help: [HELP]\n", "", ["4:5: languages.en: lacks 'help'"]),
        ("    help_text: Call us.\n", "", ["4:5: languages.en: lacks 'help_text'"]),
        ("[STOP, no]", "STOP", ["4:11: languages.en.stop: expected a list"]),
        ("[STOP, no]", "[STOP, '!?']", ["4:11: languages.en.stop: '!?' has no letters to compare"]),
        ("[STOP, no]", "[STOP, '']", ["4:18: languages.en.stop[1]: expected a text"]),
        ("    help:", "    halp: []\n    help:", ["6:5: languages.en.halp: is no key here (did you mean 'help'?)"]),
        (GOOD, "default: en\n", ["1:1: lacks 'languages'"]),
        ("    help_text", "    intents: {yes: [JA, Stop!]}\n    help_text",
         ["4:5: languages.en.intents.yes: 'Stop!' never gets here: it is a STOP word"]),
        ("    help_text", "    intents: {yes: [JA], no: [ja]}\n    help_text",
         ["4:5: languages.en.intents.no: 'ja' means 'yes' already, in 'en'"]),
        ("    help_text", "    intents: {Yes!: [JA], no: []}\n    help_text",
         ["7:21: languages.en.intents.Yes!: expected an intent", "7:31: languages.en.intents.no: has no words"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: list[str]) -> None:
    assert before in GOOD
    found = mistakes(tmp_path, GOOD.replace(before, after))
    assert len(found) == len(expected)
    assert all(mistake.startswith(start) for mistake, start in zip(found, expected, strict=True))


BOOK = load_keyword_book(Path(__file__).parents[2] / "mappings" / "keywords.yaml")


def test_an_intent_has_the_words_of_every_language() -> None:
    yes = BOOK.intents()["yes"]
    assert {"YES", "JA", "OUI", "SÍ", "SIM"} <= set(yes)
    assert len(set(yes)) == len(yes)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_intent_has_words_in_the_languages_of_the_shipped_texts(language: str) -> None:
    assert BOOK.intents().keys() == BOOK.languages[language].intents.keys()


@pytest.mark.parametrize(
    ("reply", "intent"),
    [
        ("Oui!", "yes"), ("sí, perfecto", "yes"), ("Nein danke", "no"), ("déjà payé", "paid"),
        ("anderer Termin bitte", "reschedule"),
        ("ya he pagado", "paid"), ("call me back please", "call me"), ("Je ne peux pas venir", "cancel"),
    ],
)  # fmt: skip
def test_a_plain_answer_means_one_intent_alone(reply: str, intent: str) -> None:
    meant = [name for name, words in BOOK.intents().items() if matches_keyword(reply, words, BOOK.courtesies())]
    assert meant == [intent]


@pytest.mark.parametrize("reply", ["pago mañana", "claro que no", "y cuándo?", "prima devo vedere"])
def test_a_sentence_of_another_meaning_means_no_intent(reply: str) -> None:
    assert [name for name, words in BOOK.intents().items() if matches_keyword(reply, words, BOOK.courtesies())] == []
