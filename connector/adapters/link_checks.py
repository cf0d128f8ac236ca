"""Which links does a text make, and does a `click` case wait for one of them?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

from jinja2 import TemplateError, nodes

from connector.adapters.jinja_sandbox import SANDBOX
from connector.adapters.reply_checks import Cases
from connector.adapters.yaml_file import Document
from connector.adapters.yaml_shapes import closest, listed, quoted
from connector.domain.steps import CaseKind
from connector.errors import Mistake


@lru_cache(maxsize=4096)
def links_in(source: str) -> frozenset[str]:
    """Give the names of the links a text makes: `{{ invoice.link | link('payment') }}` makes `payment`."""
    try:
        filters = SANDBOX.parse(source).find_all(nodes.Filter)
    except (TemplateError, RecursionError):
        return frozenset()
    first = (each.args[0] for each in filters if each.name == "link" and each.args)
    return frozenset(str(arg.value) for arg in first if isinstance(arg, nodes.Const))


def click_mistakes(document: Document, waits: list[Cases], made: Collection[str]) -> Iterator[Mistake]:
    """Give the `click` cases that wait for a link which no text of the journey makes."""
    for cases in waits:
        for case, trail in cases:
            if case.kind is not CaseKind.CLICK or (made and case.link in {None, *made}):
                continue
            if not made:
                message, hint = "waits for a click, and no text of this journey has a link", "{{ … | link('payment') }}"
            else:
                message = f"no text of this journey has a link named {quoted(case.link or '')}"
                hint = closest(case.link or "", made) or f"there are {listed(sorted(made))}"
            yield document.mistake((*trail, "click"), message, hint)
