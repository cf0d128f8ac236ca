"""Which vendor code, HTTP status and sentence does the gateway refuse a request with?

Codes from twilio.com/docs/api/errors; the sentences are ours.
"""

from typing import Any

_REFUSALS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20009: (409, "The message is not finished yet"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too many requests"),
    20500: (500, "Internal server error"),
    20503: (503, "Service unavailable"),
    21211: (400, "The 'To' number is not a valid phone number"),
    21212: (400, "The 'From' number is not a valid phone number, short code or sender id"),
    21266: (400, "'To' and 'From' cannot be the same"),
    21408: (403, "Sending to this region is not enabled"),
    21602: (400, "A message body is required"),
    21603: (400, "A 'From' number or a messaging service is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' number is not a message-capable number of this account"),
    21609: (400, "The 'StatusCallback' URL is not valid"),
    21610: (400, "The recipient has unsubscribed from this sender"),
    21611: (429, "The queue of the 'From' number is full"),
    21612: (400, "The 'To' number cannot be reached from this sender"),
    21614: (400, "The 'To' number is not a mobile number"),
    21617: (400, "The message body exceeds 1600 characters"),
    21701: (404, "The messaging service does not exist"),
    30409: (409, "The message is beyond the point where it can be cancelled"),
    35111: (400, "'SendAt' is required for a fixed schedule"),
    35118: (400, "A messaging service is required to schedule a message"),
}

# Numbers with a fixed answer, as with the vendor's test credentials (twilio.com/docs/iam/test-credentials).
MAGIC_RECIPIENTS = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MAGIC_SENDERS = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

_CODE_OF_STATUS = {401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


class RefusalError(Exception):
    """The gateway refuses a request with a vendor `code`."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.status, sentence = _REFUSALS[code]
        self.message = f"{sentence}: {detail}" if detail else sentence
        super().__init__(f"{code} {self.message}")

    def body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        return error_body(self.code, self.message, self.status)


def error_body(code: int, message: str, status: int) -> dict[str, Any]:
    """The vendor's error object."""
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more_info, "status": status}


def body_of_status(status: int) -> dict[str, Any]:
    """The error object that goes with a bare HTTP status (a fault that was armed)."""
    code = _CODE_OF_STATUS.get(status, 20500)
    return error_body(code, _REFUSALS[code][1], status)
