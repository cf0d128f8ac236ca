"""Who of the people a search found has which value, whoever changed last first?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def by_value(found: Iterable[tuple[str, Mapping[str, str | None]]], name: str, modified: str) -> dict[str, list[str]]:
    """Give ids by the value of the property `name` in small letters; `modified` names the time of the last change."""
    rows = sorted(found, key=lambda row: row[1].get(modified) or "", reverse=True)
    ids: dict[str, list[str]] = {}
    for crm_id, held in rows:
        ids.setdefault((held.get(name) or "").strip().lower(), []).append(crm_id)
    return ids
