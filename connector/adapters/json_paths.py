"""Which place in a JSON payload does an admin mean with a JSONPath?

python-jsonpath, in its strict mode, because it keeps to the standard (RFC 9535) and says in which column a path goes
wrong; jsonpath-ng follows an older draft.
"""

from __future__ import annotations

from jsonpath import JSONPathEnvironment, JSONPathError

from connector.domain.webhook_sources import Payload, PayloadPath

_LONGEST = 500  # characters; no place needs more to be named
_STANDARD = JSONPathEnvironment(strict=True)


def json_path(text: str) -> PayloadPath:
    """Make a path.

    Raises:
        ValueError: it is none; says where it goes wrong.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    try:
        compiled = _STANDARD.compile(text)
    except JSONPathError as error:
        raise ValueError(_explained(text, error)) from None

    def find(payload: Payload) -> object:
        try:
            found = compiled.match(payload)  # the first one; None when there is none
        except (JSONPathError, RecursionError):  # a payload nested deeper than any system writes them
            return None
        return None if found is None else found.obj

    return PayloadPath(text, find)


def _explained(text: str, error: JSONPathError) -> str:
    if not text.startswith("$"):
        return "a JSONPath begins with $, which stands for the whole payload"
    index = getattr(error.token, "index", -1)
    place = f" at character {index + 1}" if index >= 0 else " at its end"
    return f"is no JSONPath{place}: {error.message or 'it cannot be read'}"
