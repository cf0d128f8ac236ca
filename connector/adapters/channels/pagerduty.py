"""How does PagerDuty hear of something that somebody must look at now?

By its Events API v2 (developer.pagerduty.com, "Send an Alert Event"). Our id is the `dedup_key`: a repeated event joins
the alert that is open.
"""

from __future__ import annotations

import json
from typing import Any

from connector.adapters.channels.posting import Poster, raise_for
from connector.ports.channels import Delivery

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
"""Of the US service region; accounts of the European one give `https://events.eu.pagerduty.com/v2/enqueue`."""

SEVERITIES = frozenset({"critical", "error", "warning", "info"})
_LONGEST_SUMMARY = 1_024  # characters; PagerDuty cuts there


class PagerDutyChannel:
    """One integration of one PagerDuty service."""

    is_repeatable = True

    def __init__(self, poster: Poster, routing_key: str, severity: str = "error", url: str = EVENTS_URL) -> None:
        poster.check(url)
        self._poster, self._routing_key, self._severity, self._url = poster, routing_key, severity, url

    def deliver(self, delivery: Delivery) -> Any:
        """Trigger an alert."""
        summary = " ".join((delivery.title or delivery.text).split())
        event = {
            "routing_key": self._routing_key,
            "event_action": "trigger",
            "dedup_key": delivery.id,
            "payload": {
                "summary": summary[:_LONGEST_SUMMARY],
                "source": "sms-connector",
                "severity": self._severity,
                "custom_details": {"text": delivery.text},
            },
        }
        answer = self._poster.post(self._url, json.dumps(event).encode(), {"Content-Type": "application/json"})
        raise_for(answer, is_repeatable=self.is_repeatable)
