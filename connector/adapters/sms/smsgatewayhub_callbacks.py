"""What does a push of SMS Gateway Hub say?

The vendor signs nothing, so its callbacks are known by a key in the address (`callback_key`). One JSON object per push,
`type` being `dlr` for a receipt or `inbound` for a text somebody wrote; it may push both to every address it was given,
so each of ours takes what is meant for it and leaves the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector.adapters.sms.reading import e164, json_object, mapping, words
from connector.adapters.sms.smsgatewayhub_codes import state_of
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

_NATIONAL = re.compile(r"0?([6-9]\d{9})")
"""An Indian mobile number without its country code (numbering plan of the DoT). Taken for a full number, it would
belong to another country, and a STOP with it to nobody."""


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read a receipt. Our attempt id may be in its metadata, else it is `attempt_id`."""
    push = json_object(request.body)
    message_id, status = words(push.get("message_id")), words(push.get("status"))
    if words(push.get("type")).lower() != "dlr" or not message_id or not status:
        return ()
    ours = words(_metadata(push).get("attempt_id")) or attempt_id
    return (StatusReport(message_id, state_of(status), status, attempt_id=ours),)


def read_incoming(request: CallbackRequest) -> Sequence[IncomingSMS]:
    """Read a text somebody wrote; it may be empty."""
    push = json_object(request.body)
    message_id, from_, to = (words(push.get(name)).strip() for name in ("message_id", "from", "to"))
    if words(push.get("type")).lower() != "inbound" or not (message_id and from_ and to):
        return ()
    return (IncomingSMS(message_id, _full(from_), _full(to), words(push.get("text"))),)


def _metadata(push: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the metadata, an object or an object written as text."""
    given = push.get("metadata")
    return json_object(given) if isinstance(given, str) else mapping(given)


def _full(number: str) -> str:
    national = _NATIONAL.fullmatch(number)
    return f"+91{national[1]}" if national else e164(number)
