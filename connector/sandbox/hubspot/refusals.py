"""How does the pretend HubSpot say no?"""

import json
from collections.abc import Mapping, Sequence
from typing import Any


class RefusalError(Exception):
    """A request the API refuses, with what its JSON error body says.

    Shape: `status`, `message`, `category`, `correlationId`, `errors[]`, `context`, `subCategory`
    (developers.hubspot.com/docs/api-reference/error-handling).
    """

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
        sub_category: str | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.errors = list(errors)
        self.context = context
        self.sub_category = sub_category
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The vendor's error JSON."""
        return {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "category": self.category,
            **({"errors": self.errors} if self.errors else {}),
            **({"context": self.context} if self.context else {}),
            **({"subCategory": self.sub_category} if self.sub_category else {}),
            **self.extra,
        }

    def row(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The same refusal as one entry of a 207 answer's `errors`; `context` names the input."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": {**(self.context or {}), **context},
            **({"errors": self.errors} if self.errors else {}),
            **({"subCategory": self.sub_category} if self.sub_category else {}),
        }


def invalid(message: str, **more: Any) -> RefusalError:
    """400 VALIDATION_ERROR."""
    return RefusalError(400, "VALIDATION_ERROR", message, **more)


def not_found(message: str, **more: Any) -> RefusalError:
    """404 OBJECT_NOT_FOUND."""
    return RefusalError(404, "OBJECT_NOT_FOUND", message, **more)


def invalid_properties(portal_id: int, problems: Sequence[tuple[str, str, str]]) -> RefusalError:
    """400 for property values; each problem is (property name, error code, message)."""
    rows = [
        {"isValid": False, "message": text, "error": code, "name": name, "portalId": portal_id}
        for name, code, text in problems
    ]
    errors = [{"message": text, "code": code, "context": {"propertyName": [name]}} for name, code, text in problems]
    return invalid(f"Property values were not valid: {json.dumps(rows)}", errors=errors)
