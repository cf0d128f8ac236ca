"""A text gets a short link of the recipient's own, and what would break one is told before it runs."""

from __future__ import annotations

from itertools import count

import pytest

from connector.adapters.jinja_syntax import compile_condition, compile_text
from connector.adapters.rendering import SAMPLE_LINK, Rendered, Renderer
from connector.domain.places import Place, Text
from connector.domain.short_links import CODE_LENGTH
from connector.domain.steps import Send
from connector.errors import ConditionError
from connector.ports.rendering import LinkMaker, MadeLink
from tests.domain.journey_parts import journey

PLACE = Place("mappings/journeys/x.yaml", 10, 5)
PAY = "https://pay.example.com/i/7?sig=abc"
NAMES = {"invoice": {"link": PAY, "number": "INV-7", "portal": None}}


def maker() -> LinkMaker:
    numbers = count(1)

    def make(name: str, url: str) -> MadeLink:
        code = f"code{next(numbers)}"
        return MadeLink(name, code, url, f"https://go.example.com/l/{code}")

    return make


def render(source: str, links: LinkMaker | None, renderer: Renderer | None = None) -> Rendered:
    step = Send(id="s", path="steps[0]", place=PLACE, text=Text(source, PLACE))
    return (renderer or Renderer()).render_send(journey(step), step, NAMES, links=links)


def test_a_text_has_the_short_address_and_the_result_what_is_to_be_kept() -> None:
    made = render("Pay: {{ invoice.link | link('payment') }}", maker())
    assert made.text == "Pay: https://go.example.com/l/code1"
    assert made.links == (MadeLink("payment", "code1", PAY, "https://go.example.com/l/code1"),)


def test_a_template_file_makes_links_too() -> None:
    templates = {"x/pay.txt.j2": "{{ invoice.link | link('payment') }}"}
    made = Renderer().render_template(templates, "x/pay", NAMES, links=maker())
    assert (made.text, [each.name for each in made.links]) == ("https://go.example.com/l/code1", ["payment"])


def test_the_same_link_twice_is_one_link_and_another_name_another() -> None:
    twice = "{{ invoice.link | link('a') }} {{ invoice.link | link('a') }} {{ invoice.link | link('b') }}"
    made = render(twice, maker())
    assert [each.rpartition("/")[2] for each in made.text.split()] == ["code1", "code1", "code2"]
    assert [(each.name, each.code) for each in made.links] == [("a", "code1"), ("b", "code2")]


def test_a_link_in_a_branch_that_is_not_taken_is_not_made() -> None:
    made = render("Hi{% if invoice.number == 'x' %}{{ invoice.link | link('a') }}{% endif %}", maker())
    assert made.links == ()


def test_without_anybody_who_makes_links_a_sample_of_the_usual_length_stands_there() -> None:
    made = render("{{ invoice.link | link('payment') }}", None)
    assert made.text == SAMPLE_LINK
    assert len(SAMPLE_LINK.rpartition("/")[2]) == CODE_LENGTH


def test_where_samples_are_not_wanted_a_text_that_cannot_get_its_link_is_an_error() -> None:
    strict = Renderer(sample_link="")
    with pytest.raises(ConditionError, match="short links can only be in an SMS"):
        strict.render(Text("{{ invoice.link | link('payment') }}", PLACE), NAMES)
    assert strict.render(Text("{{ invoice.link }}", PLACE), NAMES).text == PAY


@pytest.mark.parametrize(
    "value", ["'javascript:alert(1)'", "'pay.example.com'", "invoice.number", "'https://'", "7", "''"]
)
def test_what_no_phone_can_open_is_an_error_that_does_not_show_it(value: str) -> None:
    with pytest.raises(ConditionError) as refused:
        render(f"{{{{ {value} | link('payment') }}}}", maker())
    assert "alert" not in str(refused.value)
    assert "INV-7" not in str(refused.value)


def test_an_address_without_a_value_is_named() -> None:
    with pytest.raises(ConditionError, match=r"invoice\.portal"):
        render("{{ invoice.portal | link('payment') }}", maker())


def test_an_address_may_have_a_fallback() -> None:
    made = render("{{ invoice.portal | default('https://pay.example.com') | link('payment') }}", maker())
    assert made.links[0].url == "https://pay.example.com"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ invoice.link | link(invoice.number) }}", "takes a quoted name"),
        ("{{ invoice.link | link('Pay Now') }}", "takes a quoted name"),
        ("{{ invoice.link | link('') }}", "takes a quoted name"),
        ("{{ invoice.link | link(7) }}", "takes a quoted name"),
        ("{{ invoice.link | link('a', 'b') }}", "takes a quoted name"),
        ("{{ invoice.link | link(name='a') }}", "takes a quoted name"),
        ("{{ invoice.link | link('a') | upper }}", "would break the address"),
        ("{{ invoice.link | link('a') | truncate(20) }}", "would break the address"),
        ("{{ invoice.link | link('a') | link('b') }}", "would break the address"),
    ],
)
def test_a_link_that_would_not_work_is_found_before_it_runs(source: str, message: str) -> None:
    (flaw,) = compile_text(source).flaws
    assert message in flaw.message


def test_a_link_without_a_name_is_called_link() -> None:
    assert render("{{ invoice.link | link }}", maker()).links[0].name == "link"


def test_a_condition_has_no_use_for_short_links() -> None:
    (flaw,) = compile_condition("invoice.link | link('payment') == 'x'").flaws
    assert (flaw.message, flaw.words) == ("short links are for texts", "link")


def test_a_link_shows_neither_code_nor_address_when_printed() -> None:
    assert "code1" not in repr(render("{{ invoice.link | link('payment') }}", maker()).links)
