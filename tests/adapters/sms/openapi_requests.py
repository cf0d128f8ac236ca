"""Does an HTTP request fit what an OpenAPI 3.0 document says of it?

Only what a request with a form or a query can get wrong is looked at: path, method, credentials, media type, names,
types and values. Sources: spec.openapis.org/oas/v3.0.3, and JSON Schema validation for the keywords it borrows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import yaml

FORM = "application/x-www-form-urlencoded"
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_TYPES: Mapping[str, re.Pattern[str]] = {
    "integer": re.compile(r"-?\d+"),
    "number": re.compile(r"-?\d+(\.\d+)?"),
    "boolean": re.compile(r"true|false"),
    "string": re.compile(r".*", re.DOTALL),
}


@dataclass(frozen=True)
class _Operation:
    path: str
    item: Mapping[str, Any]
    operation: Mapping[str, Any]
    path_values: Mapping[str, str]


class Document:
    """An OpenAPI document."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        if not str(content.get("openapi", "")).startswith("3."):
            raise ValueError("not an OpenAPI 3 document")
        self._content = content

    def servers(self, method: str, path: str) -> set[str]:
        """Give the origins that an operation is served from; ValueError when there is no such operation."""
        found = self._operation(method, path)
        if found is None:
            raise ValueError(f"no {method} {path}")
        places = (found.operation, found.item, self._content)
        listed: Sequence[Mapping[str, str]] = next((each["servers"] for each in places if each.get("servers")), ())
        return {server["url"].rstrip("/") for server in listed}

    def mistakes(self, request: httpx.Request) -> list[str]:
        """Give everything that is wrong with a request, whatever host it goes to; empty when it fits."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        found = self._operation(request.method, path)
        if found is None:
            return [f"no operation {request.method} {path}"]
        return [
            *self._in_path(found),
            *self._in_query(found, request),
            *self._in_body(found, request),
            *self._credentials(found, request),
        ]

    def _operation(self, method: str, path: str) -> _Operation | None:
        """Find an operation; a path without parameters goes before one with."""
        for template in sorted(self._content["paths"], key=lambda each: each.count("{")):
            item, values = self._content["paths"][template], _match(template, path)
            if values is not None and method.lower() in item:
                return _Operation(template, item, item[method.lower()], values)
        return None

    def _parameters(self, found: _Operation, place: str) -> dict[str, Mapping[str, Any]]:
        each = [*found.item.get("parameters", ()), *found.operation.get("parameters", ())]
        resolved = [self._resolve(parameter) for parameter in each]
        return {parameter["name"]: parameter for parameter in resolved if parameter["in"] == place}

    def _in_path(self, found: _Operation) -> Iterator[str]:
        declared = self._parameters(found, "path")
        for name, value in found.path_values.items():
            if name not in declared:
                yield f"path: {name} is not declared"
            else:
                yield from self._fits("path", name, [value], declared[name].get("schema", {}))

    def _in_query(self, found: _Operation, request: httpx.Request) -> Iterator[str]:
        declared = self._parameters(found, "query")
        schemas = {name: parameter.get("schema", {}) for name, parameter in declared.items()}
        required = [name for name, parameter in declared.items() if parameter.get("required")]
        yield from self._fields("query", _grouped(request.url.query.decode("ascii")), schemas, required)

    def _in_body(self, found: _Operation, request: httpx.Request) -> Iterator[str]:
        declared = self._resolve(found.operation.get("requestBody", {}))
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not request.content:
            if declared.get("required"):
                yield "body: is missing"
            return
        if media not in declared.get("content", {}):
            yield f"body: {media or 'no media type'} is not taken"
        elif media != FORM:
            yield f"body: {media} is nothing this checker can read"
        else:
            schema = self._resolve(declared["content"][media].get("schema", {}))
            fields = _grouped(request.content.decode("ascii"))
            yield from self._fields("body", fields, schema.get("properties", {}), schema.get("required", ()))

    def _fields(
        self,
        place: str,
        given: Mapping[str, Sequence[str]],
        schemas: Mapping[str, Mapping[str, Any]],
        required: Sequence[str],
    ) -> Iterator[str]:
        for name in required:
            if name not in given:
                yield f"{place}: {name} is missing"
        for name, values in given.items():
            if name not in schemas:
                yield f"{place}: {name} is not known"
            else:
                yield from self._fits(place, name, values, schemas[name])

    def _fits(self, place: str, name: str, values: Sequence[str], schema: Mapping[str, Any]) -> Iterator[str]:
        schema = self._resolve(schema)
        if schema.get("type") == "array":
            schema = self._resolve(schema.get("items", {}))
        elif len(values) > 1:
            yield f"{place}: {name} is given {len(values)} times"
        for value in values:
            for rule, is_kept in _RULES.items():
                if rule in schema and not is_kept(value, schema[rule]):
                    yield f"{place}: {name} breaks {rule} {schema[rule]}"

    def _credentials(self, found: _Operation, request: httpx.Request) -> Iterator[str]:
        wanted = found.operation.get("security", self._content.get("security", ()))
        schemes = self._content.get("components", {}).get("securitySchemes", {})
        basic = [name for way in wanted for name in way if schemes.get(name, {}).get("scheme") == "basic"]
        if basic and not request.headers.get("authorization", "").startswith("Basic "):
            yield "credentials: Basic is wanted"

    def _resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow `$ref` within the document; what stands beside one still counts, as vendors write it so."""
        if "$ref" not in node:
            return node
        target: Any = self._content
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[unquote(part).replace("~1", "/").replace("~0", "~")]
        return {**node, **self._resolve(target), "$ref": node["$ref"]}


def read_document(path: Path) -> Document:
    """Read a document from JSON or YAML."""
    text = path.read_text(encoding="utf-8")
    return Document(json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader))


def _match(template: str, path: str) -> dict[str, str] | None:
    """Give the values of a path template's parameters, None when the path is another one."""
    names = _PARAMETER.findall(template)
    pattern = "([^/]+?)".join(re.escape(part) for part in _PARAMETER.split(template)[::2])
    match = re.fullmatch(pattern, path)
    return None if match is None else dict(zip(names, map(unquote, match.groups()), strict=True))


def _grouped(text: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict"):
        fields.setdefault(name, []).append(value)
    return fields


def _has_format(value: str, name: str) -> bool:
    """Check the formats that are the same everywhere; names of a vendor's own say nothing."""
    if name == "uri":
        parts = urlsplit(value)
        return bool(parts.scheme and parts.netloc) and not re.search(r"\s", value)
    if name == "date-time":
        try:
            return datetime.fromisoformat(value).tzinfo is not None
        except ValueError:
            return False
    return True


_RULES: Mapping[str, Callable[[str, Any], bool]] = {
    "type": lambda value, name: bool(_TYPES[name].fullmatch(value)),
    "enum": lambda value, words: value in {str(word) for word in words},
    "pattern": lambda value, pattern: bool(re.search(pattern, value)),
    "minLength": lambda value, least: len(value) >= least,
    "maxLength": lambda value, most: len(value) <= most,
    "minimum": lambda value, least: not _is_number(value) or float(value) >= least,
    "maximum": lambda value, most: not _is_number(value) or float(value) <= most,
    "format": _has_format,
}


def _is_number(value: str) -> bool:
    return bool(_TYPES["number"].fullmatch(value))
