"""What replies mean, with the book that ships."""

# ruff: noqa: RUF001 - look-alike characters are the subject

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.keyword_file import load_keyword_book
from connector.domain.consent import KeywordBook, KeywordKind, KeywordMatch, consents, matches_keyword
from connector.domain.segments import Encoding, measure

BOOK = load_keyword_book(Path(__file__).parents[2] / "mappings" / "keywords.yaml")
COURTESIES = BOOK.courtesies()
STOP, START, HELP = KeywordKind.STOP, KeywordKind.START, KeywordKind.HELP
MAYBE, NONE = KeywordKind.MAYBE_STOP, KeywordKind.NONE


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "quit",
        "end",
        "revoke",
        "cancel",
        "unsubscribe",
        "stopall",
        "remove",
        "optout",
        "opt out",
        "opt-out",
        "Stop all",
        "STOP.",
        " stop ",
        "“Stop”",
        "Ｓｔｏｐ",
        "STOP 🛑🛑",
        "s.t.o.p",
    ],
)
def test_every_word_of_the_law_and_the_vendors_stops(text: str) -> None:
    assert BOOK.classify(text, "en") == KeywordMatch(STOP, BOOK.classify(text, "en").keyword, "en", "exact")


@pytest.mark.parametrize(
    ("text", "language", "keyword"),
    [
        ("abmelden", "de", "ABMELDEN"),
        ("Kündigen!", "de", "KÜNDIGEN"),
        ("kuendigen", "de", "KUENDIGEN"),
        ("arret", "fr", "ARRÊT"),
        ("désabonner", "fr", "DÉSABONNER"),
        ("baja", "es", "BAJA"),
        ("basta", "it", "BASTA"),
        ("afmelden", "nl", "AFMELDEN"),
        ("sair", "pt", "SAIR"),
    ],
)
def test_words_of_each_language_stop_whatever_language_the_contact_has(text: str, language: str, keyword: str) -> None:
    assert BOOK.classify(text, language) == KeywordMatch(STOP, keyword, language, "exact")
    assert BOOK.classify(text, "en").kind is STOP
    assert BOOK.classify(text, None).kind is STOP


def test_the_contacts_own_language_is_named_first() -> None:
    assert BOOK.classify("STOP", "de-AT").language == "de"
    assert BOOK.classify("STOP", "xx").language == "en"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Stop please", "courtesy"),
        ("please stop", "courtesy"),
        ("STOP NOW, thank you!", "courtesy"),
        ("stop stop stop", "courtesy"),
        ("stop bitte", "courtesy"),
        ("st0p", "spelling"),
        ("5top", "spelling"),
        ("stooop", "spelling"),
        ("SSTOP", "spelling"),
        ("sotp", "spelling"),
        ("unsubscirbe", "spelling"),
        ("unsubbscribe", "spelling"),
    ],
)
def test_a_stop_with_courtesies_or_a_slip_of_the_finger_stops(text: str, rule: str) -> None:
    found = BOOK.classify(text, "en")
    assert (found.kind, found.rule) == (STOP, rule)


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting me",
        "Stop texting me",
        "stop it",
        "STOP I never signed up",
        "remove me from this list",
        "don't text me again",
        "don’t text me again",
        "Take me off your list.",
        "I said stop",
        "how do I unsubscribe?",
        "wrong number",
        "Bitte keine Werbung mehr",
        "je ne veux plus recevoir, ne m'écrivez plus",
        "no quiero más",
        "non scrivetemi",
        "haal me van de lijst",
        "não me enviem nada",
        "Don't stop the party but stop texting me",
    ],
)
def test_what_may_be_a_withdrawal_goes_to_a_person(text: str) -> None:
    found = BOOK.classify(text, "en")
    assert (found.kind, found.rule) == (MAYBE, "phrase")


@pytest.mark.parametrize(
    "text",
    [
        "please don't stop",
        "Please don’t stop texting me!",
        "restart tomorrow",
        "I'll stop by later",
        "bus stop",
        "next stop: Berlin",
        "non-stop fun",
        "see you at the end of the week",
        "please cancel my appointment",
        "YES",
        "yes please",
        "Ned",
        "alot",
        "shop",
        "step",
        "5709",
        "start please",
        "can we start?",
        "I need help",
        "thanks",
        "please",
        "👍",
        "",
        "   ",
    ],
)
def test_ordinary_replies_mean_nothing_for_consent(text: str) -> None:
    assert BOOK.classify(text, "en") == KeywordMatch(NONE, None, None, "none")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("START", START),
        ("unstop", START),
        ("Start!", START),
        ("démarrer", START),
        ("alta", START),
        ("strat", NONE),
        ("help", HELP),
        ("Help please", HELP),
        ("info", HELP),
        ("Hilfe", HELP),
        ("ayuda por favor", HELP),
        ("halp", NONE),
    ],
)
def test_start_counts_letter_for_letter_and_help_politely(text: str, kind: KeywordKind) -> None:
    assert BOOK.classify(text, "en").kind is kind


def test_yes_signs_nobody_up() -> None:
    assert not any(word.casefold() == "yes" for book in BOOK.languages.values() for word in book.start)


@pytest.mark.parametrize("language", sorted(BOOK.languages))
def test_each_answer_is_one_gsm_part_and_names_stop_or_the_way_back(language: str) -> None:
    book = BOOK.languages[language]
    for answer in (book.help_text, book.stop_confirmation, book.start_confirmation):
        assert (measure(answer).encoding, measure(answer).count) == (Encoding.GSM7, 1)
    assert "STOP" in book.help_text
    assert "STOP" in book.start_confirmation
    assert any(word in book.stop_confirmation for word in book.start)


def test_answers_come_in_the_contacts_language_or_the_books_default() -> None:
    assert BOOK.help_text("de-AT") == BOOK.languages["de"].help_text
    assert BOOK.stop_confirmation("fi") == BOOK.languages["en"].stop_confirmation
    assert BOOK.start_confirmation(None) == BOOK.languages["en"].start_confirmation


def test_a_book_without_english_answers_in_its_default() -> None:
    german_only = KeywordBook({"de": BOOK.languages["de"]}, "de")
    assert german_only.help_text("fr") == BOOK.languages["de"].help_text
    assert german_only.classify("STOP", "fr").language == "de"


@given(
    st.sampled_from([word for book in BOOK.languages.values() for word in book.stop]),
    st.sampled_from(["{}", "{}!", " {} ", "«{}»", "{} 🛑", "...{}", "{}\n"]),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.sampled_from([None, *BOOK.languages]),
)
def test_no_case_punctuation_or_emoji_hides_a_stop_word(
    word: str, shape: str, case: Callable[[str], str], language: str | None
) -> None:
    assert BOOK.classify(shape.format(case(word)), language).kind is STOP


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_start_beside_another_word_signs_nobody_up(word: str) -> None:
    assert BOOK.classify(f"{word} start", "en").kind is not START
    assert BOOK.classify(f"start {word}", "en").kind is not START


# --- reply cases of journeys ---


@pytest.mark.parametrize(
    ("text", "keywords", "expected"),
    [
        ("YES", ["YES", "NO"], "YES"),
        ("yes!", ["YES", "NO"], "YES"),
        ("Yes please", ["YES", "NO"], "YES"),
        ("not yes", ["YES", "NO"], None),
        ("yes or no?", ["YES", "NO"], None),
        ("no", ["YES", "NO"], "NO"),
        ("nope", ["YES", "NO"], None),
        ("yesterday", ["YES"], None),
        ("I already paid", ["PAID", "already paid"], None),
        ("Already paid on Monday", ["PAID", "already paid"], "already paid"),
        ("already-paid", ["PAID", "already paid"], "already paid"),
        ("alreadypaid", ["PAID", "already paid"], "already paid"),
        ("Paid in full", ["PAID", "paid in full"], "paid in full"),
        ("1", ["1", "2"], "1"),
        ("1.", ["1", "2"], "1"),
        ("1 pm is fine", ["1", "2"], None),
        ("12", ["1", "2"], None),
        ("Ré-schedule", ["reschedule"], "reschedule"),
        ("👍🏽", ["YES", "👍"], "👍"),
        ("👎", ["YES", "👍"], None),
        ("👍", ["!", "👍"], "👍"),
        ("yes 👍", ["👍", "YES"], "YES"),
        ("", ["YES"], None),
        ("  ", ["YES", ""], None),
        ("anything", [], None),
    ],
)
def test_a_reply_chooses_one_of_the_words_offered_or_none(text: str, keywords: list[str], expected: str | None) -> None:
    assert matches_keyword(text, keywords, COURTESIES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no problem, will do it tomorrow",
        "Paid? I never ordered anything",
        "Call centre again?",
        "OK who is this?",
        "Sure, but how did you get my number",
        "Bezahlt? Ich habe nie etwas bestellt",
        "Stimmt das denn?",
        "d'accord mais qui êtes-vous",
        "Si no dejan de molestar llamo a la policia",
    ],
)
def test_an_everyday_word_at_the_beginning_of_a_sentence_means_no_intent(text: str) -> None:
    assert [name for name, words in BOOK.intents().items() if matches_keyword(text, words, COURTESIES)] == []


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("RESCHEDULE please", "reschedule"),
        ("Reschedule to Friday, can you?", "reschedule"),
        ("Verschieben auf Montag", "reschedule"),
        ("Hi, ok, thanks!", "yes"),
        ("Bitte ja 👍", "yes"),
        ("No no", "no"),
        ("No thanks, please", "no"),
        ("I paid on Monday", "paid"),
        ("please call now", "call me"),
        ("call me tomorrow at nine", "call me"),
    ],
)
def test_a_longer_word_and_several_words_may_begin_a_reply_and_courtesies_stand_anywhere(
    text: str, intent: str
) -> None:
    found = [name for name, words in BOOK.intents().items() if matches_keyword(text, words, COURTESIES)]
    assert found == [intent]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abcdefg then", None), ("abcdefgh then", "abcdefgh"), ("abcdefg", "abcdefg"), ("ab cd then", "ab cd")],
)
def test_a_word_of_up_to_seven_letters_is_an_everyday_word(text: str, expected: str | None) -> None:
    assert matches_keyword(text, ["abcdefg", "abcdefgh", "ab cd"]) == expected


@pytest.mark.parametrize("text", ["please", "thanks please", "gracias"])
def test_courtesies_alone_mean_nothing_unless_they_are_the_keyword(text: str) -> None:
    assert matches_keyword(text, ["YES"], COURTESIES) is None
    assert matches_keyword(text, [text.upper(), "YES"], COURTESIES) == text.upper()


# --- replies that give a consent ---


YES = BOOK.intents()["yes"]


@pytest.mark.parametrize(
    "text",
    [
        "ok who is this?",
        "Sure, but how did you get my number",
        "yes or no?",
        "yes?",
        "¿Sí",
        "Ja wer sind Sie denn",
        "Si no dejan de molestar llamo a la policia",
        "Confirmed, but only this once",
        "Tudo bem? Quem fala",
        "De acuerdo con la ley, borren mis datos",
        "not yes",
        "",
    ],
)
def test_a_reply_that_says_anything_beside_its_yes_is_no_consent(text: str) -> None:
    assert consents(text, YES, COURTESIES) is None


@pytest.mark.parametrize(
    "text", ["YES", "Yes!", "yes please 👍", "Ja, bitte!", "Oui merci", "sí por favor", "OK. Thanks", "Yes yes"]
)
def test_a_plain_yes_is_a_consent(text: str) -> None:
    assert consents(text, YES, COURTESIES) is not None


@given(st.lists(st.from_regex(r"[a-z]{2,6}", fullmatch=True), min_size=1, max_size=4, unique=True), st.data())
def test_each_word_offered_can_be_chosen(keywords: list[str], data: st.DataObject) -> None:
    keyword = data.draw(st.sampled_from(keywords))
    assert matches_keyword(f" {keyword.upper()}!", keywords) == keyword
