"""How does a contact hear from us on WhatsApp?

Through Twilio's Messages API with `whatsapp:` addresses (twilio.com/docs/whatsapp/api). Outside the 24 hours after a
person's last message WhatsApp takes nothing but an approved template, so a channel may name one (`content_sid`), whose
first variable is our text. Twilio does not know a repeated send.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.twilio_codes import ERRORS
from connector.errors import (
    AmbiguousSendError,
    ChannelAmbiguousError,
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
    PermanentSendError,
    SendError,
)
from connector.ports.channels import Delivery

_OUTSIDE_THE_WINDOW = "63016"  # twilio.com/docs/api/errors/63016: freeform message outside the allowed window
_LONGEST_TEXT = 1_600  # characters; Twilio refuses more with error 21617


class WhatsAppChannel:
    """One WhatsApp sender of a Twilio account."""

    is_repeatable = False

    def __init__(self, account_sid: str, auth_token: str, api_url: str, sender: str, content_sid: str = "") -> None:
        self._url = f"{api_url}/2010-04-01/Accounts/{quote(account_sid, safe='')}/Messages.json"
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._clients = HTTPClients(api_url, {"Authorization": f"Basic {credentials}"})
        self._sender, self._content_sid = sender, content_sid

    def deliver(self, delivery: Delivery) -> Any:
        """Send the text to the contact's number."""
        if not delivery.number:
            raise ChannelRefusedError("the contact has no number")
        form = urlencode(self._form(delivery), errors="replace").encode("ascii")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            with self._clients.lend() as client, translate():
                answer = client.post(self._url, content=form, headers=headers)
            _raise_if_refused(answer)
        except SendError as error:
            raise _meaning(error) from None

    def _form(self, delivery: Delivery) -> dict[str, str]:
        form = {"To": f"whatsapp:{delivery.number}", "From": f"whatsapp:{self._sender}"}
        text = delivery.text[:_LONGEST_TEXT]
        if self._content_sid:
            return form | {"ContentSid": self._content_sid, "ContentVariables": json.dumps({"1": text})}
        return form | {"Body": text}


def _raise_if_refused(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise ERRORS.refusal(answer.status_code, _code(answer), retry_after(answer.headers))


def _code(answer: httpx.Response) -> str:
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ""
    return str(body.get("code") or "") if isinstance(body, dict) else ""


def _meaning(error: SendError) -> ChannelError:
    if isinstance(error, PermanentSendError):
        why = ": the person has not written for 24 hours, so it takes an approved template (content_sid)"
        return ChannelRefusedError(f"{error}{why if error.code == _OUTSIDE_THE_WINDOW else ''}")
    if isinstance(error, AmbiguousSendError):
        return ChannelAmbiguousError(str(error))
    return ChannelUnavailableError(str(error), retry_after=error.retry_after)
