"""How does a Microsoft Teams channel hear of something?

By a workflow that starts "when a Teams webhook request is received" (learn.microsoft.com, "Create incoming webhooks
with Workflows for Microsoft Teams"); it takes an adaptive card. Teams does not know a repeated post.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.adapters.channels.posting import Poster, raise_for
from connector.ports.channels import Delivery

_CARD_VERSION = "1.4"  # the newest that every Teams client shows
_LONGEST_TEXT = 8_000  # characters; the whole post may have 28 kB (learn.microsoft.com, "Rate limiting for bots")


class TeamsChannel:
    """A workflow webhook of one Teams channel."""

    is_repeatable = False

    def __init__(self, poster: Poster, url: str) -> None:
        poster.check(url)
        self._poster, self._url = poster, url

    def deliver(self, delivery: Delivery) -> Any:
        """Post a card with the title in bold and the text below it."""
        body = json.dumps(_post(delivery)).encode()
        answer = self._poster.post(self._url, body, {"Content-Type": "application/json"})
        raise_for(answer, is_repeatable=self.is_repeatable)


def _post(delivery: Delivery) -> Mapping[str, Any]:
    title = " ".join(delivery.title.split())
    lines = [line for line in delivery.text[:_LONGEST_TEXT].splitlines() if line.strip()]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": _CARD_VERSION,
        "body": [*([_block(title, weight="Bolder")] if title else []), *(_block(line) for line in lines)],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _block(text: str, **style: str) -> Mapping[str, Any]:
    """Make a line of text runs, in which Teams reads no Markdown: a value of the CRM makes no links."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
