"""What does the connector count for the texts by which the component's own counter is held to it?

`python -m tests.marketplace.salesforce.segment_vectors` writes the file that the component's tests read.
"""

from __future__ import annotations

import json

from connector.domain.segments import measure
from tests.marketplace.salesforce.package import COMPONENTS

VECTORS = COMPONENTS / "smsSegments/__tests__/vectors.json"

_TEXTS = {
    "nothing": "",
    "one character": "a",
    "a full single": "a" * 160,
    "one over a single": "a" * 161,
    "two full parts": "a" * 306,
    "one over two parts": "a" * 307,
    "every character of the basic alphabet": "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¡¿§¤äöñüà",
    "the extension table": "\f^{}\\[~]|€",
    "an escape pair that does not fit the end of a part": "a" * 152 + "€" + "a" * 20,
    "line ends that stay together": "a" * 152 + "\r\n" + "a" * 20,
    "a backtick, which is not in the alphabet": "`",
    "a small c with cedilla, which is not either": "ça va",
    "a full single of UCS-2": "ж" * 70,
    "one over a single of UCS-2": "ж" * 71,
    "an emoji that counts twice": "👍" * 35,
    "an emoji that does not fit the end of a part": "ж" * 66 + "👍" + "ж" * 20,
    "a family that is one character to the eye": "ж" * 60 + "👩‍👩‍👧‍👦" + "ж" * 20,
    "a flag": "ж" * 65 + "🇸🇪" + "ж" * 10,
    "a letter with a combining accent": "ж" * 66 + "e\u0301" + "ж" * 10,
    "a cluster longer than a part": "ж" + "e" + "\u0301" * 80,
}


def vectors() -> list[dict[str, str | int]]:
    """Give each text with its encoding, parts, units, and the room that is left in the last part."""
    return [_vector(name, text) for name, text in _TEXTS.items()]


def _vector(name: str, text: str) -> dict[str, str | int]:
    found = measure(text)
    return {
        "name": name,
        "text": text,
        "encoding": found.encoding.value,
        "segments": found.count,
        "units": found.units,
        "left": found.left,
    }


def written() -> str:
    """Give the file as it should be."""
    return json.dumps(vectors(), indent=2) + "\n"


if __name__ == "__main__":
    VECTORS.write_text(written(), encoding="utf-8")
