"""Which texts does the record card have to count as the connector does?

Written to the card's tests by `.venv/bin/python -m tests.marketplace.hubspot.segment_vectors`.
"""

# ruff: noqa: RUF001 - the look-alike characters are the subject

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connector.domain.segments import measure, replace_smart_characters

ROOT = Path(__file__).parents[3]
FIXTURE = ROOT / "marketplace/hubspot/tests/fixtures/segments.json"

_THUMB = "\U0001f44d"
_FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # 11 UTF-16 units
_FLAG = "\U0001f1e9\U0001f1ea"

TEXTS = (
    "",
    "Hi",
    "a" * 160,
    "a" * 161,
    "a" * 306,
    "a" * 307,
    "a" * 152 + "{" + "b" * 20,  # an ESC pair moves whole
    "a" * 152 + "\r\n" + "b" * 20,
    "\r" * 2 + "\n" * 2,
    "5€ {ok} [maybe] \\ | ~ ^ \f",
    "ÄÖÜäöüß@£$¥ΔΦΓΛΩΠΨΣΘΞÆæÅåÑñ¿¡§¤",
    "я" * 70,
    "я" * 71,
    "я" * 134,
    "я" * 135,
    "я" * 66 + _THUMB + "я" * 10,  # a surrogate pair moves whole
    "я" * 60 + _FAMILY + "я" * 10,
    "я" * 66 + "e\u0301" + "я" * 10,
    "я" * 65 + _FLAG + "я" * 10,
    "я" * 64 + _THUMB + "\U0001f3fd" + "я" * 10,
    "я" * 10 + "e" + "\u0301" * 80,  # a cluster heavier than a part is cut between code points
    "я" * 12 + "".join([_THUMB + "\u200d"] * 30),
    "“Hello” – it’s…",
    "„Grüße“ ‚so‘ «oui» ‹non›",
    "10\u202f000\u00a0€\tnow",
    "`code`",
    "1½ h, ½ price, ¾",
    "½½",
    "e\u0301te\u0301",
    "2×3 m − 1",
    "soft\u00adhyphen",
    "Ｈｉ！｀",
    "one\u2028two",
    "• first",
    "Acme™ © ®",
    "№ 5, ĳs, ﬁn, eﬄuent",
    "Ça va, garçon? Le garçon – ça va…",
    "«Привет» – ок",
    "20°",
    "’" * 200,
)
"""Each kind of atom at the edge of a part, each encoding's limits, and what is replaced before a text is measured."""


def vectors() -> list[dict[str, Any]]:
    """Measure every text: as it stands, with what fits into the last part, and as it is written before sending."""
    return [_vector(text) for text in TEXTS]


def as_json() -> str:
    """Give the fixture's text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"


def _vector(text: str) -> dict[str, Any]:
    measured = measure(text)
    return {
        "text": text,
        "encoding": measured.encoding.value,
        "segments": measured.count,
        "characters": measured.units,
        "left": measured.left,
        "plain": replace_smart_characters(text),
    }


if __name__ == "__main__":
    FIXTURE.write_text(as_json(), encoding="utf-8")
