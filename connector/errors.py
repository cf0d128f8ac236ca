"""Which exceptions may callers catch, and what does each one mean?

ConnectorError
├── ConfigurationError           a setting or file is missing or wrong; the message names it
│   └── MappingError             mistakes in a file an admin wrote, all of them, with file, line and column
├── UnreadableVersionError       a journey's version was written by another release of this program
├── InvalidNumberError           a phone number that can never receive an SMS
├── SignatureError               "not from them": a webhook or callback whose signature does not hold
│   └── UnsignedCallbackError    a callback without a signature, from a gateway that sends it again with one
├── InstallRefusedError          an installation that comes to nothing; the message says so to the person installing
├── DecryptionError              a ciphertext that was moved, altered or sealed with a key we no longer have
│   └── MissingKeyError          the last of these: another process may have the key
├── ConditionError               a condition or template met an undefined name or a value of the wrong kind
├── QueueUnavailableError        Redis is away: sending pauses
├── SendError                    a text did not certainly go out; carries the gateway's code
│   ├── PermanentSendError       it never will: final, never retried
│   ├── TransientSendError       it certainly did not go out: queued again with backoff
│   ├── AmbiguousSendError       it may have gone out: unknown until a receipt or the gateway says
│   └── UnanswerableError        the gateway cannot be asked what became of it
├── ChannelError                 something was not certainly told to another system; carries its status
│   ├── ChannelRefusedError      it never will: refused, misconfigured, an address we may not call
│   ├── ChannelUnavailableError  certainly not told: down, throttled; try again later
│   └── ChannelAmbiguousError    may have been told: the request left and no answer came
└── CRMError                     a CRM call failed; carries the CRM's status and category
    ├── CRMRefusedError          this row or request is refused for good
    ├── PlaceLostError           a stream or journal cannot be read on: what followed is kept no longer
    ├── CRMUnavailableError      certainly not done: throttled, down, locked; try again after `retry_after`
    ├── CRMAmbiguousError        may have been done: look before doing it again
    └── CRMDisconnectedError     the account's token is revoked: stop calling, ask to reconnect
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class ConnectorError(Exception):
    """Anything this program raises on purpose."""


class ConfigurationError(ConnectorError):
    """A setting or a file is missing or wrong; the message gives its exact name and an example."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file an admin wrote.

    Attributes:
        file: path as the admin knows it.
        line: 1-based line, 0 when the whole file is meant.
        column: 1-based column, 0 when the whole line is meant.
        path: where in the document, such as `steps[3].wait_for.cases[0].reply`; empty for the file.
        message: what is wrong and what was expected.
        suggestion: a did-you-mean, or None.
        severity: `error` keeps the file out; `warning` is only told.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str | None = None
    severity: str = "error"

    def __str__(self) -> str:
        """Give the mistake as one line, `file:line:column: path: message (suggestion)`."""
        where = f"{self.file}:{self.line}:{self.column}: " + (f"{self.path}: " if self.path else "")
        return where + self.message + (f" ({self.suggestion})" if self.suggestion else "")


class MappingError(ConfigurationError):
    """One or more mistakes in files under `mappings/` or `templates/`."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class UnreadableVersionError(ConnectorError):
    """A version of a journey this release cannot read; another release, perhaps already at work, can."""


class InvalidNumberError(ConnectorError, ValueError):
    """A text that is no phone number, or a number that can never receive an SMS; says why, without the number."""


class SignatureError(ConnectorError):
    """A webhook or callback that does not come from whom it claims to come from."""


class UnsignedCallbackError(SignatureError):
    """A callback without a signature from a gateway that signs: answered "our fault", it comes back signed."""


class InstallRefusedError(ConnectorError):
    """An installation comes to nothing; the message is for the person at the browser and says what to do.

    Attributes:
        code: the CRM's own word for it, such as `access_denied`, or ours.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class DecryptionError(ConnectorError):
    """A ciphertext that does not open: moved to another row, altered, or sealed with a retired key."""


class MissingKeyError(DecryptionError):
    """A ciphertext sealed with a key this process does not have: a retired one, or one that other processes have
    already, while a new one is given to one after another.
    """


class ConditionError(ConnectorError):
    """A condition or template could not be evaluated with the values it met."""


class QueueUnavailableError(ConnectorError):
    """Redis does not answer; rate limits cannot be kept, so sending pauses."""


class SendError(ConnectorError):
    """A text that did not certainly go out.

    Attributes:
        code: the gateway's own error code as text, or a transport word such as `connect_timeout`.
        error_class: one of the classes of `domain.message.ErrorClass`, as text.
        retry_after: how long the gateway asks us to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        error_class: str = "unknown",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.error_class = error_class
        self.retry_after = retry_after


class PermanentSendError(SendError):
    """The gateway says it never will: bad number, refused content, opted out, unregistered sender."""


class TransientSendError(SendError):
    """It certainly did not go out: refused connection, throttled, unavailable."""


class AmbiguousSendError(SendError):
    """It may have gone out: the request left and no trustworthy answer came."""


class UnanswerableError(SendError):
    """The gateway has no way to be asked about this attempt: no status query, or not by what is known of it."""


class ChannelError(ConnectorError):
    """Another system was not certainly told something.

    Attributes:
        status: HTTP or SMTP status, 0 when there was no answer.
        retry_after: how long the other side asks us to wait, or None.
    """

    def __init__(self, message: str, *, status: int = 0, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class ChannelRefusedError(ChannelError):
    """It never will be told: refused, misconfigured, or an address that may not be called."""


class ChannelUnavailableError(ChannelError):
    """It was certainly not told: the other side is down, throttles, or cannot be reached."""


class ChannelAmbiguousError(ChannelError):
    """It may have been told: the request left and no trustworthy answer came."""


class CRMError(ConnectorError):
    """A CRM call failed.

    Attributes:
        status: HTTP status, 0 when there was no answer.
        category: the CRM's own category word, such as `VALIDATION_ERROR`, or empty.
        retry_after: how long the CRM asks us to wait, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        category: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.retry_after = retry_after


class CRMRefusedError(CRMError):
    """The CRM refuses this for good, or until the account gets a right it lacks; the message is the CRM's reason."""


class PlaceLostError(CRMError):
    """What the CRM tells of its changes cannot be read on from the place reached: what followed is kept no longer."""


class CRMUnavailableError(CRMError):
    """The CRM certainly did not do it: throttled, locked, down or out of our own rate; try again later."""


class CRMAmbiguousError(CRMError):
    """The CRM may have done it: the request left and no answer came; look before doing it again."""


class CRMDisconnectedError(CRMError):
    """The account's token is revoked or the app uninstalled."""
