"""Texts come out in the person's language and zone; a value that is missing is an error that names it, not shows it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.rendering import Renderer
from connector.domain.places import Expression, Place, Text
from connector.errors import ConditionError

PLACE = Place("mappings/journeys/x.yaml", 10, 5)
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
NAMES: dict[str, Any] = {
    "contact": {"name": "Dr. Ada Lovelace", "first_name": None, "email": "ada@example.com"},
    "invoice": {
        "number": "INV-7",
        "balance_due": Decimal("1234.5"),
        "currency": "EUR",
        "due_on": date(2026, 11, 20),
        "due_at": NOW,
        "paid": False,
    },
    "now": NOW,
}
TEMPLATES = {
    "x/hello.txt.j2": "Hello {{ invoice.balance_due | money }}",
    "x/hello.de.txt.j2": "Hallo {{ invoice.balance_due | money }}",
    "x/hello.fr-CA.txt.j2": "Bonjour",
    "x/french.fr.txt.j2": "Bonjour",
}


def _text(source: str, locale: str = "en", time_zone: str | None = None) -> str:
    return Renderer().render(Text(source, PLACE), NAMES, locale=locale, time_zone=time_zone).text


def _value(source: str) -> Any:
    return Renderer().evaluate(Expression(source, PLACE), NAMES)


@pytest.mark.parametrize(
    ("source", "locale", "expected"),
    [
        ("{{ invoice.balance_due | money }}", "en", "€1,234.50"),
        ("{{ invoice.balance_due | money }}", "de", "1.234,50 €"),
        ("{{ invoice.balance_due | money }}", "de-AT", "€ 1.234,50"),
        ("{{ invoice.balance_due | money }}", "fr", "1 234,50 €"),
        ("{{ invoice.balance_due | money('USD') }}", "en", "$1,234.50"),
        ("{{ (invoice.balance_due * 0.5) | money('USD') }}", "en", "$617.25"),
        ("{{ invoice.due_on | date }}", "en", "Nov 20, 2026"),
        ("{{ invoice.due_on | date }}", "en-GB", "20 Nov 2026"),
        ("{{ invoice.due_on | date }}", "de", "20.11.2026"),
        ("{{ invoice.due_on | date('EEEE d MMMM') }}", "fr", "vendredi 20 novembre"),
        ("{{ invoice.due_at | time }}", "de", "15:30"),
        ("{{ invoice.due_at | time }}", "en", "3:30 PM"),
        ("{{ 1 | ordinal }} {{ 12 | ordinal }} {{ 23 | ordinal }}", "en", "1st 12th 23rd"),
        ("{{ 3 | ordinal }}", "de", "3."),
        ("{{ 1 | ordinal }} {{ 2 | ordinal }}", "fr", "1er 2e"),
        ("{{ contact.name | first_name }}", "en", "Ada"),
        ("{{ 'Lovelace, Ada' | first_name }}", "en", "Ada"),
        ("{{ contact.first_name | default('there') }}", "en", "there"),
        ("{% if contact.first_name is defined %}{{ contact.first_name }}{% else %}you{% endif %}", "en", "you"),
        ("{{ invoice.balance_due }} {{ invoice.due_on }}", "de", "1.234,5 20.11.2026"),
        ("{{ invoice.number ~ '!' | upper }}", "en", "INV-7!"),
        ("{{ 'a long subject of a ticket' | truncate(16) }}", "en", "a long..."),
        ("{{ 2.5 | round }} {{ 2.345 | round(2) }}", "en", "3 2.35"),
        ("  Hello\n{% if invoice.paid %}\nthanks\n{% endif %}\nbye  ", "en", "Hello\nbye"),
        ("<b>&</b>", "en", "<b>&</b>"),
        ("{{ contact['email'] }}", "en", "ada@example.com"),
    ],
)
def test_values_read_as_people_write_them(source: str, locale: str, expected: str) -> None:
    assert _text(source, locale) == expected


@pytest.mark.parametrize(
    ("time_zone", "expected"),
    [(None, "15:30 20.11.2026"), ("Asia/Tokyo", "00:30 21.11.2026"), ("America/New_York", "10:30 20.11.2026")],
)
def test_times_are_written_in_the_recipients_zone(time_zone: str | None, expected: str) -> None:
    assert _text("{{ invoice.due_at | time }} {{ invoice.due_at | date }}", "de", time_zone) == expected


def test_a_date_is_the_same_date_in_every_zone() -> None:
    assert _text("{{ invoice.due_on | date }}", "de", "Pacific/Auckland") == "20.11.2026"


@pytest.mark.parametrize(
    ("locale", "path", "written_in", "text"),
    [
        ("de-AT", "x/hello.de.txt.j2", "de", "Hallo € 1.234,50"),  # German text, Austrian amounts
        ("de_CH", "x/hello.de.txt.j2", "de", "Hallo EUR 1’234.50"),  # noqa: RUF001 - as the Swiss write it
        ("fr-CA", "x/hello.fr-CA.txt.j2", "fr-CA", "Bonjour"),
        ("fr", "x/hello.txt.j2", "en", "Hello €1,234.50"),  # English text, English amounts
        ("en-GB", "x/hello.txt.j2", "en", "Hello €1,234.50"),
        (None, "x/hello.txt.j2", "en", "Hello €1,234.50"),
        ("not a locale", "x/hello.txt.j2", "en", "Hello €1,234.50"),
    ],
)
def test_the_nearest_language_is_chosen(locale: str | None, path: str, written_in: str, text: str) -> None:
    found = Renderer().render_template(TEMPLATES, "x/hello", NAMES, locale=locale)
    assert (found.template, found.locale, found.text) == (path, written_in, text)


def test_the_accounts_language_comes_before_english() -> None:
    found = Renderer(default_locale="de").render_template(TEMPLATES, "x/hello", NAMES, locale="it")
    assert found.template == "x/hello.de.txt.j2"


def test_english_speakers_get_the_english_text_of_a_german_account() -> None:
    found = Renderer(default_locale="de").render_template(TEMPLATES, "x/hello", NAMES, locale="en-GB")
    assert found.template == "x/hello.txt.j2"


def test_no_text_in_a_language_the_person_reads_is_an_error() -> None:
    with pytest.raises(ConditionError, match=r"there is no template x/french\.txt\.j2"):
        Renderer().render_template(TEMPLATES, "x/french", NAMES, locale="de")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("Hi\n{{ contact.first_name }}", "`contact.first_name` has no value (mappings/journeys/x.yaml:11)"),
        ("{{ contact.nickname }}", "`contact.nickname` has no value (mappings/journeys/x.yaml:10)"),
        ("{{ cart.total }}", "`cart` has no value (mappings/journeys/x.yaml:10)"),
        ("{{ contact.first_name | upper }}", "`contact.first_name` has no value"),
        ("{{ contact.first_name.x }}", "`contact.first_name` has no value"),
        ("{{ invoice.number | money('EUR') }}", "money needs a number"),
        ("{{ invoice.number | date }}", "date needs a date"),
        ("{{ contact }}", "only texts, numbers, dates and times can be shown"),
        ("{{ 10 | money }}", "money needs a currency"),
        ("   ", "the text is empty"),
        ("{% if invoice.paid %}x{% endif %}", "the text is empty"),
        ("{{ 'a' | truncate(3) }}" + "b" * 1_600, "longer than 1600 characters"),
    ],
)
def test_a_text_that_cannot_be_written_says_why_and_where(source: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        _text(source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "source", ["{{ contact.email | money('EUR') }}", "{{ contact.email + 1 }}", "{{ contact.email.x }}"]
)
def test_an_error_never_shows_a_value(source: str) -> None:
    with pytest.raises(ConditionError) as caught:
        _text(source)
    assert "ada@example.com" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("invoice.balance_due >= 10", True),
        ("invoice.balance_due > 1234.4 and not invoice.paid", True),
        ("invoice.number in ['INV-7', 'INV-8']", True),
        ("contact.first_name is defined or contact.name is defined", True),
        ("invoice.due_at - 24 hours", NOW - timedelta(hours=24)),
        ("now > invoice.due_at - 2 weeks", True),
        ("invoice.due_on + 7 days", date(2026, 11, 27)),
        ("'24 hours'", "24 hours"),
        ("invoice.balance_due / 2", Decimal("617.25")),
        ("'yes' if invoice.paid else 'no'", "no"),
        ("now.hour >= 9", True),
    ],
)
def test_conditions_calculate_with_numbers_and_times(source: str, expected: object) -> None:
    assert _value(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("invoice.total > 3", "`invoice.total` has no value"),
        ("contact.first_name", "`contact.first_name` has no value"),
        ("invoice.number > 3", "two values do not go together"),
        ("invoice.balance_due / 0", "divided by zero"),
        ("invoice.balance_due = 3", "did not expect `=`"),
        ("", "is empty"),
    ],
)
def test_a_condition_that_cannot_be_answered_is_an_error(source: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        _value(source)
    assert message in str(caught.value)


def test_holds_is_a_plain_yes_or_no() -> None:
    assert Renderer().holds(Expression("invoice.number", PLACE), NAMES) is True
    assert Renderer().holds(Expression("invoice.paid", PLACE), NAMES) is False
