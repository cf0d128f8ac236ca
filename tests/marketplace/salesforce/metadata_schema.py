"""Is a metadata file one that Salesforce would take, as far as its Metadata API's own description says?

simple-salesforce ships that description, the Metadata WSDL of API version 63.0. Its content model is too loose for
XML Schema validators ("content model is not determinist"), so it is walked: every element must be one of its type or
of the types it extends, values must fit, what is required must be there, and what is single must not repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.marketplace.salesforce.package import METADATA, etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_NUMBERS = {"int": r"-?\d+", "long": r"-?\d+", "double": r"-?\d+(\.\d+)?"}
_TIMES = {"date": r"\d{4}-\d\d-\d\d", "dateTime": r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:?\d\d)"}
_FORMS = {"boolean": "true|false", **_NUMBERS, **_TIMES}
_OPAQUE = "base64Binary"  # the target configurations of Lightning web components, which have rules of their own

NEWER: Mapping[str, str] = {}
"""Elements that came after version 63.0, as `Type.element`, each with the page that describes it. None yet."""


@dataclass(frozen=True, slots=True)
class Child:
    """An element that a type may have."""

    type: str
    is_required: bool
    is_single: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """The types of the Metadata API.

    Attributes:
        children: of each complex type, inherited ones too.
        choices: of each enumeration.
    """

    children: Mapping[str, Mapping[str, Child]]
    choices: Mapping[str, frozenset[str]]

    def mistakes(self, root: Any, newer: Mapping[str, str] = NEWER) -> list[str]:
        """Give everything that is wrong in a file, each with its line."""
        kind = etree.QName(root)
        if kind.namespace != METADATA or kind.localname not in self.children:
            return [f"{root.sourceline}: {kind.localname} is no kind of metadata"]
        return list(self._of_element(root, kind.localname, newer))

    def _of_element(self, element: Any, kind: str, newer: Mapping[str, str]) -> Iterator[str]:
        known, seen = self.children[kind], list[str]()
        for child in element:
            name = etree.QName(child).localname
            if name in known:
                yield from self._of_repeats(child, name, seen, is_single=known[name].is_single)
                yield from self._of_value(child, known[name].type, newer)
            elif f"{kind}.{name}" not in newer:
                yield f"{child.sourceline}: {kind} has no element {name}"
            seen.append(name)
        missing = sorted(name for name, child in known.items() if child.is_required and name not in seen)
        yield from (f"{element.sourceline}: {kind} lacks {name}" for name in missing)

    def _of_repeats(self, child: Any, name: str, seen: list[str], *, is_single: bool) -> Iterator[str]:
        if name in seen and is_single:
            yield f"{child.sourceline}: {name} stands there twice"
        elif name in seen and seen[-1] != name:
            yield f"{child.sourceline}: {name} must stand beside the others of its name"

    def _of_value(self, element: Any, kind: str, newer: Mapping[str, str]) -> Iterator[str]:
        name, text = etree.QName(element).localname, (element.text or "").strip()
        if kind in self.children:
            yield from self._of_element(element, kind, newer)
        elif kind == _OPAQUE:
            return
        elif len(element):
            yield f"{element.sourceline}: {name} holds a value, no elements"
        elif kind in self.choices and text not in self.choices[kind]:
            yield f"{element.sourceline}: {name} cannot be {text!r}"
        elif kind in _FORMS and not re.fullmatch(_FORMS[kind], text):
            yield f"{element.sourceline}: {name} is no {kind}: {text!r}"


@cache
def metadata_schema() -> Schema:
    """Read the description that simple-salesforce ships."""
    spec = find_spec("simple_salesforce")
    if spec is None or spec.origin is None:
        pytest.skip("the Metadata WSDL comes with simple-salesforce, of the extra `salesforce`")
    root = etree.parse(str(Path(spec.origin).parent / "metadata.wsdl")).getroot()
    types = {each.get("name"): each for each in root.iter(f"{_XSD}complexType") if each.get("name")}
    simple = {each.get("name"): each for each in root.iter(f"{_XSD}simpleType") if each.get("name")}
    choices = {name: frozenset(_choices(each)) for name, each in simple.items()}
    return Schema({name: _children(name, types) for name in types}, {k: v for k, v in choices.items() if v})


def _choices(kind: Any) -> Iterator[str]:
    return (each.get("value") for each in kind.iter(f"{_XSD}enumeration"))


def _children(name: str, types: Mapping[str, Any]) -> dict[str, Child]:
    kind = types[name]
    extension = next(kind.iter(f"{_XSD}extension"), None)
    base = _local(extension.get("base")) if extension is not None else ""
    inherited = _children(base, types) if base in types else {}
    return inherited | {each.get("name"): _child(each) for each in kind.iter(f"{_XSD}element") if each.get("name")}


def _child(element: Any) -> Child:
    least, most = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
    return Child(_local(element.get("type", "xsd:string")), is_required=least != "0", is_single=most == "1")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
