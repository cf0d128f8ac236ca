"""Which messages does a list request mean, and how is one page of them shown?

Source: twilio.com/docs/messaging/api/message-resource, "Read multiple Message resources".
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connector.sandbox.twilio.messages import API_VERSION, Message
from connector.sandbox.twilio.refusals import RefusalError

DEFAULT_PAGE, LARGEST_PAGE = 50, 1000  # the vendor's
_FILTERS = ("To", "From", "DateSent", "DateSent>", "DateSent<")


def matching(messages: Sequence[Message], query: Mapping[str, str]) -> list[Message]:
    """Messages the filters mean, newest first.

    A message not sent yet has no date of sending; it is found by its creation.
    """
    earliest, latest = _span(query)
    return [
        message
        for message in reversed(messages)
        if query.get("To") in {None, message.to}
        and query.get("From") in {None, message.told_sender}
        and earliest <= (message.sent_at or message.created_at) <= latest
    ]


def page(found: Sequence[Message], query: Mapping[str, str], account_sid: str) -> dict[str, Any]:
    """One page of `found` with the vendor's paging fields; the page token names the last message shown."""
    size = _page_size(query.get("PageSize"))
    number = int(query.get("Page", "0")) if query.get("Page", "0").isdecimal() else 0
    start = _start(found, query.get("PageToken"), number * size)
    shown = found[start : start + size]
    path = f"/{API_VERSION}/Accounts/{account_sid}/Messages.json"
    filters = {name: query[name] for name in _FILTERS if name in query}

    def uri(page_number: int, token: str | None = None) -> str:
        paging: dict[str, str | int] = {"PageSize": size, "Page": page_number}
        return f"{path}?{urlencode(filters | paging | ({'PageToken': token} if token else {}))}"

    has_more = start + size < len(found)
    return {
        "messages": [message.as_json() for message in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + len(shown) - 1 if shown else 0,
        "uri": uri(number, query.get("PageToken")),
        "first_page_uri": uri(0),
        "previous_page_uri": uri(number - 1) if number else None,
        "next_page_uri": uri(number + 1, "PA" + shown[-1].sid) if has_more else None,
    }


def _start(found: Sequence[Message], token: str | None, fallback: int) -> int:
    if token is None:
        return fallback
    for index, message in enumerate(found):
        if "PA" + message.sid == token:
            return index + 1
    raise RefusalError(20001, "PageToken")


def _page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdecimal() or not 1 <= int(text) <= LARGEST_PAGE:
        raise RefusalError(20001, "PageSize is 1 to 1000")
    return int(text)


def _span(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    earliest = datetime.min.replace(tzinfo=UTC)
    latest = datetime.max.replace(tzinfo=UTC)
    if "DateSent" in query:
        earliest = _moment(query["DateSent"])
        latest = earliest + timedelta(days=1, microseconds=-1)
    if "DateSent>" in query:
        earliest = max(earliest, _moment(query["DateSent>"]))
    if "DateSent<" in query:
        latest = min(latest, _moment(query["DateSent<"]))
    return earliest, latest


def _moment(text: str) -> datetime:
    """A date or an ISO time; a date is its first moment in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusalError(20001, "DateSent") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
