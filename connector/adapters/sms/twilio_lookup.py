"""What does Twilio know of a number?

Source: twilio.com/docs/lookup/v2-api and its page on line type intelligence: to whom a number was given out, not
whether its handset is in service. It is billed per number; the answer does not say how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from connector.adapters.http import HTTPClients, translate
from connector.adapters.sms.reading import json_object, mapping, words
from connector.adapters.sms.twilio_codes import LINE_TYPES, NOTHING_KNOWN
from connector.adapters.sms.twilio_resources import code_of, raise_if_refused
from connector.errors import TransientSendError
from connector.ports.number_lookup import LineType, LookupAnswer

LOOKUP_URL = "https://lookups.twilio.com"

_FIELDS = {"Fields": "line_type_intelligence"}


class TwilioLookup:
    """Lookup v2. Safe to call from many threads.

    Args of the constructor:
        url: base URL, without a path; another host than that of messages.
        headers: credentials.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._origin = httpx.URL(url)
        self._clients = HTTPClients(url, headers)

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; exactly one HTTP request.

        Raises:
            SendError: it could not be asked.
        """
        url = self._origin.join(f"/v2/PhoneNumbers/{quote(e164, safe='+')}").copy_merge_params(_FIELDS)
        with self._clients.lend() as client, translate():
            answer = client.get(url)
        if answer.is_client_error and code_of(answer) in NOTHING_KNOWN:
            return LookupAnswer(LineType.UNKNOWN)
        raise_if_refused(answer)
        return _answer(json_object(answer.content))

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()


def _answer(body: Mapping[str, Any]) -> LookupAnswer:
    country = words(body.get("country_code")) or None
    if body.get("valid") is False:
        return LookupAnswer(LineType.INVALID, country=country)
    if "valid" not in body:
        raise TransientSendError("Twilio answered a lookup with a body nobody can read", code="unreadable_answer")
    line = mapping(body.get("line_type_intelligence"))
    network = words(line.get("mobile_country_code")) + words(line.get("mobile_network_code"))
    return LookupAnswer(
        LINE_TYPES.get(words(line.get("type")).lower(), LineType.UNKNOWN),
        country=country,
        carrier=words(line.get("carrier_name")) or network or None,
    )
