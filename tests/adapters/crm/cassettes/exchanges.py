"""What is one request with its answer, and how is it kept in a file that people can read?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import yaml
from vcr.request import Request

JSON, FORM, QUERY = "application/json", "application/x-www-form-urlencoded", "query"
# Other headers say who serves or calls, and when: nothing of ours depends on them.
_ASKED_HEADERS = ("authorization", "content-type")
_TOLD_HEADERS = ("content-type", "retry-after", "sforce-limit-info")

Put = Callable[[str, Any], Any]
"""Is given a leaf's key and value, and gives the value that is to stand there."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; bodies are text, headers have small letters."""

    method: str
    url: str
    asked: Mapping[str, str]
    body: str
    status: int
    told: Mapping[str, str]
    answer: str

    @classmethod
    def of_vcr(cls, request: Any, response: Mapping[str, Any]) -> Exchange:
        """Read what vcrpy recorded."""
        return cls(
            method=request.method,
            url=request.uri,
            asked=_headers(request.headers, _ASKED_HEADERS),
            body=_text(request.body),
            status=int(response["status"]["code"]),
            told=_headers(response["headers"], _TOLD_HEADERS),
            answer=_text(response["body"]["string"]),
        )

    def as_vcr(self) -> tuple[Any, dict[str, Any]]:
        """Give what vcrpy plays."""
        response = {
            "status": {"code": self.status, "message": ""},
            "headers": {name: [value] for name, value in self.told.items()},
            "body": {"string": self.answer.encode()},
        }
        return Request(self.method, self.url, self.body.encode(), dict(self.asked)), response

    def sent(self) -> tuple[Any, ...]:
        """Give what makes two requests the same: all of it but the order of keys and what is read as the same."""
        parts = urlsplit(self.url)
        where = (self.method, parts.scheme, parts.netloc, parts.path, tuple(parse_qsl(parts.query)))
        return (*where, tuple(sorted(self.asked.items())), _parsed(self.body, self.asked))

    def rewritten(self, put: Put) -> Exchange:
        """Put every leaf of it through `put`; those of no JSON and no form have the key of their header, or none."""
        parts = urlsplit(self.url)
        query = urlencode([(name, put(name, value)) for name, value in parse_qsl(parts.query, keep_blank_values=True)])
        place = (put("scheme", parts.scheme), put("host", parts.netloc), put("path", parts.path))
        url = urlunsplit((*place, query, ""))
        return replace(
            self,
            url=url,
            asked={name: put(name, value) for name, value in self.asked.items()},
            body=_rewritten(self.body, self.asked, put),
            answer=_rewritten(self.answer, self.told, put),
        )


def dumped(exchanges: Iterable[Exchange], recorded_from: str) -> str:
    """Write a cassette, in vcrpy's format but for what it was recorded from."""
    told: list[dict[str, Any]] = [
        {
            "request": {"method": each.method, "uri": each.url, "headers": dict(each.asked), "body": each.body},
            "response": {"status": each.status, "headers": dict(each.told), "body": each.answer},
        }
        for each in exchanges
    ]
    cassette = {"recorded_from": recorded_from, "interactions": told}
    return yaml.safe_dump(cassette, sort_keys=False, allow_unicode=True, width=10_000)


def loaded(text: str) -> tuple[str, list[Exchange]]:
    """Read a cassette: what it was recorded from, and what was said."""
    cassette = yaml.safe_load(text)
    return cassette["recorded_from"], [_exchange(**each) for each in cassette["interactions"]]


def _exchange(request: Mapping[str, Any], response: Mapping[str, Any]) -> Exchange:
    return Exchange(
        method=request["method"],
        url=request["uri"],
        asked=request["headers"],
        body=request["body"],
        status=response["status"],
        told=response["headers"],
        answer=response["body"],
    )


def walked(value: Any, put: Put, key: str = "") -> Any:
    """Put every leaf of decoded JSON through `put`, under the property it is a value of where one is named beside."""
    if isinstance(value, dict):
        named = str(value.get("propertyName") or "")
        return {
            name: walked(each, put, named if named and name in {"value", "values"} else name)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [walked(each, put, key) for each in value]
    return put(key, value)


def _rewritten(body: str, headers: Mapping[str, str], put: Put) -> str:
    parsed = _parsed(body, headers)
    if isinstance(parsed, tuple):
        return urlencode([(name, put(name, value)) for name, value in parsed])
    if isinstance(parsed, str):
        return str(put("", parsed)) if parsed else ""
    return json.dumps(walked(parsed, put), ensure_ascii=False, separators=(",", ":"))


def _parsed(body: str, headers: Mapping[str, str]) -> Any:
    """A form as a tuple of pairs, JSON as what it says, anything else as it is."""
    if headers.get("content-type", "").startswith(FORM):
        return tuple(parse_qsl(body, keep_blank_values=True))
    try:
        found = json.loads(body)
    except ValueError:
        return body
    return found if isinstance(found, (dict, list)) else body


def _headers(headers: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, str]:
    found = {name.lower(): value for name, value in headers.items()}
    values = {name: found[name] for name in wanted if name in found}
    return {name: _text(value[0] if isinstance(value, list) else value) for name, value in values.items()}


def _text(body: Any) -> str:
    if body is None:
        return ""
    if hasattr(body, "read"):
        body = body.read()
    return body.decode() if isinstance(body, (bytes, bytearray)) else str(body)
