"""How are row ids made?"""

from __future__ import annotations

import secrets
import threading
import time

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Make a UUIDv7 (RFC 9562): 48 bits of real milliseconds, so that rows of one time lie together in an index.

    Within a process ids also rise strictly: the 12 bits after the version count within a millisecond.
    """
    global _last  # noqa: PLW0603 - the counter is the point
    with _lock:
        stamp = (time.time_ns() // 1_000_000) << 12
        _last = max(stamp, _last + 1)
        stamp = _last
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    value = (milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | secrets.randbits(62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
