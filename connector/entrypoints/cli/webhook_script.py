"""Which script does the body of a webhook make, for a journey that is to be played with it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from connector.domain.event_mapping import EventCatalogue
from connector.domain.journey import Journey
from connector.domain.script import Script, ScriptedEvent
from connector.errors import ConfigurationError
from connector.services.crm_reading import Reading
from connector.services.webhook_trial import understood


def with_webhook(
    script: Script, file: Path, source: str, type_: str, journey: Journey, known: EventCatalogue
) -> Script:
    """Let a script begin with what a webhook says; the contact stays the script's own.

    Raises:
        ConfigurationError: there is no such source, or the webhook does not make the event that starts the journey.
    """
    if source not in known.webhooks.sources:
        there = ", ".join(sorted(known.webhooks.sources)) or "none yet"
        raise ConfigurationError(f"mappings/events/generic.yaml describes no source {source}; there are {there}")
    happening = understood(known, source, type_, file.read_bytes(), script.at)
    wanted = happening.told.get(journey.trigger.event)
    if wanted is None:
        made = ", ".join(happening.told) or happening.useless
        raise ConfigurationError(
            f"{file.name} does not make {journey.trigger.event or 'an event'}, which starts {journey.id}: {made}"
        )
    values = Reading().values(wanted) or {}
    return replace(script, start=ScriptedEvent(timedelta(0), journey.trigger.event, wanted.ref, values))
