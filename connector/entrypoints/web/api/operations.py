"""How does a function become an operation of the API: admitted, its arguments read, its answer written, described?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import request
from flask_smorest import Blueprint  # type: ignore[import-untyped]
from marshmallow import RAISE, Schema

from connector.domain.documents import clean_text
from connector.entrypoints.web.api import problems
from connector.entrypoints.web.api.authentication import admit
from connector.entrypoints.web.api.schemas import ProblemSchema
from connector.ports.api_keys import APIScope

BEARER = "bearer"
"""The name of the one way to say who calls, in the description."""

_View = TypeVar("_View", bound=Callable[..., Any])

_ALWAYS: Mapping[int, str] = {
    401: "No valid key.",
    403: "The key lacks the scope.",
    422: "The request has mistakes, all of them listed.",
    429: "Too many calls with this key; `Retry-After` says when to come back.",
    503: "Not done, please try again; `Retry-After` says when.",
}
"""What every operation may answer."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        method: the HTTP method.
        rule: the path below the blueprint's.
        scope: what a key must be allowed.
        answers: the schema of a success.
        status: the status of a success.
        takes: the schema of the body, or None.
        query: the schema of the query, or None.
        also: problems that only this operation has, by status.
        again: what a 200 beside the success of another status means; it has the same schema.
        headers: headers that it reads, by name with what they mean.
        sends: whether it makes texts go out or costs money; it is refused then while calls cannot be counted.
    """

    method: str
    rule: str
    scope: APIScope
    answers: type[Schema]
    status: int = 200
    takes: type[Schema] | None = None
    query: type[Schema] | None = None
    also: Mapping[int, str] | None = None
    again: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    sends: bool = False


class APIBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest is not typed
    """Operations on one kind of thing."""

    def __init__(self, name: str, path: str, description: str) -> None:
        """`path` begins with a slash and stands below the API's own."""
        super().__init__(f"api_{name}", __name__, url_prefix=path, description=description)
        self.label = name.replace("_", " ").capitalize()
        self.register_error_handler(Exception, problems.answer)

    def operation(self, what: Operation) -> Callable[[_View], _View]:
        """Make a function an operation; it gets what `query` and `takes` read, then the parts of the path by name."""

        def decorate(view: _View) -> _View:
            made = self.response(what.status, what.answers)(view)
            if what.takes is not None:
                made = self.arguments(what.takes, location="json")(made)
            if what.query is not None:
                made = self.arguments(what.query, location="query", unknown=RAISE)(made)
            made = _guarded(made, what)
            for status, words in sorted({**_ALWAYS, **(what.also or {})}.items()):
                made = self.alt_response(
                    status, schema=ProblemSchema, content_type=problems.MEDIA_TYPE, description=words
                )(made)
            if what.again:
                made = self.alt_response(200, schema=what.answers, description=what.again, success=True)(made)
            made = self.doc(operationId=_camel(view.__name__), security=[{BEARER: [what.scope.value]}])(made)
            if what.headers:
                made = self.doc(parameters=[_header(*each) for each in what.headers.items()])(made)
            self.route(what.rule, methods=[what.method], tags=[self.label])(made)
            return view

        return decorate


def _guarded(view: Callable[..., Any], what: Operation) -> Callable[..., Any]:
    """Admit a call before anything of it is read."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        admit(what.scope, fails_closed=what.sends)
        if what.takes is not None and not request.is_json:
            raise problems.ProblemError("unsupported-media-type", "send Content-Type: application/json")
        if any(clean_text(str(part)) != part for part in (request.view_args or {}).values()):
            raise problems.ProblemError("not-found")  # no database has been asked for such a name
        return view(*args, **kwargs)

    return guarded


def _header(name: str, words: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "description": words, "schema": {"type": "string"}}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
