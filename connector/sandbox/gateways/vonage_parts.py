"""Where does a long text fall apart when its parts are handed over one by one?"""

from connector.sandbox.gateways.segments import ESCAPED, SEVEN_BIT, SEVEN_BIT_ROOM, SIXTEEN_BIT_ROOM, count_segments


def split(text: str) -> list[str]:
    """The parts of a text, at least one; joined they are the text."""
    if count_segments(text) == 1:
        return [text]
    is_gsm = all(each in SEVEN_BIT or each in ESCAPED for each in text)
    room = SEVEN_BIT_ROOM[1] if is_gsm else SIXTEEN_BIT_ROOM[1]
    parts, filled = [""], 0
    for each in text:
        weight = 1 + (each in ESCAPED) if is_gsm else len(each.encode("utf-16-be")) // 2
        if filled + weight > room:
            parts.append("")
            filled = 0
        parts[-1] += each
        filled += weight
    return parts
