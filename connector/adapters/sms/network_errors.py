"""What do the error numbers of a phone network mean, which several gateways hand on as they come?

Source: 3GPP TS 29.002 (MAP), table of error values; the names are those that gateways give them. The classes are our
reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.domain.message import ErrorClass as E

_ERRORS: tuple[tuple[int, str, E], ...] = (
    (1, "EC_UNKNOWN_SUBSCRIBER", E.PERMANENT_NUMBER),  # nobody has this number
    (5, "EC_UNIDENTIFIED_SUBSCRIBER", E.TRANSIENT),  # the exchange lost sight of the handset; comes back
    (6, "EC_ABSENT_SUBSCRIBER_SM", E.TRANSIENT),  # switched off or out of coverage
    (9, "EC_ILLEGAL_SUBSCRIBER", E.PERMANENT_NUMBER),  # failed to authenticate: a dead or copied SIM
    (11, "EC_TELESERVICE_NOT_PROVISIONED", E.PERMANENT_NUMBER),  # no SMS in this contract
    (12, "EC_ILLEGAL_EQUIPMENT", E.UNKNOWN),  # the handset is barred, which says nothing of the number
    (13, "EC_CALL_BARRED", E.TRANSIENT),  # by the operator or the person, who can lift it
    (21, "EC_FACILITY_NOT_SUPPORTED", E.TRANSIENT),  # by the visited network; travellers come home
    (27, "EC_ABSENT_SUBSCRIBER", E.TRANSIENT),
    (31, "EC_SUBSCRIBER_BUSY_FOR_MT_SMS", E.TRANSIENT),  # another text is being delivered
    (32, "EC_SM_DELIVERY_FAILURE", E.TRANSIENT),  # memory full, or an error of the handset
    (33, "EC_MESSAGE_WAITING_LIST_FULL", E.TRANSIENT),
    (34, "EC_SYSTEM_FAILURE", E.TRANSIENT),
    (36, "EC_UNEXPECTED_DATA_VALUE", E.UNKNOWN),
    (71, "EC_UNKNOWN_ALPHABET", E.PERMANENT_CONTENT),
)

BY_NUMBER: Mapping[str, E] = MappingProxyType({str(number): error_class for number, _, error_class in _ERRORS})
"""Our class by the number as text."""

BY_NAME: Mapping[str, E] = MappingProxyType({name: error_class for _, name, error_class in _ERRORS})
"""Our class by the name."""
