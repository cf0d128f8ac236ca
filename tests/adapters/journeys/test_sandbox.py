"""A template gets at nothing but the values it is given, and cannot ask for endless work."""

import pytest

from connector.adapters.jinja_syntax import compile_condition, compile_text
from connector.adapters.rendering import Renderer
from connector.domain.journey import Expression, Place, Text
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


def test_a_refused_filter_has_a_near_miss() -> None:
    (flaw,) = compile_condition("contact.name | uper").flaws
    assert (flaw.message, flaw.suggestion) == ("there is no filter `uper`", "did you mean `upper`?")


def test_a_call_of_a_filter_says_how_to_write_it() -> None:
    (flaw,) = compile_text("{{ money(invoice.amount) }}").flaws
    assert flaw.suggestion == "write it as a filter: … | money"


def test_short_links_are_named_as_not_available_rather_than_unknown() -> None:
    (flaw,) = compile_text("{{ invoice.link | link('payment') }}").flaws
    assert "not available in this version" in flaw.message


def test_names_are_found_with_their_lines_even_beside_a_wrong_filter() -> None:
    compiled = compile_text("{{ a.b }}\n{% if c.d is defined %}{{ e | mony }}{% endif %}")
    assert [(str(use), use.line) for use in compiled.names] == [("a.b", 1), ("c.d", 2), ("e", 2)]


def test_money_without_a_currency_reads_the_records_own() -> None:
    assert [str(use) for use in compile_text("{{ deal.amount | money }}").names] == ["deal.amount", "deal.currency"]
