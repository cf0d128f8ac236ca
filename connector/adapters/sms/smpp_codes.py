"""What do the statuses, states and errors of SMPP gateways mean in our words?

Sources: SMPP 3.4 §5.1.3 (command_status), §5.2.28 (message_state), appendix B (words of receipts); SMPP 5.0 for the
two states it added. The classes are our reading. Vendors have codes of their own from 0x400 on: `unknown`, and
not final.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "SCHEDLD": S.ACCEPTED,
        "ENROUTE": S.SENT,
        "ACCEPTD": S.SENT,  # called final, but proves nothing about the handset
        "DELIVRD": S.DELIVERED,
        "UNDELIV": S.UNDELIVERED,
        "REJECTD": S.FAILED,
        "DELETED": S.FAILED,
        "EXPIRED": S.EXPIRED,
        "UNKNOWN": S.UNKNOWN,
        "SKIPPED": S.UNKNOWN,
        # the same words as vendors write them out
        "SCHEDULED": S.ACCEPTED,
        "BUFFERED": S.SENT,
        "ACCEPTED": S.SENT,
        "DELIVERED": S.DELIVERED,
        "UNDELIVERED": S.UNDELIVERED,
        "UNDELIVERABLE": S.UNDELIVERED,
        "FAILED": S.UNDELIVERED,
        "REJECTED": S.FAILED,
    }
)
"""States of message_state and words of receipts; any other is unknown."""

ERROR_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "0x01": E.PERMANENT_CONTENT,  # ESME_RINVMSGLEN
        "0x03": E.CONFIG,  # ESME_RINVCMDID: the gateway does not know this operation
        "0x04": E.TRANSIENT,  # ESME_RINVBNDSTS: it takes us for not bound
        "0x05": E.TRANSIENT,  # ESME_RALYBND
        "0x06": E.CONFIG,  # ESME_RINVPRTFLG
        "0x07": E.CONFIG,  # ESME_RINVREGDLVFLG
        "0x08": E.TRANSIENT,  # ESME_RSYSERR
        "0x0A": E.SENDER_OR_REGISTRATION,  # ESME_RINVSRCADR
        "0x0B": E.PERMANENT_NUMBER,  # ESME_RINVDSTADR
        "0x0C": E.UNKNOWN,  # ESME_RINVMSGID: of query_sm
        "0x0D": E.CONFIG,  # ESME_RBINDFAIL
        "0x0E": E.CONFIG,  # ESME_RINVPASWD
        "0x0F": E.CONFIG,  # ESME_RINVSYSID
        "0x14": E.THROTTLED,  # ESME_RMSGQFUL
        "0x15": E.CONFIG,  # ESME_RINVSERTYP
        "0x43": E.CONFIG,  # ESME_RINVESMCLASS: no user data headers here
        "0x45": E.UNKNOWN,  # ESME_RSUBMITFAIL: what failed is not told
        "0x48": E.SENDER_OR_REGISTRATION,  # ESME_RINVSRCTON
        "0x49": E.SENDER_OR_REGISTRATION,  # ESME_RINVSRCNPI
        "0x50": E.CONFIG,  # ESME_RINVDSTTON: ours is always international
        "0x51": E.CONFIG,  # ESME_RINVDSTNPI
        "0x53": E.CONFIG,  # ESME_RINVSYSTYP
        "0x58": E.THROTTLED,  # ESME_RTHROTTLED
        "0x61": E.CONFIG,  # ESME_RINVSCHED
        "0x62": E.CONFIG,  # ESME_RINVEXPIRY: it does not take relative validity periods
        "0x64": E.TRANSIENT,  # ESME_RX_T_APPN
        "0x65": E.UNKNOWN,  # ESME_RX_P_APPN
        "0x66": E.UNKNOWN,  # ESME_RX_R_APPN
        "0x67": E.UNKNOWN,  # ESME_RQUERYFAIL
        "0xC0": E.CONFIG,  # ESME_RINVOPTPARSTREAM
        "0xC1": E.CONFIG,  # ESME_ROPTPARNOTALLWD
        "0xC2": E.CONFIG,  # ESME_RINVPARLEN
        "0xC3": E.SENDER_OR_REGISTRATION,  # ESME_RMISSINGOPTPARAM: the registration that Indian operators want
        "0xC4": E.SENDER_OR_REGISTRATION,  # ESME_RINVOPTPARAMVAL: it is not theirs
        "0xFE": E.UNKNOWN,  # ESME_RDELIVERYFAILURE
        "0xFF": E.UNKNOWN,  # ESME_RUNKNOWNERR
    }
)
"""Statuses of answers, as `code_of` writes them."""

ERRORS = ErrorTable("the SMPP gateway", ERROR_CLASSES, is_partial=True)
"""What refusals mean."""


def code_of(status: int) -> str:
    """Write a command status as operators and specifications do: `0x0B`."""
    return f"0x{status:02X}"


def state_of(stat: str) -> S:
    """Give the state for a receipt's word; vendors shorten the long ones to seven letters, or do not."""
    word = stat.upper()
    return STATES.get(word) or STATES.get(word[:7], S.UNKNOWN)
