"""How does a program hear what became of a text it ordered?

A JSON POST to the address it gave with the order, signed as calls to endpoints are: `X-SMS-Connector-Signature` holds
`v1=` and the hex HMAC-SHA256 of `{timestamp}.{body}`, once for each secret of the account that is valid, with commas
between them, so that a secret is changed without a callback being lost. `X-SMS-Connector-Id` is the same at every try.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from connector.adapters.channels.endpoint import signature
from connector.adapters.channels.posting import Poster, raise_for
from connector.errors import ChannelUnavailableError
from connector.ports.channels import Delivery

_GONE = 410  # the one refusal that a program makes on purpose: never again (RFC 9110, 15.5.11)
_NO_SECRET = timedelta(minutes=10)  # a person has to mend the ledger first


class CallbackChannel:
    """Posts callbacks.

    Args of the constructor:
        secrets: gives an account's valid secrets, newest first.
        now: the present.
    """

    is_repeatable = True

    def __init__(self, poster: Poster, secrets: Callable[[str], Sequence[str]], now: Callable[[], datetime]) -> None:
        self._poster, self._secrets, self._now = poster, secrets, now

    def deliver(self, delivery: Delivery) -> None:
        """Post one callback; what the other side answers beside its status is of no interest.

        Raises:
            ChannelRefusedError: the address may not be called, redirects, or answered 410.
            ChannelUnavailableError: anything else that was no success. A program that is being released answers 404
                or 401 for a while, so that is no reason to give up.
            ChannelAmbiguousError: no trustworthy answer came; harmless to repeat.
        """
        secrets = self._secrets(delivery.account_id)
        if not secrets:
            raise ChannelUnavailableError("the account has no secret to sign it with", retry_after=_NO_SECRET)
        said = {"id": delivery.id, **delivery.data}
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        timestamp = str(int(self._now().timestamp()))
        signatures = ",".join(f"v1={signature(secret.encode(), timestamp, body)}" for secret in secrets)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.id,
            "X-SMS-Connector-Id": delivery.id,
            "X-SMS-Connector-Timestamp": timestamp,
            "X-SMS-Connector-Signature": signatures,
        }
        answer = self._poster.post(delivery.url, body, headers)
        if 400 <= answer.status < 500 and answer.status not in {_GONE, 408, 429}:
            raise ChannelUnavailableError(f"it answered HTTP {answer.status}", status=answer.status)
        raise_for(answer, is_repeatable=True)
