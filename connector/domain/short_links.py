"""Which addresses may a short link lead to, what is added to them, and what does its code look like?"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz"
"""Letters and digits that nobody takes for each other on a phone: no 0 O o, no 1 I l i."""

CODE_LENGTH = 11
"""55 characters to the 11th are 63 bits: at a thousand guesses a second it takes four hundred years to hit one of a
million links; and every character of a text is paid for."""

LONGEST_URL = 2_048  # characters; what browsers and proxies agree on

_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def new_code(below: Callable[[int], int]) -> str:
    """Make a code; `below(n)` gives a random number under n that nobody can foresee."""
    return "".join(ALPHABET[below(len(ALPHABET))] for _ in range(CODE_LENGTH))


def is_code(text: str) -> bool:
    """Tell whether a text could be a code at all."""
    return _CODE.fullmatch(text) is not None


def is_link_name(text: str) -> bool:
    """Tell whether a text can name a link: small letters, digits, `-` and `_`, such as `payment`."""
    return _NAME.fullmatch(text) is not None


def is_web_address(url: str) -> bool:
    """Tell whether a text is an address that a phone can open: http or https, with a host, without blanks."""
    if len(url) > LONGEST_URL or any(char.isspace() or not char.isprintable() for char in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def with_campaign(url: str, campaign: str, content: str) -> str:
    """Add where a visit came from, as web statistics read it, unless the address says it already.

    Source: the UTM parameters of support.google.com/analytics/answer/10917952. What is there stays as it is, byte by
    byte: an address may be signed.

    Args:
        url: a web address.
        campaign: the journey.
        content: the step.
    """
    parts = urlsplit(url)
    said = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    wanted = {"utm_source": "sms", "utm_medium": "sms", "utm_campaign": campaign, "utm_content": content}
    added = urlencode({name: value for name, value in wanted.items() if name not in said})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))
