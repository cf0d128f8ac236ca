"""Does the emulated gateway count parts as its vendor's calculator does?"""

import pytest

from connector.sandbox.gateways.segments import count_segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("{" * 80, 1),
        ("{" * 81, 2),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        ("a" * 152 + "{" + "b" * 151, 2),
        ("a" * 152 + "{" + "b" * 152, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
        ("я" * 66 + "👍" + "я" * 10, 2),
        ("я" * 66 + "👍" + "я" * 66, 3),
        ("ç" * 71, 2),
        ("Ç" * 160, 1),
        ("`" * 71, 2),
        ("ΔΦΓ¥£¤€\r\n" * 16, 1),
    ],
)
def test_parts_are_counted_at_every_boundary(text: str, segments: int) -> None:
    assert count_segments(text) == segments
