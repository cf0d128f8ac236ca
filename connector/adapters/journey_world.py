"""What may a journey's conditions and texts refer to, and what would plausible values of it be?

The names come from the event files, so that one that does not exist is found before a customer could miss it. The
plausible values let the check run every condition and text once: a sum of a text and a number shows, and so does a
text of seven parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.adapters.plausible_values import (
    LONGEST_TIME,
    USUAL_TIME,
    plausible,
    sample_account,
    sample_owner,
    sample_record,
)
from connector.adapters.yaml_file import Document
from connector.domain.compliance import Compliance
from connector.domain.consent import KeywordBook
from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Audience
from connector.ports.channels import ChannelKind

_REPLY, _LONG_REPLY = "Yes please", "Yes please, but not before Thursday, I am away until then. Could you ring me?"


@dataclass(frozen=True, slots=True)
class World:
    """What a journey file is checked against; None means "not known, do not check".

    Attributes:
        templates: sources of all templates by file name under `templates/`.
        templates_dir: how the admin knows that folder.
        windows: names of send windows.
        compliance: hours, caps and consent rules per purpose.
        channels: kinds of channel by the names of `mappings/channels.yaml`.
        audiences: those of `mappings/audiences.yaml` by name.
        routes: names of routes of `mappings/gateways.yaml`.
        journeys: ids of all journey files, those with mistakes included.
        previews: companion files of texts by the text's name, such as `invoice-overdue/first`.
    """

    catalogue: EventCatalogue = field(default_factory=EventCatalogue)
    templates: Mapping[str, str] = field(default_factory=dict)
    templates_dir: str = "templates"
    keywords: KeywordBook | None = None
    windows: frozenset[str] | None = None
    compliance: Compliance | None = None
    channels: Mapping[str, ChannelKind] | None = None
    audiences: Mapping[str, Audience] | None = None
    routes: frozenset[str] | None = None
    journeys: frozenset[str] | None = None
    previews: Mapping[str, Document] = field(default_factory=dict)


def sample_names(
    world: World,
    crm: str | None,
    trigger: str,
    event: str | None,
    variables: Mapping[str, Any],
    *,
    longest: bool = False,
) -> dict[str, Any]:
    """Give every name that a condition or text may use, with a plausible value each.

    `trigger` is the event that starts the journey, `event` the one being looked at (None where there is none), `crm`
    the journey's CRM or None for any, `variables` the values of `vars.*`; `longest` asks for the longest plausible
    values in place of usual ones.
    """
    now = LONGEST_TIME if longest else USUAL_TIME
    names: dict[str, Any] = {
        "contact": {name: plausible(name, longest=longest) for name in world.catalogue.contact_names(crm)},
        "owner": sample_owner(longest=longest),
        "account": sample_account(longest=longest),
        "last_reply": {"text": _LONG_REPLY if longest else _REPLY, "keyword": "YES", "at": now},
        "last_message": {"state": "delivered", "at": now, "sent_at": now},
        "now": now,
        "vars": dict(variables),
    }
    names |= {record: part for record, part in _records(world, crm, trigger, longest).items() if record != "contact"}
    if event is not None:
        seen = _records(world, crm, event, longest)
        names["event"] = {**seen, "name": event, "occurred_at": now, "id": plausible("id", longest=longest)}
    return names


def _records(world: World, crm: str | None, event: str, longest: bool) -> dict[str, dict[str, Any]]:
    found = world.catalogue.records(event, crm)
    return {record: sample_record(reads, record, longest=longest) for record, reads in found.items()}
