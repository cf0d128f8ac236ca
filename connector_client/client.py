"""How does a Python program send texts and ask about them?"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from connector_client.calling import Caller
from connector_client.models import (
    BatchResult,
    ConsentStanding,
    Decided,
    FailedCallback,
    KnownNumber,
    Message,
    MessageStatus,
    Provider,
    Text,
)
from connector_client.reading import read, write

MOST_TOGETHER = 500
"""Texts that one call takes; `send_many` makes as many calls as it needs."""

_PAGE = 100  # rows fetched at a time; the connector gives at most 200


class Client:
    """Sends texts and asks about them. Safe to use from many threads; close it, or use it in a `with`."""

    def __init__(self, base_url: str, api_key: str, **options: Any) -> None:
        """`options` are those of `connector_client.calling.Caller`."""
        self._caller = Caller(base_url, api_key, **options)

    def __enter__(self) -> Self:
        """Use it in a `with`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._caller.close()

    def send(self, to: str, body: str | None = None, **more: Any) -> Message:
        """Send one text; `more` is what else `Text` has. Tried again, it never goes out twice.

        Raises:
            InvalidRequestError: it cannot be sent.
            ConflictError: another text was ordered under its idempotency key.
            ClientError: everything else that can go wrong.
        """
        text = _with_key(Text(to, body, **more))
        return read(Message, self._caller.call("POST", "/messages", body=write(text)))

    def send_many(self, texts: Sequence[Text]) -> list[BatchResult]:
        """Send many texts; give what came of each, in order: one that cannot be sent stops no other.

        Raises:
            ClientError: a call failed as a whole. Called again with texts that carry idempotency keys of your own,
                nothing goes out twice.
        """
        results: list[BatchResult] = []
        for first in range(0, len(texts), MOST_TOGETHER):
            some = [write(_with_key(text)) for text in texts[first : first + MOST_TOGETHER]]
            answer = self._caller.call("POST", "/messages/batch", body={"messages": some})
            found = [read(BatchResult, each) for each in answer["results"]]
            results += [replace(each, index=first + each.index) for each in found]
        return results

    def message(self, message_id: str) -> MessageStatus:
        """Give a text and every try to send it.

        Raises:
            NotFoundError: the account has no such text.
        """
        return read(MessageStatus, self._caller.call("GET", f"/messages/{_part(message_id)}"))

    def messages(
        self, *, to: str | None = None, state: str | None = None, since: datetime | None = None
    ) -> Iterator[Message]:
        """Give texts, newest first, page by page as they are asked for."""
        which = {"to": to, "state": state, "since": None if since is None else since.isoformat()}
        yield from self._pages("/messages/search", {key: value for key, value in which.items() if value is not None})

    def cancel(self, message_id: str) -> Message:
        """Stop a text that no gateway can have yet; harmless to repeat.

        Raises:
            ConflictError: it cannot be stopped any more.
            NotFoundError: the account has no such text.
        """
        return read(Message, self._caller.call("POST", f"/messages/{_part(message_id)}/cancel"))

    def conversation(self, number: str) -> Iterator[Message]:
        """Give what went to and came from a number, newest first, page by page as it is asked for."""
        yield from self._pages("/conversations/search", {"number": number})

    def consent(self, number: str) -> ConsentStanding:
        """Tell how a number stands."""
        return read(ConsentStanding, self._caller.call("POST", "/consents/search", body={"number": number}))

    def opt_in(
        self, number: str, *, scope: str = "all", wording: str = "", asked: str = "", source: str | None = None
    ) -> ConsentStanding:
        """Record that somebody wants texts: `wording` is what they said or ticked, `asked` what they were asked.

        Raises:
            ConflictError: an opt-out stands that a program may not take back.
        """
        return self._record("opt_in", number, scope, source, {"wording": wording, "asked": asked})

    def opt_out(
        self, number: str, *, scope: str = "all", wording: str = "", source: str | None = None
    ) -> ConsentStanding:
        """Record that somebody wants no texts, or no marketing; it holds when this returns."""
        return self._record("opt_out", number, scope, source, {"wording": wording})

    def failed_callbacks(self, limit: int = _PAGE) -> list[FailedCallback]:
        """Give callbacks that could not be delivered, newest first."""
        answer = self._caller.call("GET", "/callbacks/failed", query={"limit": limit})
        return [read(FailedCallback, each) for each in answer["callbacks"]]

    def replay_callbacks(self, ids: Sequence[str]) -> list[str]:
        """Have failed callbacks sent anew; give the ids of those that will be."""
        answer: list[str] = self._caller.call("POST", "/callbacks/replay", body={"ids": list(ids)})["ids"]
        return answer

    def dead_letters(
        self, *, gateway: str | None = None, error_code: str | None = None, since: datetime | None = None
    ) -> list[MessageStatus]:
        """Give texts that were given up and wait for a decision, oldest first, at most a hundred."""
        which = {"gateway": gateway, "error_code": error_code, "since": None if since is None else since.isoformat()}
        query = {key: value for key, value in which.items() if value is not None} | {"limit": _PAGE}
        answer = self._caller.call("GET", "/dead-letters", query=query)
        return [read(MessageStatus, each) for each in answer["dead_letters"]]

    def replay(self, ids: Sequence[str], *, afresh: bool = False) -> Decided:
        """Send texts again that were given up; `afresh` gives those whose lifetime is over a new one.

        Harmless to repeat, but what a try has done whose answer was lost is among `passed_over` then.
        """
        return read(Decided, self._caller.call("POST", "/dead-letters/replay", body={"ids": [*ids], "afresh": afresh}))

    def drop(self, ids: Sequence[str]) -> Decided:
        """Be done with texts that were given up; when the answer of a try was lost, they are among `passed_over`."""
        return read(Decided, self._caller.call("POST", "/dead-letters/drop", body={"ids": [*ids]}))

    def known_numbers(self, numbers: Sequence[str]) -> list[KnownNumber]:
        """Tell what is known of numbers, in their order, without asking anybody."""
        answer = self._caller.call("POST", "/lookups/search", body={"numbers": list(numbers)})
        return [read(KnownNumber, each) for each in answer["numbers"]]

    def look_up(self, number: str, *, gateway: str | None = None) -> KnownNumber:
        """Ask a gateway about a number; this costs money, so it is never repeated by itself.

        After an UnavailableError the gateway may have been asked all the same; `known_numbers` tells whether it was.

        Raises:
            ConflictError: no gateway can be asked, or the day's budget is used up.
            UnavailableError: the gateway did not say.
        """
        asked = {"number": number, "gateway": gateway}
        body = {key: value for key, value in asked.items() if value is not None}
        return read(KnownNumber, self._caller.call("POST", "/lookups", body=body, tries=1))

    def providers(self) -> list[Provider]:
        """Tell how the gateways fare."""
        return [read(Provider, each) for each in self._caller.call("GET", "/providers")["providers"]]

    def provider(self, name: str) -> Provider:
        """Tell how one gateway fares.

        Raises:
            NotFoundError: it is not in use.
        """
        return read(Provider, self._caller.call("GET", f"/providers/{_part(name)}"))

    def _record(
        self, kind: str, number: str, scope: str, source: str | None, more: Mapping[str, str]
    ) -> ConsentStanding:
        """Record consent; a source made before the first try keeps a repeated one from counting twice."""
        said = {"kind": kind, "number": number, "scope": scope, "source": source or str(uuid.uuid4()), **more}
        return read(ConsentStanding, self._caller.call("POST", "/consents", body=said))

    def _pages(self, path: str, which: Mapping[str, Any]) -> Iterator[Message]:
        before: dict[str, str] = {}
        while True:
            page = self._caller.call("POST", path, body={**which, **before, "limit": _PAGE})
            yield from (read(Message, each) for each in page["messages"])
            if page["next"] is None:
                return
            before = {"before": page["next"]}


def _with_key(text: Text) -> Text:
    """Make the idempotency key before the first try, so that a second one is known again."""
    return text if text.idempotency_key is not None else replace(text, idempotency_key=str(uuid.uuid4()))


def _part(text: str) -> str:
    """Give an id as a part of a path.

    Raises:
        ValueError: it is none; it would lead elsewhere.
    """
    if not text or not all(char.isalnum() or char in "-_" for char in text):
        raise ValueError("not an id")
    return text
