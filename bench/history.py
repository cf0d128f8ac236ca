"""How does a ledger come to hold a million texts in half a minute?"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from bench.texts import NUMBERS

_DAY = 86_400 * 1_000_000  # the ledger keeps microseconds
_SPREAD_DAYS = 180
_TOGETHER = 100_000

_SERIES = "WITH RECURSIVE series(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM series WHERE n < {last})"
_ID = "printf('%08x-%04x-7000-8000-{kind}%011x', (n + 1) >> 16, (n + 1) & 65535, n)"
_NUMBER = f"printf('+1%03d55501%02d', 200 + (n * 7919 % {NUMBERS}) / 100, (n * 7919 % {NUMBERS}) % 100)"
_AT = f"{{start}} + n * ({_SPREAD_DAYS} * {_DAY} / {{count}})"

# Every value in these statements is one of our own constants.
_MESSAGE = f"""
INSERT INTO message (id, account_id, direction, contact_id, enrollment_id, journey, step, idempotency_key, purpose,
  recipient, msisdn, sender, gateway, body_sealed, encoding, segments, state, state_reason, policy, send_window, caps,
  time_zones, country, not_before, tries, provider_message_id, created_at, updated_at, sent_at)
{_SERIES}
SELECT {_ID.format(kind="a")}, '{{account}}', 'out', {_ID.format(kind="c")}, {_ID.format(kind="d")}, 'demo-booked',
  'steps[0].send', 'history:' || n, 'transactional', 'contact', {_NUMBER}, '+12025550100', 'twilio', randomblob(150),
  'gsm7', 1, 'delivered', 'the gateway reports delivered', 'at_most_once', '', '[]', '["America/New_York"]', 'US',
  {_AT}, 1, 'SMh' || n, {_AT}, {_AT}, {_AT} FROM series
"""  # noqa: S608

_ATTEMPT = f"""
INSERT INTO attempt (id, account_id, message_id, gateway, sender, provider_message_id, state, raw_status, segments,
  requested_at, answered_at)
{_SERIES}
SELECT {_ID.format(kind="b")}, '{{account}}', {_ID.format(kind="a")}, 'twilio', '+12025550100', 'SMh' || n, 'delivered',
  'delivered', 1, {_AT}, {_AT} FROM series
"""  # noqa: S608

_TIMELINE = f"""
INSERT INTO timeline_entry (id, account_id, kind, subject, discriminator, contact_id, enrollment_id, message_id, at,
  summary, path, data)
{_SERIES}
SELECT {_ID.format(kind="e")}, '{{account}}', 'message.moved', 'message:' || {_ID.format(kind="a")},
  'delivered:1:' || n, {_ID.format(kind="c")}, {_ID.format(kind="d")}, {_ID.format(kind="a")}, {_AT},
  'delivered: the gateway reports delivered', 'steps[0].send', '{{{{"state": "delivered"}}}}' FROM series
"""  # noqa: S608


def fill(database: Path, account_id: str, texts: int) -> float:
    """Insert delivered texts of the last half year, each with its trail, and give the seconds it took.

    Nobody else may have the database open. Indexes are made at the end, from sorted rows.
    """
    started = time.perf_counter()
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('message', 'attempt', 'timeline_entry')"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    start = int(time.time() * 1_000_000) - (_SPREAD_DAYS + 2) * _DAY
    for statement in (_MESSAGE, _ATTEMPT, _TIMELINE):
        connection.execute("BEGIN")
        for first in range(0, texts, _TOGETHER):
            last = min(first + _TOGETHER, texts) - 1
            connection.execute(statement.format(first=first, last=last, account=account_id, start=start, count=texts))
        connection.execute("COMMIT")
    for _, statement in indexes:
        connection.execute(statement)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    return time.perf_counter() - started
