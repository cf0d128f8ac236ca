"""How does the pretend Salesforce say no?"""

from collections.abc import Sequence
from typing import Any


class RefusalError(Exception):
    """A request the API refuses.

    A call of its own answers `[{"message", "errorCode", "fields"}]` with `status`; a row of a collection answers
    `{"statusCode", "message", "fields"}` inside HTTP 200
    (developer.salesforce.com: REST API Developer Guide, Status Codes and Error Responses; sObject Collections).
    """

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = list(fields)

    def body(self) -> list[dict[str, Any]]:
        """The JSON of a call that is refused: a list, as ever."""
        named = {"fields": self.fields} if self.fields else {}
        return [{"message": self.message, "errorCode": self.code, **named}]

    def row(self) -> dict[str, Any]:
        """The same refusal as one entry of a collection row's `errors`."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields}


def bad_request(code: str, message: str, fields: Sequence[str] = ()) -> RefusalError:
    """400 with one of the vendor's status codes."""
    return RefusalError(400, code, message, fields)


def no_such_resource() -> RefusalError:
    """404 for an object, a record or a path that is not there."""
    return RefusalError(404, "NOT_FOUND", "The requested resource does not exist")


def is_deleted() -> RefusalError:
    """404 for a record in the recycle bin."""
    return RefusalError(404, "ENTITY_IS_DELETED", "entity is deleted")


def row_is_locked(record_id: str = "") -> RefusalError:
    """400 for a row, or the parent of a row, that somebody else is writing right now."""
    return bad_request(
        "UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {record_id}".rstrip(": ")
    )


def session_is_invalid(message: str = "Session expired or invalid") -> RefusalError:
    """401 for a token that is unknown, expired or of another org."""
    return RefusalError(401, "INVALID_SESSION_ID", message)


def quota_is_gone() -> RefusalError:
    """403 when an org has used up the calls of its last 24 hours; there is no 429 and no Retry-After."""
    return RefusalError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def malformed_query(message: str) -> RefusalError:
    """400 for SOQL that cannot be read."""
    return bad_request("MALFORMED_QUERY", message)
