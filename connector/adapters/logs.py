"""What may a log line contain, and in which shape does it leave the process?

Never a phone number, a message body, a secret, or the query of a URL: the last processor before the renderer goes over
everything a line holds, tracebacks and the lines of other libraries included. Call sites still log ids and masked
numbers only; this is the net below them.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from connector.adapters.http import quieten
from connector.domain.msisdn import masked
from connector.domain.short_links import ALPHABET, CODE_LENGTH

_REDACTED = "[redacted]"

_SECRET_KEYS = re.compile(
    r"(?i)token|secret|password|passwd|authorization|cookie|signature|api_?key|credential|private_?key"
)
_CONTENT_KEYS = frozenset({"body", "text", "content", "wording", "payload", "form", "raw_body", "attributes"})
_NUMBER_KEYS = frozenset(
    {"to", "from", "from_", "msisdn", "phone", "mobile", "number", "sender", "recipient", "e164", "caller"}
)
_INTERNATIONAL = re.compile(r"(?:\+|%2[Bb]|(?<![\w.-])00(?=[1-9]))[\s(]*\d(?:[\s().-]{0,2}\d){6,14}(?!\d)")
_NORTH_AMERICAN = re.compile(r"(?<![\w.+-])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])")
_INTERNATIONAL_PREFIXES = ("+", "00", "%2B", "%2b")
_NON_DIGITS = re.compile(r"\D")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {_REDACTED}"),
    (re.compile(r"(\w+://)[^\s/@]+@"), rf"\1{_REDACTED}@"),  # redis://:password@host, postgresql://user:password@host
    (re.compile(r"(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*"), rf"\1?{_REDACTED}"),
    (re.compile(rf"(/l/)[{ALPHABET}]{{{CODE_LENGTH}}}"), rf"\1{_REDACTED}"),  # short links: whoever has one can open it
    (re.compile(r"\bpat-\w{2,4}-[0-9a-f-]{20,}"), _REDACTED),  # HubSpot's static tokens
)
_DEEPEST = 6  # a log line nests less; what is deeper is dropped rather than searched
_QUIET = ("httpx", "httpcore", "urllib3", "hubspot", "rq.worker", "rq.job", "rq.queue", "werkzeug")


def configure_logging(
    level: str = "INFO", *, as_json: bool = True, secrets: Sequence[str] = (), stream: TextIO | None = None
) -> None:
    """Send every log line of the process, ours and the libraries', redacted to `stream`.

    Args:
        level: least level shown, by name.
        as_json: one JSON object per line for machines; else lines for a person.
        secrets: the configured secrets, struck out wherever they turn up.
        stream: where to; standard error when not given, since commands print to standard output.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(as_json=as_json, secrets=secrets))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


class Redactor:
    """A structlog processor that strikes out what a log line must not contain, however deep it lies.

    Keys decide where they can (`to`, `body`, `authorization` …), patterns find the rest in any text. Numbers become
    country code, stars and the last two digits.

    Args of the constructor:
        secrets: exact texts to strike out; those under eight characters are ignored, they would hit words.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:  # noqa: ARG002 - the shape of a processor
        """Give the line redacted."""
        return {key: self._by_key(key, value, 0) for key, value in event.items()}

    def text(self, text: str) -> str:
        """Strike out numbers, secrets, credentials and queries in a text."""
        if self._known is not None:
            text = self._known.sub(_REDACTED, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        text = _INTERNATIONAL.sub(_mask_match, text)
        return _NORTH_AMERICAN.sub(_mask_match, text)

    def _by_key(self, key: object, value: Any, depth: int) -> Any:
        name = str(key).lower()
        if value is None or isinstance(value, bool):
            return value
        if name in _CONTENT_KEYS or _SECRET_KEYS.search(name):
            return _REDACTED
        if name in _NUMBER_KEYS and isinstance(value, str | int):
            shown = _mask_value(str(value))
            return value if shown == str(value) else shown
        return self._by_type(value, depth)

    def _by_type(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if depth >= _DEEPEST:
            return _REDACTED
        if isinstance(value, Mapping):
            return {self._by_type(k, depth + 1): self._by_key(k, v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._by_type(item, depth + 1) for item in value]
        return self.text(str(value))  # dates, enums, exceptions and objects, by what they say of themselves


def _mask_match(match: re.Match[str]) -> str:
    return _mask_value(match.group())


def _mask_value(text: str) -> str:
    """Mask a number; a word such as an alphanumeric sender id or a masked number stays."""
    if "*" in text or not any(char.isdigit() for char in text):
        return text
    digits = _NON_DIGITS.sub("", re.sub("%2[Bb]", "+", text))
    if len(digits) < 7:  # a short code is no person's
        return text
    if text.lstrip().startswith(_INTERNATIONAL_PREFIXES):
        return masked("+" + digits.removeprefix("00"))
    return "*" * (len(digits) - 2) + digits[-2:]


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(*, as_json: bool, secrets: Sequence[str]) -> logging.Formatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,  # plain tracebacks: no local variables, and before the redactor
            Redactor(secrets),
            renderer,
        ],
    )
