"""How is a text put into submit_sm, part after part, and what do the gateway's answers mean?"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from datetime import timedelta

from connector.adapters.smpp import text as texts
from connector.adapters.smpp.frames import Command, Frame, Status
from connector.adapters.smpp.issued import Issued
from connector.adapters.smpp.pdu import Address, MalformedBodyError, ShortMessage, read_message_id
from connector.adapters.smpp.pool import Pool
from connector.adapters.sms.reading import digits
from connector.adapters.sms.smpp_codes import ERRORS, code_of
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.domain.message import ErrorClass
from connector.errors import AmbiguousSendError, PermanentSendError, SendError, TransientSendError
from connector.ports.gateway import OutgoingSMS

VALIDITY = (timedelta(seconds=1), timedelta(days=7))
"""For how long a text may wait: a week at most, since gateways keep nothing longer and some refuse more."""

_INTERNATIONAL, _ALPHANUMERIC, _SHORT_CODE = (1, 1), (5, 0), (3, 0)  # TON and NPI (SMPP 3.4 §5.2.5, §5.2.6)
_LONGEST_SHORT_CODE = 8  # digits; a number with its country code has more
_LONGEST_NAME = 11  # characters of an alphanumeric sender: ten octets of septets (3GPP TS 23.040 §9.1.2.5)
_FINAL_RECEIPT = 1  # registered_delivery: tell us how it ended, well or badly (SMPP 3.4 §5.2.17)
_UNTIL_LET_IN = timedelta(seconds=60)  # until a bind that was refused is tried again
_PASSING = frozenset({ErrorClass.THROTTLED.value, ErrorClass.TRANSIENT.value})


class Submits:
    """Puts texts into parts and submits them. Safe to call from many threads."""

    def __init__(self, options: SMPPOptions) -> None:
        self._options = options
        self._references = itertools.count(random.randrange(256))

    def send(self, pool: Pool, sms: OutgoingSMS) -> list[str]:
        """Submit a text, each part after the one before was taken; give the ids of all parts.

        Raises:
            PermanentSendError, TransientSendError: no part went out.
            AmbiguousSendError: the only part may have gone out, or some parts of a long text have and others not.
        """
        ends = time.monotonic() + pool.settings.timing.parts
        first, *others = self._bodies(sms)
        # A receipt of one part speaks for the text only once all parts are known: it waits until they are recorded.
        attempt_id = "" if others else sms.attempt_id
        ids = [self._submit(pool, first, sms.to, attempt_id)]
        ids.extend(self._follow(pool, body, sms.to, ends) for body in others)
        return ids

    def _bodies(self, sms: OutgoingSMS) -> list[bytes]:
        """Write the submit_sm of each part.

        Raises:
            PermanentSendError: SMPP has no way to say this.
        """
        options, dlt = self._options, sms.dlt
        tlvs = ((options.entity_tag, dlt.entity_id), (options.template_tag, dlt.template_id)) if dlt else ()
        try:
            return [
                ShortMessage(
                    source_of(sms.sender or self._options.sender),
                    Address(digits(sms.to), *_INTERNATIONAL),
                    short_message=part.short_message,
                    data_coding=part.data_coding,
                    esm_class=part.esm_class,
                    registered_delivery=_FINAL_RECEIPT,
                    validity_period=validity_period(sms.valid_for),
                    service_type=options.service_type,
                    tlvs=tuple((tag, value.encode("ascii", "replace")) for tag, value in tlvs if value),
                ).encoded()
                for part in texts.split(sms.body, next(self._references) % 256, options.alphabet)
            ]
        except MalformedBodyError as exc:
            raise PermanentSendError(
                f"cannot be put into SMPP: {exc}", code="malformed", error_class=ErrorClass.SENDER_OR_REGISTRATION
            ) from None
        except ValueError as exc:
            raise PermanentSendError(str(exc), code="too_long", error_class=ErrorClass.PERMANENT_CONTENT) from None

    def _submit(self, pool: Pool, body: bytes, to: str, attempt_id: str) -> str:
        """Submit one part; give its id.

        Raises:
            PermanentSendError, TransientSendError, AmbiguousSendError: of this part.
        """
        ids = self._options.receipt_ids

        def note(answer: Frame) -> None:
            """Remember the id, also when the answer comes too late for whoever asked."""
            message_id = _id_in(answer)
            if message_id is not None:
                pool.issued.note(digits(to), Issued(ids.of_answer(message_id), attempt_id))

        answer = asked(pool, Command.SUBMIT_SM, body, note)
        message_id = _id_in(answer)
        if message_id is None:
            raise AmbiguousSendError(
                "the gateway took the text and gave an id nobody can read",
                code="unreadable_answer",
                error_class=ErrorClass.UNKNOWN,
            )
        return ids.of_answer(message_id)

    def _follow(self, pool: Pool, body: bytes, to: str, ends: float) -> str:
        """Submit a further part, as often as it takes while it certainly does not go out and there is time.

        Raises:
            AmbiguousSendError: whatever it was: the parts before are out.
        """
        why = TransientSendError("no time is left for the others", code="no_time", error_class=ErrorClass.TRANSIENT)
        while time.monotonic() <= ends:
            try:
                return self._submit(pool, body, to, "")
            except SendError as error:
                if not isinstance(error, TransientSendError) or error.error_class not in _PASSING:
                    raise _halfway(error) from error
                why = error
            pool.rest()
        raise _halfway(why)


def source_of(sender: str | None) -> Address:
    """Give a sender with its kind: full number, short code or name; none lets the gateway choose.

    Raises:
        MalformedBodyError: a name no handset could show.
    """
    if not sender:
        return Address("")
    bare = digits(sender)
    if bare.isascii() and bare.isdecimal():
        return Address(bare, *(_SHORT_CODE if len(bare) <= _LONGEST_SHORT_CODE else _INTERNATIONAL))
    if len(sender) > _LONGEST_NAME:
        raise MalformedBodyError("source_addr is a name of more than eleven characters")
    return Address(sender, *_ALPHANUMERIC)


def validity_period(valid_for: timedelta | None) -> str:
    """Write for how long a text may wait, as SMPP 3.4 §7.1.1.2 has it: `YYMMDDhhmmss000R`; empty for no limit."""
    if valid_for is None:
        return ""
    shortest, longest = VALIDITY
    minutes, seconds = divmod(int(min(max(valid_for, shortest), longest).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def asked(pool: Pool, command: Command, body: bytes, note: Callable[[Frame], None]) -> Frame:
    """Ask, and turn a refusal into its error; one to bind is a refusal too.

    Raises:
        PermanentSendError, TransientSendError: refused, or certainly not asked.
        AmbiguousSendError: no answer can be trusted.
    """
    try:
        answer = pool.ask(command, body, note)
    except TransientSendError as error:
        kind, _, code = error.code.partition(" ")
        raise (_unbound(code) if kind == "bind" else error) from None
    if answer.status == Status.OK and answer.command != Command.GENERIC_NACK:
        return answer
    pauses = [status.pause for status in pool.status().binds if status.pause]
    throttled = ERRORS.class_of(code_of(answer.status)) is ErrorClass.THROTTLED
    raise ERRORS.failure(code_of(answer.status), timedelta(seconds=min(pauses)) if pauses and throttled else None)


def _unbound(code: str) -> TransientSendError:
    """Give the error for texts while no bind is let in: whatever the code, they are not to blame, and wait."""
    found = ERRORS.class_of(code)
    error_class = found if found is ErrorClass.TRANSIENT or found is ErrorClass.THROTTLED else ErrorClass.CONFIG
    message = f"the SMPP gateway refuses the bind, code {code}"
    return TransientSendError(message, code=code, error_class=error_class, retry_after=_UNTIL_LET_IN)


def _id_in(answer: Frame) -> str | None:
    if answer.status != Status.OK or answer.command == Command.GENERIC_NACK:
        return None
    try:
        return read_message_id(answer.body)
    except MalformedBodyError:
        return None


def _halfway(error: SendError) -> AmbiguousSendError:
    return AmbiguousSendError(
        f"some parts of the text are out, then: {error}", code=error.code, error_class=error.error_class
    )
