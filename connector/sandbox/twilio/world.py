"""What does the pretend Twilio account hold: messages, senders, phones, opt-outs?"""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from connector.sandbox.clock import SandboxClock
from connector.sandbox.twilio.agenda import Agenda, Charge, Move, Notify
from connector.sandbox.twilio.callbacks import Callback
from connector.sandbox.twilio.forms import inbound_form, status_form
from connector.sandbox.twilio.handsets import Handset, is_on_screen
from connector.sandbox.twilio.keywords import ANSWERS, opt_out_type
from connector.sandbox.twilio.messages import CANCELABLE, FINAL, Message
from connector.sandbox.twilio.receipts import Oddities, Oddity, Pace, Stage, refused
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.segments import count_segments
from connector.sandbox.twilio.validation import KNOWN_FIELDS, check_send, schedule_delay

# Per segment in US dollars, near the vendor's list prices of 2026; the last one stands for everywhere else.
PRICES = (("+1", Decimal("0.00830")), ("+44", Decimal("0.04630")), ("", Decimal("0.07500")))


@dataclass
class MessagingService:
    """A pool of senders; an opt-out from one is an opt-out from all."""

    sid: str
    senders: list[str] = field(default_factory=list)


class TwilioWorld:
    """One account. Thread-safe; time is the sandbox's.

    `advanced_opt_out`: STOP and its kin block the pair, the gateway answers them itself, and the inbound webhook
    carries `OptOutType`. `default_opt_out`: the same without `OptOutType`. Neither: the receiver must see to it.
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
        self.clock = clock
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.api_keys: dict[str, str] = {}
        self.inbound_url = inbound_url
        self.pace = pace or Pace()
        self.advanced_opt_out = advanced_opt_out
        self.default_opt_out = default_opt_out
        # Parameters are added without notice: a receiver that signs only over those it knows must fail here.
        self.extra_callback_params = {"SandboxUnannounced": "yes"}
        self.max_concurrent: int | None = None
        self.senders: dict[str, str | None] = {}
        self.services: dict[str, MessagingService] = {}
        self.handsets: dict[str, Handset] = {}
        self.opt_outs: set[tuple[str, str]] = set()
        self.receipts = Oddities()
        self.agenda = Agenda()
        self.calls: Counter[str] = Counter()
        self.unknown_fields: Counter[str] = Counter()  # tolerated as the vendor does, but not unseen
        self.version = 0
        self._messages: dict[str, Message] = {}
        self._by_number: dict[str, list[Message]] = {}
        self._chance = random.Random(seed)
        self._lock = threading.RLock()

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

    def add_handset(self, number: str, name: str = "") -> Handset:
        """A phone with a name on it. Other numbers get a phone when the first text is sent to them."""
        with self._lock:
            handset = self.handsets.setdefault(number, Handset(number))
            handset.name = name or handset.name
            self._changed()
            return handset

    def switch_handset(self, number: str, is_on: bool) -> None:
        """Turn a phone on or off."""
        self.add_handset(number).is_on = is_on
        self._changed()

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
            message = self._new_message(form["To"], sender, form.get("Body", ""), "outbound-api", status)
            message.service_sid = service.sid if service else None
            message.status_callback = form.get("StatusCallback")
            message.validity_seconds = int(form.get("ValidityPeriod", message.validity_seconds))
            message.form = dict(form)
            self.unknown_fields.update(form.keys() - KNOWN_FIELDS)
            self._plan(message, delay)
            return message

    def fetch(self, sid: str) -> Message:
        """One message; 20404 when there is none."""
        try:
            return self._messages[sid]
        except KeyError:
            raise RefusalError(20404) from None

    def messages(self, number: str | None = None) -> list[Message]:
        """All messages, or those to or from `number`, oldest first."""
        with self._lock:
            found = self._messages.values() if number is None else self._by_number.get(number, [])
            return list(found)

    def conversation(self, number: str) -> list[Message]:
        """What the phone of `number` shows, in the order it got there."""
        shown = [message for message in self.messages(number) if is_on_screen(message)]
        return sorted(shown, key=lambda message: message.arrived_at or message.created_at)

    def cancel(self, sid: str) -> Message:
        """Stop a message that has not left; 30409 when it has."""
        with self._lock:
            message = self.fetch(sid)
            if message.status not in CANCELABLE:
                raise RefusalError(30409)
            self.move(sid, Stage("canceled", timedelta(), None, (timedelta(),)), self.clock.now())
            return message

    def redact(self, sid: str) -> Message:
        """Empty the body of a finished message."""
        with self._lock:
            message = self._finished(sid)
            message.body = ""
            self._changed()
            return message

    def delete(self, sid: str) -> None:
        """Forget a finished message."""
        with self._lock:
            message = self._finished(sid)
            del self._messages[sid]
            for number in {message.to, message.from_ or ""} & self._by_number.keys():
                self._by_number[number].remove(message)
            self._changed()

    # -- what happens by itself

    def move(self, sid: str, stage: Stage, at: datetime) -> None:
        """Let a message reach `stage`, and put the callbacks about it on the agenda."""
        with self._lock:
            message = self._messages.get(sid)
            if message is None or message.status in FINAL:
                return
            message.status, message.updated_at = stage.status, at
            message.error_code = stage.error_code
            if stage.status in {"sent", "delivered"}:
                message.sent_at = message.sent_at or at
            if stage.status == "delivered":
                message.arrived_at = at
            self._announce(message, stage, at)
            self._changed()

    def charge(self, sid: str) -> None:
        """Let the price of a message be known; what never left costs nothing."""
        with self._lock:
            message = self._messages.get(sid)
            if message is None or message.status in {"failed", "canceled"}:
                return
            each = next(price for prefix, price in PRICES if message.to.startswith(prefix))
            message.price = str(-each * message.num_segments)
            self._changed()

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
                self.agenda.put(message.created_at, Notify(Callback("inbound", url, form)))
            return message

    def send_back(self, inbound: Message, body: str, direction: str = "outbound-reply") -> Message:
        """A text the gateway sends in answer to `inbound`, without a status callback."""
        with self._lock:
            message = self._new_message(inbound.from_ or "", inbound.to, body, direction, "queued")
            self._plan(message, timedelta())
            return message

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

    def _new_message(self, to: str, from_: str, body: str, direction: str, status: str) -> Message:
        now = self.clock.now()
        sid, segments = "SM" + uuid4().hex, count_segments(body)
        message = Message(sid, self.account_sid, to, from_, body, direction, status, segments, now, now)
        self._messages[sid] = message
        for number in {to, from_}:
            self._by_number.setdefault(number, []).append(message)
        self._changed()
        return message

    def _plan(self, message: Message, delay: timedelta) -> None:
        handset = self.add_handset(message.to)
        stages = self.pace.stages(self._chance)
        if message.status in {"accepted", "scheduled"}:
            stages.insert(0, Stage("queued", timedelta(), None, (timedelta(),)))
        if handset.refusal:
            stages = refused(stages, handset.refusal)
        if delay:
            stages = Oddity("held", {"seconds": delay.total_seconds()}).bend(stages, timedelta.max)
        for oddity in self.receipts.take():
            stages = oddity.bend(stages, timedelta(seconds=message.validity_seconds))
        for stage in stages:
            self.agenda.put(message.created_at + stage.after, Move(message.sid, stage))
        self.agenda.put(message.created_at + delay + timedelta(seconds=self.pace.priced), Charge(message.sid))

    def _announce(self, message: Message, stage: Stage, at: datetime) -> None:
        if message.status_callback is None:
            return
        form = status_form(message, at) | self.extra_callback_params
        for call in stage.callbacks:
            callback = Callback("status", message.status_callback, form)
            self.agenda.put(at + max(call - stage.after, timedelta()), Notify(callback))

    def _heed(self, keyword: str | None, inbound: Message) -> None:
        pair = (inbound.service_sid or inbound.to, inbound.from_ or "")
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
        if message.status not in FINAL:
            raise RefusalError(20009)
        return message

    def _changed(self) -> None:
        self.version += 1
