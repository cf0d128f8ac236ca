"""How does a Slack channel hear of something?

By an incoming webhook (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). Slack does not know a
repeated post, so one that may have arrived is not posted again.
"""

from __future__ import annotations

import json
import re
from typing import Any

from connector.adapters.channels.posting import Poster, raise_for
from connector.ports.channels import Delivery

_LONGEST_TEXT = 4_000  # Slack's own advice for a message (docs.slack.dev: chat.postMessage, "Truncating content")
_ERROR_WORD = re.compile(rb"[a-z_]{3,60}")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SlackChannel:
    """An incoming webhook of one Slack channel."""

    is_repeatable = False

    def __init__(self, poster: Poster, url: str) -> None:
        poster.check(url)
        self._poster, self._url = poster, url

    def deliver(self, delivery: Delivery) -> Any:
        """Post the title in bold and the text below it."""
        title, text = _escaped(" ".join(delivery.title.split())), _escaped(delivery.text)
        said = "\n".join(filter(None, (f"*{title}*" if title else "", text)))
        body = json.dumps({"text": said[:_LONGEST_TEXT]}).encode()
        answer = self._poster.post(self._url, body, {"Content-Type": "application/json"})
        word = answer.body.decode() if _ERROR_WORD.fullmatch(answer.body) else ""
        raise_for(answer, is_repeatable=self.is_repeatable, detail=word)


def _escaped(text: str) -> str:
    """Keep a value of the CRM from mentioning people or making links (docs.slack.dev: "Escaping text")."""
    return text.translate(_ESCAPES)
