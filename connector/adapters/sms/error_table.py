"""What does a gateway's refusal mean to us: never, not now, or nobody can tell?

Every adapter has a table from its vendor's codes to our classes. What is the same for all of them stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from connector.domain.message import ErrorClass as E
from connector.errors import AmbiguousSendError, PermanentSendError, SendError, TransientSendError

_NOT_DONE = frozenset({E.TRANSIENT, E.THROTTLED, E.CONFIG, E.ACCOUNT_OR_CREDIT})
"""Refusals that end when somebody mends something, so the text waits until then or until it expires."""

_NEEDS_A_PERSON = timedelta(seconds=60)
"""How long settings and accounts take to be mended at the least; asking sooner earns a block, not an answer."""


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """One vendor's codes.

    Attributes:
        vendor: as it is named in error messages.
        classes: our class by the vendor's code; a code that is not listed is `unknown`.
        is_partial: the vendor publishes no whole list. Then a refusal with a code that is not listed is not final: it
            may well pass, and how often it is tried is bounded elsewhere.
    """

    vendor: str
    classes: Mapping[str, E]
    is_partial: bool = False

    def class_of(self, code: str | None) -> E | None:
        """Give the class of a code, `unknown` for one we do not know, None for none."""
        return self.classes.get(code, E.UNKNOWN) if code else None

    def refusal(self, status: int, code: str, wait: timedelta | None) -> SendError:
        """Give the error for an HTTP answer that is no success.

        A code of the vendor decides, then the HTTP status: other 4xx are final, since the same request would be
        refused again. Of the 5xx only a 503 with the vendor's own error body or a `Retry-After` says that nothing was
        done; a bare one, and any other, may come from a proxy that had already passed the request on.

        Args:
            status: HTTP status.
            code: the vendor's error code, empty when the body had none.
            wait: what `Retry-After` asked for, or None.
        """
        message = f"{self.vendor} answered HTTP {status}" + (f", code {code}" if code else "")
        if status == 408 or (status >= 500 and not (status == 503 and (code or wait is not None))):
            return AmbiguousSendError(message, code=code or str(status), error_class=E.UNKNOWN)
        error_class = self._class_of_answer(status, code)
        is_final = status < 500 and not (code and self._may_pass(code))
        return _error(message, code or str(status), error_class, wait, is_done=is_final)

    def failure(self, code: str, wait: timedelta | None = None) -> SendError:
        """Give the error for a failure told inside a success: the gateway has read the request and says no."""
        error_class = self.class_of(code) or E.UNKNOWN
        return _error(
            f"{self.vendor} refused the text, code {code}", code, error_class, wait, is_done=not self._may_pass(code)
        )

    def _may_pass(self, code: str) -> bool:
        return self.is_partial and code not in self.classes

    def unreadable(self, status: int) -> AmbiguousSendError:
        """Give the error for a success that nobody can read: it may have gone out."""
        return AmbiguousSendError(
            f"{self.vendor} answered HTTP {status} with a body nobody can read", code="unreadable_answer"
        )

    def _class_of_answer(self, status: int, code: str) -> E:
        if code in self.classes:
            return self.classes[code]
        if status == 429:
            return E.THROTTLED
        if status == 503:
            return E.TRANSIENT
        if status in {401, 403, 404} or status < 400:  # credentials, account or URL, a redirect
            return E.CONFIG
        return E.UNKNOWN


def _error(message: str, code: str, error_class: E, wait: timedelta | None, *, is_done: bool) -> SendError:
    if not is_done or error_class in _NOT_DONE:
        if wait is None and error_class in {E.CONFIG, E.ACCOUNT_OR_CREDIT}:
            wait = _NEEDS_A_PERSON
        return TransientSendError(message, code=code, error_class=error_class, retry_after=wait)
    return PermanentSendError(message, code=code, error_class=error_class)
