"""Is it a person who follows a link, or a program that looks at it first?

Phones, messengers and mail gateways fetch the links in texts to show a preview or to look for harm. Counted as clicks
they would answer for people. Programs that hide behind a browser's name cannot be told; the ones that say who they are
can.
"""

from __future__ import annotations

import re
from typing import Protocol

_PROGRAMS = (
    r"(?<!cu)bot\b",  # how most fetchers name themselves: Twitterbot, TelegramBot, Googlebot; but Cubot makes phones
    r"crawl",  # likewise
    r"spider",  # likewise
    r"preview",  # BingPreview, SkypeUriPreview and whoever else says what it does
    r"facebookexternalhit",  # Meta's previews; iMessage fetches its own under this name too
    r"facebot",  # likewise
    r"whatsapp/",  # WhatsApp's previews; its in-app browser shows the system's name
    r"linkexpanding",  # Slack's previews, beside "Slackbot"
    r"google-safety",  # looks for harm
    r"googleother",  # Google's fetchers without a product name
    r"snapchat url",  # Snap URL Preview
    r"safelinks|proofpoint|barracuda|mimecast",  # mail gateways that open links before people do
    r"headlesschrome|phantomjs",  # browsers without anybody in front of them
    r"^curl/|^wget/|^python|go-http-client|^java/|okhttp|libwww|axios|node-fetch|^ruby",  # programs' HTTP libraries
)
_PROGRAM = re.compile("|".join(_PROGRAMS), re.IGNORECASE)

_AHEAD = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)
_AHEAD_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""In these a browser says that it fetches before anybody asked; the first is of fetch.spec.whatwg.org."""


class Headers(Protocol):
    """Headers of a request, by name in any case."""

    def get(self, name: str, default: str, /) -> str:
        """Give one, or the default when it was not sent."""
        ...


def is_person(method: str, headers: Headers) -> bool:
    """Tell whether a request for a link comes of somebody's tap, as far as it says.

    Args:
        method: of the request; who asks with HEAD reads nothing.
        headers: its headers.
    """
    agent = headers.get("User-Agent", "")
    if method != "GET" or not agent.strip():  # every browser says its name
        return False
    return not _PROGRAM.search(agent) and not any(_AHEAD.search(headers.get(name, "")) for name in _AHEAD_HEADERS)
