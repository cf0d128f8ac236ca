"""How are the answers and callbacks of gateways read without trusting a single byte of them?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from connector.ports.gateway import CallbackRequest

_MOST_FIELDS = 500  # a callback has some thirty; the limit keeps parsing cheap
_SHOWN = re.compile(r"\+?\d{1,15}|.{1,11}", re.ASCII)  # E.164 or a short code, or a name (3GPP TS 23.040 §9.1.2.5)
_FULL_NUMBER = re.compile(r"[1-9]\d{7,14}")  # E.164 without its plus; short codes are shorter


def json_object(body: bytes | str) -> Mapping[str, Any]:
    """Read a JSON object; empty when it is none."""
    found = json_value(body)
    return found if isinstance(found, dict) else {}


def json_value(body: bytes | str) -> Any:
    """Read a JSON value; None when it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """Give a value of decoded JSON that is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Give a value of decoded JSON that is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def form_fields(request: CallbackRequest) -> list[tuple[str, str]]:
    """Give the parameters of a form, or those of the query when the callback came by GET, as they can be stored."""
    return [(storable(name), storable(value)) for name, value in signed_form_fields(request)]


def query_fields(url: str) -> list[tuple[str, str]]:
    """Give the parameters of a URL's query as they can be stored; empty when unreadable."""
    return [(storable(name), storable(value)) for name, value in signed_query_fields(url)]


def signed_form_fields(request: CallbackRequest) -> list[tuple[str, str]]:
    """Give what `form_fields` gives with every character a signature may cover; empty when unreadable."""
    source = query_of(request.url) if request.method.upper() == "GET" else request.body.decode("utf-8", "replace")
    return _pairs(source)


def signed_query_fields(url: str) -> list[tuple[str, str]]:
    """Give what `query_fields` gives with every character a signature may cover; empty when unreadable."""
    return _pairs(query_of(url))


def query_of(url: str) -> str:
    """Give the query of a URL as it stands there."""
    return url.partition("?")[2].partition("#")[0]


def header(request: CallbackRequest, name: str) -> str:
    """Look a header up whatever its case, empty when absent; frameworks differ in what they keep."""
    wanted = name.lower()
    return next((value for key, value in request.headers.items() if key.lower() == wanted), "")


def money(text: object) -> Decimal | None:
    """Read a price such as "-0.00750" (what the account is charged) as a positive amount; None when unknown yet."""
    try:
        amount = Decimal(str(text)) if text not in {None, ""} else None
    except InvalidOperation:
        return None
    return abs(amount) if amount is not None and amount.is_finite() else None


def whole_number(text: object) -> int | None:
    """Read a count such as "2"; None when it is none."""
    digits = str(text)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None


def words(value: Any) -> str:
    """Give a scalar of decoded JSON as text that can be stored; empty for none, for objects and for lists."""
    return "" if value is None or isinstance(value, dict | list) else storable(str(value))


def storable(text: str) -> str:
    """Give a text without what no UTF-8 column takes: half a surrogate pair becomes a mark, and NULs go."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "")


def e164(number: str) -> str:
    """Give a number with its plus, as we write it; sender ids and short codes as they are."""
    bare = number.strip().removeprefix("+").removeprefix("00")
    return f"+{bare}" if _FULL_NUMBER.fullmatch(bare) else number.strip()


def shown(sender: str | None) -> str | None:
    """Give a sender that people can see, a number or a name; None for ids of the vendor's that stand for one."""
    return sender if sender and _SHOWN.fullmatch(sender) else None


def digits(number: str) -> str:
    """Give a number as gateways want it that take no plus; sender ids as they are."""
    return number.removeprefix("+")


def stripped(values: Mapping[str, str]) -> Mapping[str, str]:
    """Give the values of settings without the blanks and line ends that come along when secrets are copied."""
    return {name: value.strip() for name, value in values.items()}


def in_turn(setting: str) -> tuple[str, ...]:
    """Give the values of a setting that is a comma-separated list, such as secrets, newest first."""
    return tuple(each.strip() for each in setting.split(",") if each.strip())


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []
