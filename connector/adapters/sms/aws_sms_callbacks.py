"""Does this callback come from our topics at AWS, and what does it say?

Sources: docs.aws.amazon.com/sms-voice (example event data, monitoring with EventBridge, two-way SMS payload),
docs.aws.amazon.com/sns (HTTP notification JSON). An event comes as JSON inside the `Message` of an SNS notification;
an EventBridge rule wraps it once more, in `detail`. A notification without its envelope (SNS's raw delivery, an API
destination of EventBridge) carries no signature: there a key in the address takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import structlog

from connector.adapters.sms.aws_sms_codes import EVENTS, error_of, state_of
from connector.adapters.sms.callback_key import check_key
from connector.adapters.sms.reading import e164, json_object, mapping, money, whole_number, words
from connector.adapters.sms.sns_signature import (
    CONFIRMATION,
    NOTIFICATION,
    UNSUBSCRIBED,
    Fetch,
    SNSHost,
    SNSVerifier,
    region_of,
    subscribe_url,
)
from connector.errors import ConfigurationError
from connector.ports.gateway import CallbackRequest, IncomingSMS, StatusReport

ATTEMPT = "attempt_id"
"""The name under which our attempt id travels in `Context`."""

_EXAMPLE = "arn:aws:sns:us-east-1:123456789012:texts"
_CURRENCY = "USD"  # AWS names all prices of texts in it, whatever the account pays in
_STOP_WORDS = frozenset(
    {"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"}
)  # what AWS takes for an opt-out (docs.aws.amazon.com/sms-voice, opt-out lists)

log = structlog.get_logger(__name__)


class AWSCallbacks:
    """Checks and reads what AWS posts to us. Safe to call from many threads.

    Args of the constructor:
        topic_arns: the SNS topics whose messages are believed.
        keys: newest first; one of them is in the address of events that come without an SNS envelope.
        answers_keywords: AWS itself answers STOP and HELP and keeps who said STOP, which it does unless told otherwise.
        fetch: how certificates of SNS are had and subscriptions confirmed.
        now: the time, for the age of messages.

    Raises:
        ConfigurationError: a topic nobody can read, or no way to believe anything.
    """

    def __init__(
        self,
        topic_arns: Sequence[str],
        keys: Sequence[str] = (),
        *,
        answers_keywords: bool = True,
        fetch: Fetch | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not topic_arns and not keys:
            raise ConfigurationError(f"set AWS_SMS_TOPIC_ARNS={_EXAMPLE}, the topics to believe")
        if unreadable := [arn for arn in topic_arns if not region_of(arn)]:
            raise ConfigurationError(f"AWS_SMS_TOPIC_ARNS: {unreadable[0]} is no SNS topic such as {_EXAMPLE}")
        self._keys, self._answers_keywords = tuple(keys), answers_keywords
        self._fetch = fetch or SNSHost()
        self._verifier = SNSVerifier(topic_arns, self._fetch, now)

    def verify(self, request: CallbackRequest) -> None:
        """Check a callback, and confirm the subscription it may ask us to confirm.

        Confirming is a GET of an address in the message, done after everything about the message was checked. It may
        be done twice without harm.

        Raises:
            UnsignedCallbackError: SNS could not be asked for its certificate, or for the confirmation; it comes again.
            SignatureError: not from one of our topics, and without a key of ours.
        """
        envelope = json_object(request.body)
        if "TopicArn" not in envelope and "Signature" not in envelope:
            check_key(request, self._keys)
            return
        self._verifier.verify(envelope)
        kind = envelope.get("Type")
        if kind == CONFIRMATION:
            self._fetch(subscribe_url(envelope))
            log.info("aws-sms.subscribed", topic=words(envelope.get("TopicArn")))
        elif kind == UNSUBSCRIBED:
            log.warning("aws-sms.unsubscribed", topic=words(envelope.get("TopicArn")))

    def read_incoming(self, request: CallbackRequest) -> Sequence[IncomingSMS]:
        """Read what a person wrote to one of our numbers."""
        reply = _event(request)
        message_id, body = words(reply.get("inboundMessageId")), words(reply.get("messageBody"))
        from_, to = words(reply.get("originationNumber")), words(reply.get("destinationNumber"))
        if not message_id or not from_ or not to:
            return ()
        handled = _handled(body) if self._answers_keywords else None
        return (IncomingSMS(message_id, e164(from_), e164(to), body, opt_out_handled=handled),)

    def close(self) -> None:
        """Close the connections."""
        if isinstance(self._fetch, SNSHost):
            self._fetch.close()


def read_status(request: CallbackRequest, attempt_id: str | None) -> Sequence[StatusReport]:
    """Read one event of a text; those of voice and pictures say nothing.

    The attempt is the one in the event's context, which is signed; the URL's only where there is none.
    """
    event = _event(request)
    event_type, message_id = words(event.get("eventType")), words(event.get("messageId"))
    if not message_id or not event_type.startswith("TEXT_"):
        return ()
    price = _price(event)
    code = error_of(event_type)
    return (
        StatusReport(
            provider_message_id=message_id,
            state=state_of(event_type),
            raw_status=event_type,
            attempt_id=words(mapping(event.get("context")).get(ATTEMPT)) or attempt_id,
            error_code=code,
            error_class=EVENTS.class_of(code),
            segments=whole_number(event.get("totalMessageParts")),
            price=price,
            currency=_CURRENCY if price is not None else None,
            carrier=words(event.get("carrierName")) or _network(event),
        ),
    )


def _event(request: CallbackRequest) -> Mapping[str, Any]:
    """Unwrap an event: from an SNS envelope, from an EventBridge event, from both, from neither."""
    body = json_object(request.body)
    if body.get("Type") == NOTIFICATION:
        body = json_object(words(body.get("Message")))
    return mapping(body.get("detail")) if "detail-type" in body else body


def _price(event: Mapping[str, Any]) -> Decimal | None:
    """Add up what AWS charges and what it passes on for the carrier; unknown while the first is."""
    message, carrier = (money(words(event.get(name))) for name in ("totalMessagePrice", "totalCarrierFee"))
    return None if message is None else message + (carrier or 0)


def _network(event: Mapping[str, Any]) -> str | None:
    return words(event.get("mcc")) + words(event.get("mnc")) or None


def _handled(body: str) -> str | None:
    said = body.strip().upper()
    if said in _STOP_WORDS:
        return "STOP"
    return "HELP" if said == "HELP" else None
