"""What does Vonage know of a number?

Source: developer.vonage.com/api/number-insight, the standard level: line type and carrier, not whether the handset is
in service. It is asked by POST, which keeps number and secret out of addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.reading import digits, json_object, mapping, money, words
from connector.adapters.sms.vonage_codes import LINE_TYPES, LOOKUP_ERRORS
from connector.errors import TransientSendError
from connector.ports.number_lookup import LineType, LookupAnswer

_PATH = "/ni/standard/json"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_NO_SUCH_NUMBER = "3"
_ANSWERED = frozenset({"0", "43", "44", "45"})  # 43 to 45: parts of the answer are missing


class VonageLookup:
    """Number insights. Safe to call from many threads.

    Args of the constructor:
        clients: to the API at `api_url`.
        credentials: `api_key` and `api_secret`.
        currency: what the account is billed in.
    """

    def __init__(self, clients: HTTPClients, api_url: str, credentials: Mapping[str, str], currency: str) -> None:
        self._clients = clients
        self._url = httpx.URL(api_url).join(_PATH)
        self._credentials = dict(credentials)
        self._currency = currency

    def look_up(self, e164: str) -> LookupAnswer:
        """Ask about one number; exactly one HTTP request.

        Raises:
            SendError: it could not be asked.
        """
        form = urlencode({**self._credentials, "number": digits(e164)}).encode()
        with self._clients.lend() as client, translate():
            answer = client.post(self._url, content=form, headers=_FORM)
        if not answer.is_success:
            raise LOOKUP_ERRORS.refusal(answer.status_code, "", retry_after(answer.headers))
        insight = json_object(answer.content)
        status = words(insight.get("status"))
        if status == _NO_SUCH_NUMBER:
            return LookupAnswer(LineType.INVALID)
        if not status:
            raise TransientSendError("Vonage answered a lookup with a body nobody can read", code="unreadable_answer")
        if status not in _ANSWERED:
            raise LOOKUP_ERRORS.failure(status)
        return self._answer(insight)

    def _answer(self, insight: Mapping[str, Any]) -> LookupAnswer:
        carrier, price = mapping(insight.get("current_carrier")), money(words(insight.get("request_price")))
        return LookupAnswer(
            LINE_TYPES.get(words(carrier.get("network_type")).lower(), LineType.UNKNOWN),
            country=words(insight.get("country_code")) or None,
            carrier=words(carrier.get("name")) or words(carrier.get("network_code")) or None,
            price=price,
            currency=self._currency if price is not None else None,
        )
