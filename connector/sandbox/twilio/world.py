"""What does the pretend Twilio account hold: messages, senders, phones, opt-outs?"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.agenda import Later
from connector.sandbox.gateways.courier import Callback, CallbackResult
from connector.sandbox.gateways.exchange import Exchange
from connector.sandbox.gateways.prices import price_of
from connector.sandbox.gateways.receipts import FailureCodes, Pace, Stage, heard
from connector.sandbox.gateways.segments import count_segments
from connector.sandbox.gateways.skin import Call, Calls
from connector.sandbox.twilio import callbacks
from connector.sandbox.twilio.forms import inbound_form, status_form
from connector.sandbox.twilio.keywords import ANSWERS, opt_out_type
from connector.sandbox.twilio.lookup import Line
from connector.sandbox.twilio.messages import CANCELABLE, Message
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.twiml import NotTwiMLError, texts
from connector.sandbox.twilio.validation import KNOWN_FIELDS, check_send, schedule_delay

CODES = FailureCodes(unreachable=30003, blocked=30004, failed=30008, expired=30036, expired_as="undelivered")
NO_ANSWER, NOT_TWIML = 11200, 12100  # in the vendor's debugger


@dataclass
class MessagingService:
    """A pool of senders; an opt-out from one is an opt-out from all."""

    sid: str
    senders: list[str] = field(default_factory=list)


class TwilioWorld(Exchange[Message]):
    """One account; see `Exchange` for phones, receipts, outages and counts.

    `advanced_opt_out`: STOP and its kin block the pair, the gateway answers them itself, and the inbound webhook
    carries `OptOutType`. `default_opt_out`: the same without `OptOutType`. Neither: the receiver must see to it.
    `body_prefix` is put before every body, as trial accounts have it.
    `alerts` are the vendor's debugger entries: (code, what). `lines` are what the lookup knows of numbers.
    """

    def __init__(
        self,
        clock: SandboxClock,
        account_sid: str,
        auth_token: str,
        *,
        inbound_url: str | None = None,
        pace: Pace | None = None,
        advanced_opt_out: bool = False,
        default_opt_out: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(clock, CODES, pace, seed)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.api_keys: dict[str, str] = {}
        self.inbound_url = inbound_url
        self.advanced_opt_out = advanced_opt_out
        self.default_opt_out = default_opt_out
        # Parameters are added without notice: a receiver that signs only over those it knows must fail here.
        self.extra_callback_params = {"SandboxUnannounced": "yes"}
        self.max_concurrent: int | None = None
        self.body_prefix = ""
        self.senders: dict[str, str | None] = {}
        self.services: dict[str, MessagingService] = {}
        self.opt_outs: set[tuple[str, str]] = set()
        self.lines: dict[str, Line] = {}
        self.unknown_fields: Counter[str] = Counter()  # tolerated as the vendor does, but not unseen
        self.alerts: deque[tuple[int, str]] = deque(maxlen=1000)

    # -- the account's set-up

    def add_sender(self, sender: str, inbound_url: str | None = None) -> None:
        """A number, short code or sender id of the account; without a URL of its own the account's is used."""
        self.senders[sender] = inbound_url

    def add_service(self, *senders: str, sid: str | None = None) -> MessagingService:
        """A messaging service over `senders`, which are added to the account if need be."""
        service = MessagingService(sid or "MG" + uuid4().hex, list(senders))
        for sender in senders:
            self.senders.setdefault(sender, None)
        self.services[service.sid] = service
        return service

    # -- what the API does

    def create(self, form: Mapping[str, str]) -> Message:
        """Take a message or raise RefusalError; its way to the handset is on the agenda when this returns."""
        check_send(form)
        with self._lock:
            sender, service = self._sender_of(form)
            if (service.sid if service else sender, form["To"]) in self.opt_outs:
                raise RefusalError(21610)
            delay = schedule_delay(form, self.clock.now())
            status = "scheduled" if delay else "accepted" if service else "queued"
            message = self._new_message(
                form["To"], sender, self.body_prefix + form.get("Body", ""), "outbound-api", status
            )
            message.service_sid = service.sid if service else None
            message.callback_url = form.get("StatusCallback")
            if "ValidityPeriod" in form:
                message.valid_for = timedelta(seconds=int(form["ValidityPeriod"]))
            message.form = dict(form)
            self.unknown_fields.update(form.keys() - KNOWN_FIELDS)
            self._set_out(message, delay)
            return message

    def fetch(self, sid: str) -> Message:
        """One message; 20404 when there is none."""
        try:
            return self._messages[sid]
        except KeyError:
            raise RefusalError(20404) from None

    def cancel(self, sid: str) -> Message:
        """Stop a message that has not left; 30409 when it has."""
        with self._lock:
            message = self.fetch(sid)
            if message.status not in CANCELABLE:
                raise RefusalError(30409)
            self.move(sid, heard(Stage("canceled", timedelta())), self.clock.now())
            return message

    def redact(self, sid: str) -> Message:
        """Empty the body of a finished message."""
        with self._lock:
            message = self._finished(sid)
            message.body = ""
            self.version += 1
            return message

    def delete(self, sid: str) -> None:
        """Forget a finished message."""
        with self._lock:
            message = self._finished(sid)
            del self._messages[sid]
            for number in {message.to, message.sender}:
                self._by_number[number].remove(message)
            self.version += 1

    # -- what happens by itself

    def charge(self, sid: str) -> None:
        """Let the price of a message be known; what never left costs nothing."""
        with self._lock:
            message = self._messages.get(sid)
            if message is None or message.status in {"failed", "canceled"}:
                return
            message.price = -price_of(message)
            self.version += 1

    def reply(self, from_: str, to: str, body: str) -> Message:
        """A person writes `body` from the phone `from_` to the account's number `to`."""
        if to not in self.senders:
            raise RefusalError(21606, "no such number in this account")
        with self._lock:
            self.add_handset(from_)
            message = self._new_message(to, from_, body, "inbound", "received")
            message.service_sid = self._service_of(to)
            keyword = opt_out_type(body) if self.advanced_opt_out or self.default_opt_out else None
            self._heed(keyword, message)
            url = self.senders[to] or self.inbound_url
            if url is not None:
                form = inbound_form(message, keyword if self.advanced_opt_out else None)
                self._notify("inbound", message, callbacks.form_call(url, form), [message.created_at])
            return message

    def send_back(self, inbound: Message, body: str, direction: str = "outbound-reply") -> Message:
        """A text the gateway sends in answer to `inbound`, without a status callback."""
        with self._lock:
            message = self._new_message(inbound.sender, inbound.to, body, direction, "queued")
            self._set_out(message)
            return message

    def signed(self, callback: Callback, tries: int, at: datetime) -> Call:  # noqa: ARG002 - carries no time
        """The callback with its signature and idempotency token."""
        return callbacks.signed(callback, self.auth_token, tries)

    def retry_after(self, result: CallbackResult, tries: int) -> timedelta | None:
        """What the URL's fragment asks for."""
        return callbacks.retry_after(result, tries)

    def taken(self, result: CallbackResult) -> None:
        """Send back what the receiver of an inbound message answered."""
        inbound = self._messages.get(result.callback.message_id)
        if result.callback.kind != "inbound" or inbound is None:
            return
        try:
            bodies = texts(result.body, result.content_type)
        except NotTwiMLError as error:
            self.alerts.append((NOT_TWIML, str(error)))
            return
        for body in bodies:
            self.send_back(inbound, body)

    def gave_up(self, result: CallbackResult) -> None:
        """Raise an alert."""
        self.alerts.append((NO_ANSWER, f"{result.call.url} answered {result.status or result.error}"))

    # -- inside

    def _sender_of(self, form: Mapping[str, str]) -> tuple[str, MessagingService | None]:
        sender, service_sid = form.get("From", ""), form.get("MessagingServiceSid")
        if not service_sid:
            if sender not in self.senders:
                raise RefusalError(21606)
            return sender, None
        if service_sid not in self.services:
            raise RefusalError(21701)
        service = self.services[service_sid]
        if sender and sender not in service.senders:
            raise RefusalError(21606, "not in the messaging service")
        return sender or service.senders[0], service

    def _service_of(self, sender: str) -> str | None:
        return next((service.sid for service in self.services.values() if sender in service.senders), None)

    def _new_message(self, to: str, sender: str, body: str, direction: str, status: str) -> Message:
        now = self.clock.now()
        message = Message("SM" + uuid4().hex, to, sender, body, status, count_segments(body), now, now)
        message.account_sid, message.direction = self.account_sid, direction
        message.is_inbound = direction == "inbound"
        return self._keep(message)

    def _set_out(self, message: Message, delay: timedelta = timedelta()) -> None:
        before = [heard(Stage("queued", timedelta()))] if message.status in {"accepted", "scheduled"} else []
        self._plan(message, delay, before)
        priced_at = message.created_at + delay + timedelta(seconds=self.pace.priced)
        self.agenda.put(priced_at, Later(lambda _: self.charge(message.sid)))

    def _status_calls(self, message: Message, stage: Stage, at: datetime) -> Calls:  # noqa: ARG002 - it has moved
        form = status_form(message, at) | self.extra_callback_params
        return callbacks.form_call(message.callback_url or "", form)

    def _heed(self, keyword: str | None, inbound: Message) -> None:
        pair = (inbound.service_sid or inbound.to, inbound.sender)
        if keyword == "STOP":
            self.opt_outs.add(pair)
        elif keyword == "START" and pair not in self.opt_outs:
            return  # YES from somebody who never left is an ordinary word
        elif keyword == "START":
            self.opt_outs.discard(pair)
        if keyword is not None:
            self.send_back(inbound, ANSWERS[keyword])

    def _finished(self, sid: str) -> Message:
        message = self.fetch(sid)
        if not message.is_final:
            raise RefusalError(20009)
        return message
