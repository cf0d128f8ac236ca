"""What may be written in a template or condition, and what is refused before it ever runs?

Even in a sandbox a template could ask for a gigabyte (`"a" * 1000000000`) or loop for ever. So only the kinds of syntax
listed here are let in. Without loops, calls and assignments the work of a template grows with its length alone, which
is capped too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateError
from jinja2.parser import Parser

from connector.adapters.jinja_sandbox import IN_CONDITION, IN_TEXT, SANDBOX
from connector.adapters.text_filters import FILTERS, TESTS
from connector.domain.short_links import is_link_name

LONGEST_SOURCE = 8_000  # characters; an SMS text ends at 1,600, with markup and two branches at some thousands
_DEEPEST = 40  # levels of syntax; a hand-written condition has about 10

_WORDS = "second|minute|hour|day|week"
_DURATION = re.compile(rf"('[^']*'|\"[^\"]*\")|\b([0-9]{{1,9}}[ \t]+(?:{_WORDS})s?)\b")

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
    nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos, nodes.List,
    nodes.Tuple, nodes.Keyword,
)  # fmt: skip

_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.For: "loops (`for`)",
    nodes.Call: "calls such as `name(…)`",
    nodes.Assign: "`set`",
    nodes.AssignBlock: "`set`",
    nodes.Include: "`include`",
    nodes.Import: "`import`",
    nodes.FromImport: "`import`",
    nodes.Extends: "`extends`",
    nodes.Block: "`block`",
    nodes.Macro: "`macro`",
    nodes.CallBlock: "`call`",
    nodes.FilterBlock: "`filter` blocks",
    nodes.With: "`with`",
    nodes.Pow: "`**`",
    nodes.Mod: "`%`",
    nodes.Slice: "slices `[a:b]`",
    nodes.Dict: "`{…}` values",
}

_NAMING = (nodes.For, nodes.Assign, nodes.AssignBlock, nodes.With, nodes.Macro, nodes.Import, nodes.FromImport)
"""Syntax that makes names of its own."""

_LINK = "link"
"""The filter that makes short links; only a text has use for one."""

_JINJA_OWN = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs"})
"""Names Jinja gives a meaning of its own."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in a template or condition: at a line counted from 1, near `words` if those are known."""

    message: str
    line: int = 1
    words: str = ""
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class NameUse:
    """A dotted name that a template or condition reads, such as `invoice.number`."""

    parts: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template or condition after inspection: runnable when it has no flaws."""

    template: Template | None
    flaws: tuple[Flaw, ...] = ()
    names: tuple[NameUse, ...] = ()
    literals: tuple[tuple[str, int], ...] = field(default=())


class _Refused(Exception):  # noqa: N818 - leaves this module as a Flaw only
    def __init__(self, message: str, line: int = 1, words: str = "") -> None:
        super().__init__(message)
        hint = "write == to compare" if words == "=" else None
        self.flaw = Flaw(message, line, words, hint)


@lru_cache(maxsize=4096)
def compile_text(source: str) -> Compiled:
    """Inspect and compile a template."""
    return _compile(source, _parse_text, IN_TEXT)


@lru_cache(maxsize=4096)
def compile_condition(source: str) -> Compiled:
    """Inspect and compile an expression; its value is left under the name `result`.

    Durations are written as in the rest of a journey: `appointment.starts_at - 24 hours`.
    """
    return _compile(source, _parse_condition, IN_CONDITION)


def _compile(source: str, parse: Any, written_by: str) -> Compiled:
    if len(source) > LONGEST_SOURCE:
        return Compiled(None, (Flaw(f"is longer than {LONGEST_SOURCE} characters"),))
    try:
        tree, root = parse(source)
        flaws = tuple(_inspect(root))
        if not flaws:
            _give_currency(root)
            _write_joined(root, written_by)
        names = () if root.find(_NAMING) else tuple(_names(nodes.Output([root])))
        if flaws:
            return Compiled(None, flaws, names)
        literals = tuple((node.data, node.lineno) for node in tree.find_all(nodes.TemplateData))
        return Compiled(SANDBOX.from_string(tree), (), names, literals)
    except _Refused as exc:
        return Compiled(None, (exc.flaw,))
    except TemplateSyntaxError as exc:
        return Compiled(None, (_syntax_flaw(exc),))
    except (TemplateError, RecursionError, SyntaxError, MemoryError, OverflowError, ValueError):
        # A source that overwhelms Jinja's or Python's compiler: brackets a thousand deep, a number of 5,000 digits.
        return Compiled(None, (Flaw("is too deeply nested or holds a number too large to read"),))


def _parse_text(source: str) -> tuple[nodes.Template, nodes.Node]:
    tree = SANDBOX.parse(source)
    return tree, tree


def _parse_condition(source: str) -> tuple[nodes.Template, nodes.Node]:
    if not source.strip():
        raise _Refused("is empty")
    braces = next((brace for brace in ("{{", "{%") if brace in source), None)
    if braces:
        raise _Refused("braces are for texts: write a condition without them", words=braces)
    parser = Parser(SANDBOX, _DURATION.sub(_duration_filter, source), state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        token = parser.stream.current
        raise _Refused(f"did not expect `{token.value}` here", token.lineno, str(token.value))
    links = (each for each in nodes.Output([expression]).find_all(nodes.Filter) if each.name == _LINK)
    for each in links:
        raise _Refused("short links are for texts", each.lineno, _LINK)
    assign = nodes.Assign(nodes.Name("result", "store", lineno=1), expression, lineno=1)
    tree = nodes.Template([assign], lineno=1)
    tree.set_environment(SANDBOX)
    return tree, expression


def _duration_filter(found: re.Match[str]) -> str:
    return found[1] or f'("{found[2]}"|_duration)'


def _syntax_flaw(exc: TemplateSyntaxError) -> Flaw:
    message = (exc.message or "").rstrip(".")
    unknown = re.match(r"Encountered unknown tag '(\w+)'", message)
    if unknown:
        return Flaw(f"`{unknown[1]}` is no tag that texts may use", exc.lineno, unknown[1], "there is `if`")
    if "got '='" in message:
        return Flaw("`=` compares nothing", exc.lineno, "=", "write == to compare")
    if "end of template" in message:
        return Flaw("ends too early: a `}}`, `%}`, quote or `{% endif %}` is missing", exc.lineno)
    if "unexpected char" in message:
        return Flaw("a quote is missing, or a character stands where none may", exc.lineno)
    return Flaw(f"is no Jinja: {message[:1].lower()}{message[1:]}", exc.lineno)


def _inspect(root: nodes.Node) -> Iterator[Flaw]:
    queue = [(root, 0)]
    while queue:
        node, depth = queue.pop()
        if depth > _DEEPEST:
            yield Flaw("is nested too deeply", node.lineno or 1)
            return
        flaw = _flaw_of(node)
        if flaw:
            yield flaw
        else:
            queue.extend((child, depth + 1) for child in node.iter_child_nodes())


def _flaw_of(node: nodes.Node) -> Flaw | None:
    line = node.lineno or 1
    if not isinstance(node, _ALLOWED):
        what = next((words for kind, words in _REFUSED.items() if isinstance(node, kind)), type(node).__name__.lower())
        name = node.node.name if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) else ""
        hint = f"write it as a filter: … | {name}" if name in FILTERS else None
        return Flaw(f"{what} cannot be used in texts and conditions", line, name, hint)
    if isinstance(node, nodes.Name) and (node.name.startswith("_") or node.name in _JINJA_OWN):
        return Flaw(f"the name `{node.name}` cannot be used", line, node.name)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return Flaw("names that begin with `_` cannot be used", line, node.attr)
    if isinstance(node, nodes.Getitem):
        return _flaw_of_item(node, line)
    if isinstance(node, nodes.Filter):
        return _unknown("filter", node.name, [*FILTERS, "_duration"], line) or _flaw_of_link(node, line)
    return _unknown("test", node.name, list(TESTS), line) if isinstance(node, nodes.Test) else None


def _flaw_of_item(node: nodes.Getitem, line: int) -> Flaw | None:
    word = node.arg.value if isinstance(node.arg, nodes.Const) else None
    if isinstance(word, str) and not word.startswith("_"):
        return None
    return Flaw("only a quoted name may stand in `[…]`", line, "", "write contact.name")


def _flaw_of_link(node: nodes.Filter, line: int) -> Flaw | None:
    """Find what is wrong with the use of `link`: its name must be known before it runs, and nothing may change it."""
    if isinstance(node.node, nodes.Filter) and node.node.name == _LINK:
        return Flaw("a filter behind `link` would break the address", line, node.name, "let `link` come last")
    if node.name != _LINK:
        return None
    named = [each.value for each in node.args if isinstance(each, nodes.Const)]
    is_plain = len(node.args) <= 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    if is_plain and len(named) == len(node.args) and all(isinstance(n, str) and is_link_name(n) for n in named):
        return None
    return Flaw("`link` takes a quoted name of small letters, digits and -", line, _LINK, "write link('payment')")


def _unknown(kind: str, name: str, known: list[str], line: int) -> Flaw | None:
    if name in known:
        return None
    close = get_close_matches(name, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(k for k in known if k[0] != '_')}"
    return Flaw(f"there is no {kind} `{name}`", line, name, hint)


def _names(tree: nodes.Node) -> Iterator[NameUse]:
    for child in tree.iter_child_nodes():
        parts = _dotted(child)
        if parts is None:
            yield from _names(child)
        else:
            yield NameUse(parts, child.lineno or 1)


def _dotted(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        before = _dotted(node.node)
        last = node.attr if isinstance(node, nodes.Getattr) else node.arg.as_const()
        return (*before, str(last)) if before else None
    return None


def _give_currency(root: nodes.Node) -> None:
    """Give every `record.amount | money` the record's own currency."""
    for each in nodes.Output([root]).find_all(nodes.Filter):
        if each.name == "money" and not each.args and not each.kwargs and isinstance(each.node, nodes.Getattr):
            currency = nodes.Getattr(each.node.node, "currency", "load", lineno=each.lineno)
            currency.set_environment(SANDBOX)
            each.args.append(currency)


def _write_joined(root: nodes.Node, written_by: str) -> None:
    """Let what `~` joins be written by one of our filters."""
    for each in nodes.Output([root]).find_all(nodes.Concat):
        each.nodes = [nodes.Filter(part, written_by, [], [], None, None, lineno=part.lineno) for part in each.nodes]
        each.set_environment(SANDBOX)
