"""A template gets at nothing but the values it is given, and cannot ask for endless work."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connector.adapters.jinja_sandbox import Record
from connector.adapters.jinja_syntax import compile_condition, compile_text
from connector.adapters.rendering import Renderer
from connector.adapters.text_filters import FilterError
from connector.domain.places import Expression, Place, Text
from connector.errors import ConditionError

PLACE = Place("x.yaml", 1, 1)
NAMES = {"contact": {"name": "Ada", "long": "x" * 60_000}, "now": 0}

ESCAPES = [
    "contact.__class__",
    "contact['__class__']",
    "contact['__cl' ~ 'ass__']",
    "contact.name.__class__.__mro__",
    "''.__class__.__mro__[1].__subclasses__()",
    "contact | attr('__class__')",
    "contact.name.upper()",
    "contact.values",
    "contact.name.format",
    "'{0.__class__}'.format(contact)",
    "'%s' | format(contact)",
    "self",
    "self._TemplateReference__context",
    "cycler.__init__.__globals__",
    "lipsum.__globals__",
    "joiner()",
    "range(10)",
    "namespace()",
    "dict(a=1)",
    "_locale",
    "_zone",
    "contact | map('upper')",
    "[1, 2][0:1]",
    "{'a': 1}",
    "environment",
    "now.__class__",
]
BOMBS = [
    "'a' * 1000000000",
    "[1] * 1000000000",
    "'%1000000000s' | format('a')",
    "'a' | center(1000000000)",
    "'a' | replace('a', 'aaaaaaaaaa')",
    "10 ** 10 ** 10",
    "2 | pow(100000)",
    "1 | round(1000000)",
    "(" * 5_000 + "1" + ")" * 5_000,
    "not " * 5_000 + "1",
    "1" * 7_000,
    "-" * 3_000 + "1",
    "contact.long ~ contact.long",
]


@pytest.mark.parametrize("source", [*ESCAPES, *BOMBS])
def test_a_template_cannot_reach_out_or_blow_up(source: str) -> None:
    with pytest.raises(ConditionError):
        Renderer().render(Text("{{ " + source + " }}", PLACE), NAMES)


@pytest.mark.parametrize("source", [*ESCAPES, *BOMBS[:-1]])
def test_a_condition_cannot_reach_out_or_blow_up(source: str) -> None:
    with pytest.raises(ConditionError):
        Renderer().evaluate(Expression(source, PLACE), NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "{% for x in [1, 2] %}x{% endfor %}",
        "{% set x = 1 %}{{ x }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% with %}{% endwith %}",
        "{% call x() %}{% endcall %}",
        "{% raw %}" + "x" * 9_000 + "{% endraw %}",
    ],
)
def test_statements_other_than_if_are_refused(source: str) -> None:
    assert compile_text(source).template is None


def test_a_template_cannot_change_what_it_is_given() -> None:
    names = {"contact": {"name": "Ada"}}
    with pytest.raises(ConditionError):
        Renderer().render(Text("{{ contact.update({'name': 'x'}) }}", PLACE), names)
    assert names == {"contact": {"name": "Ada"}}


MET = datetime(2026, 11, 20, 15, 4, 5, tzinfo=UTC)
JOINED = {"contact": {"name": "Ada"}, "amount": Decimal("1234.5"), "on": date(2026, 11, 20), "at": MET, "yes": True}


@pytest.mark.parametrize("joined", ["contact", "[contact]", "contact | default('x')", "yes", "none", "[1]", "gone"])
@pytest.mark.parametrize("source", ["'Dear ' ~ {}", "{} ~ 'x'", "('x' ~ {}) | upper", "'a' ~ ('b' ~ {})"])
def test_what_no_person_can_read_is_not_joined_into_a_text(source: str, joined: str) -> None:
    with pytest.raises(ConditionError):
        Renderer().render(Text("{{ " + source.format(joined) + " }}", PLACE), JOINED)
    with pytest.raises(ConditionError):
        Renderer().evaluate(Expression(source.format(joined), PLACE), JOINED)


@pytest.mark.parametrize(
    ("joined", "in_text", "in_condition"),
    [
        ("contact.name", "Ada", "Ada"),
        ("amount", "1.234,5", "1234.5"),
        ("on", "20.11.2026", "2026-11-20"),
        ("at", "20.11.2026 15:04", "2026-11-20T15:04:05+00:00"),
    ],
)
def test_what_is_joined_is_written_for_people_in_texts_and_exactly_in_conditions(
    joined: str, in_text: str, in_condition: str
) -> None:
    source = f"'x ' ~ {joined}"
    assert Renderer().render(Text("{{ " + source + " }}", PLACE), JOINED, locale="de").text == f"x {in_text}"
    assert Renderer().evaluate(Expression(source, PLACE), JOINED) == f"x {in_condition}"


def test_a_record_never_becomes_text() -> None:
    for write in (str, repr):
        with pytest.raises(FilterError, match="`contact` is a record"):
            write(Record("contact", {}))


@pytest.mark.timeout(5)
@pytest.mark.parametrize("number", [Decimal("1E+400000"), Decimal("1E-400000"), Decimal("-9E+999999")])
@pytest.mark.parametrize("use", ["amount", "amount | int", "amount | ordinal", "amount | money('EUR')", "amount | abs"])
def test_a_number_of_a_million_digits_is_refused_and_not_written_out(use: str, number: Any) -> None:
    with pytest.raises(ConditionError):
        Renderer().render(Text("{{ " + use + " }}", PLACE), {"amount": number})


def test_a_refused_filter_has_a_near_miss() -> None:
    (flaw,) = compile_condition("contact.name | uper").flaws
    assert (flaw.message, flaw.suggestion) == ("there is no filter `uper`", "did you mean `upper`?")


def test_a_call_of_a_filter_says_how_to_write_it() -> None:
    (flaw,) = compile_text("{{ money(invoice.amount) }}").flaws
    assert flaw.suggestion == "write it as a filter: … | money"


def test_names_are_found_with_their_lines_even_beside_a_wrong_filter() -> None:
    compiled = compile_text("{{ a.b }}\n{% if c.d is defined %}{{ e | mony }}{% endif %}")
    assert [(str(use), use.line) for use in compiled.names] == [("a.b", 1), ("c.d", 2), ("e", 2)]


def test_money_without_a_currency_reads_the_records_own() -> None:
    assert [str(use) for use in compile_text("{{ deal.amount | money }}").names] == ["deal.amount", "deal.currency"]
