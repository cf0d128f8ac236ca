"""How does something become an issue in Jira, once?

By the REST API v3 of Jira Cloud (developer.atlassian.com/cloud/jira/platform/rest/v3), with a user's API token. Every
issue carries a label with our id, and is looked for by it before it is made.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from connector.adapters.channels.posting import Answer, Poster, raise_for
from connector.errors import ChannelAmbiguousError, ChannelUnavailableError
from connector.ports.channels import Delivery

_LONGEST_SUMMARY = 255  # characters; Jira refuses more
_LONGEST_TEXT = 30_000  # characters; Jira refuses a description of more than 32,767
_INDEXED_WITHIN = timedelta(minutes=1)
"""A search does not see what was made seconds ago: after a lost answer we look again this much later."""

_FIELD = re.compile(r"[A-Za-z0-9_]{1,60}")


class JiraChannel:
    """One project of a Jira site."""

    is_repeatable = True

    def __init__(self, poster: Poster, url: str, user: str, token: str, project: str, issue_type: str = "Task") -> None:
        poster.check(url)
        self._poster, self._url, self._project, self._issue_type = poster, url.rstrip("/"), project, issue_type
        credentials = base64.b64encode(f"{user}:{token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def deliver(self, delivery: Delivery) -> Any:
        """Make an issue, unless there is one with our label."""
        label = f"sms-{delivery.id}"
        if self._exists(label):
            return
        body = json.dumps({"fields": self._fields(delivery, label)}).encode()
        try:
            answer = self._poster.post(f"{self._url}/rest/api/3/issue", body, self._headers)
            raise_for(answer, is_repeatable=False, detail=_fields_named(answer))
        except ChannelAmbiguousError as error:
            raise ChannelAmbiguousError(str(error), status=error.status, retry_after=_INDEXED_WITHIN) from None

    def _exists(self, label: str) -> bool:
        query = urlencode({"jql": f'labels = "{label}"', "fields": "key", "maxResults": 1})
        try:
            answer = self._poster.request("GET", f"{self._url}/rest/api/3/search/jql?{query}", self._headers)
        except ChannelAmbiguousError as error:  # looking does nothing, so nothing is open
            raise ChannelUnavailableError(str(error), status=error.status) from None
        raise_for(answer, is_repeatable=True)
        return bool(_decoded(answer).get("issues"))

    def _fields(self, delivery: Delivery, label: str) -> Mapping[str, Any]:
        return {
            "project": {"key": self._project},
            "issuetype": {"name": self._issue_type},
            "summary": " ".join((delivery.title or delivery.text).split())[:_LONGEST_SUMMARY],
            "description": _document(delivery.text[:_LONGEST_TEXT]),
            "labels": [label],
        }


def _document(text: str) -> Mapping[str, Any]:
    """Write plain text in Atlassian's document format, one paragraph per line."""
    lines = [line for line in text.splitlines() if line.strip()]
    content = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"type": "doc", "version": 1, "content": content}


def _decoded(answer: Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fields_named(answer: Answer) -> str:
    """Give the names of the fields Jira complains about; its sentences may quote our text."""
    errors = _decoded(answer).get("errors")
    names = [name for name in errors if _FIELD.fullmatch(name)] if isinstance(errors, dict) else []
    return ", ".join(sorted(names)[:5])
