"""How does Salesforce name its records: 15 characters, or 18 that survive a spreadsheet?"""

import itertools
import re
import threading

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT = re.compile(r"[0-9A-Za-z]{15}")
_COUNTED = 9  # characters that count; three name the object, three the instance


def full_id(short: str) -> str:
    """The 18 characters of a 15 character id: the last three tell which letters are capitals, five to each."""
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(
        _CHECK[sum(1 << n for n, letter in enumerate(group) if letter.isupper())] for group in groups
    )


def normal_id(text: object) -> str | None:
    """An id of 15 or 18 characters as 18; None when it is no id at all, a wrong check among them."""
    if not isinstance(text, str) or len(text) not in {15, 18} or not _SHORT.fullmatch(text[:15]):
        return None
    whole = full_id(text[:15])
    return whole if text.upper() in {whole.upper(), whole[:15].upper()} else None


class IdMaker:
    """Ids of a world: no two records of any org share one."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def next(self, prefix: str) -> str:
        """A fresh 18 character id that begins with an object's three characters."""
        with self._lock:
            number = next(self._numbers)
        return full_id(f"{prefix}Sb0{_base62(number).rjust(_COUNTED, '0')}")


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
