"""What do Telesign's status and error codes mean in our words?

Source: developer.telesign.com/enterprise/docs/all-status-and-error-codes; the classes are our reading. Status codes
have three digits and tell a text's fate; error codes have five, with or without a minus (older products), and say
why a request was not processed. Telesign asks to go by them and not by the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.adapters.sms.error_table import ErrorTable
from connector.domain.message import ErrorClass as E
from connector.domain.message import MessageState as S

STATES: Mapping[str, S] = MappingProxyType(
    {
        "290": S.ACCEPTED,  # in progress; the usual answer to a send
        "295": S.ACCEPTED,  # status delayed
        "292": S.SENT,  # queued by the gateway behind Telesign
        "203": S.SENT,  # delivered to that gateway
        "251": S.SENT,  # passed on, and no receipt within twelve hours: nobody will ever know more
        "200": S.DELIVERED,
        "201": S.DELIVERED,  # delivered, with a remark of Telesign's
        "207": S.UNDELIVERED,  # reason unknown
        "210": S.UNDELIVERED,  # temporary phone error, yet final
        "211": S.UNDELIVERED,  # permanent phone error
        "220": S.UNDELIVERED,  # cannot be routed
        "222": S.UNDELIVERED,  # SMS not supported
        "503": S.UNDELIVERED,  # carrier, temporary
        "504": S.UNDELIVERED,  # carrier, permanent
        "505": S.UNDELIVERED,  # gateway, temporary
        "506": S.UNDELIVERED,  # gateway, permanent
        "507": S.UNDELIVERED,  # destination address
        "508": S.UNDELIVERED,  # source address
        "509": S.UNDELIVERED,  # parameters
        "510": S.UNDELIVERED,  # blocked by the subscriber
        "511": S.UNDELIVERED,  # subscriber out of credit
        "512": S.UNDELIVERED,  # roaming
        "513": S.UNDELIVERED,  # ported number
        "514": S.UNDELIVERED,  # subscriber absent
        "515": S.UNDELIVERED,  # taken for spam
        "516": S.UNDELIVERED,  # the handset lacks the channel
        "517": S.UNDELIVERED,  # Indian registration unknown to the carrier
        "520": S.UNDELIVERED,  # content not permitted by the carrier
        "521": S.UNDELIVERED,  # sender not allowed there
        "221": S.EXPIRED,
        "229": S.FAILED,  # blocked at our request
        "230": S.FAILED,  # blocked by Telesign
        "231": S.FAILED,  # content not supported
        "233": S.FAILED,  # risk score
        "237": S.FAILED,  # country blocked at our request
        "238": S.FAILED,  # prefix blocked at our request
        "286": S.FAILED,
        "500": S.FAILED,  # not attempted
        "501": S.FAILED,  # not authorized
        "502": S.FAILED,  # campaign, such as an unknown short code
        "518": S.FAILED,  # a recent SIM swap
        "519": S.FAILED,  # the SIM swap check failed
        "250": S.UNKNOWN,
        "599": S.UNKNOWN,
    }
)
"""Status codes; any other is unknown."""

_STATUS_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "210": E.TRANSIENT,  # switched off, memory full
        "211": E.PERMANENT_NUMBER,
        "220": E.PERMANENT_NUMBER,
        "222": E.PERMANENT_NUMBER,
        "221": E.TRANSIENT,  # time ran out
        "229": E.UNKNOWN,  # on the account's block list: neither the person's wish nor a dead number
        "230": E.UNKNOWN,  # on Telesign's own, likewise
        "233": E.UNKNOWN,  # Telesign's guess at a risk
        "231": E.PERMANENT_CONTENT,
        "237": E.CONFIG,  # the account's list of countries
        "238": E.CONFIG,  # the account's list of prefixes
        "500": E.TRANSIENT,  # nothing was tried, no reason given
        "501": E.CONFIG,
        "502": E.SENDER_OR_REGISTRATION,
        "503": E.TRANSIENT,
        "504": E.PERMANENT_NUMBER,
        "505": E.TRANSIENT,
        "506": E.UNKNOWN,  # of Telesign's partner, not of the number
        "507": E.PERMANENT_NUMBER,
        "508": E.SENDER_OR_REGISTRATION,  # the address that is wrong is ours
        "509": E.CONFIG,
        "510": E.OPTED_OUT,
        "511": E.TRANSIENT,  # credit is bought
        "512": E.TRANSIENT,  # travellers come home
        "513": E.UNKNOWN,  # a matter of routes between carriers
        "514": E.TRANSIENT,
        "515": E.PERMANENT_CONTENT,
        "516": E.UNKNOWN,  # of other channels than SMS
        "517": E.SENDER_OR_REGISTRATION,
        "520": E.PERMANENT_CONTENT,
        "521": E.SENDER_OR_REGISTRATION,
    }
)

_REQUEST_CLASSES: Mapping[str, E] = MappingProxyType(
    {
        "10000": E.TRANSIENT,  # system unavailable, submit again
        "10002": E.TRANSIENT,  # nonce used; not with Basic authentication
        "10004": E.CONFIG,  # our clock; likewise
        "10008": E.CONFIG,  # signature
        "10009": E.CONFIG,  # no authorization
        "10010": E.ACCOUNT_OR_CREDIT,  # suspended
        "10011": E.CONFIG,  # product not enabled
        "10014": E.CONFIG,  # our address is not allowed
        "10015": E.CONFIG,  # customer id
        "10019": E.THROTTLED,
        "10020": E.ACCOUNT_OR_CREDIT,  # the account's cap of transactions
        "10022": E.CONFIG,  # API key
        "10028": E.CONFIG,  # authorization malformed
        "10030": E.ACCOUNT_OR_CREDIT,  # wallet empty
        "10031": E.CONFIG,  # host not allowed
        "10032": E.UNKNOWN,  # on Telesign's block list; see 230
        "10033": E.CONFIG,  # a trial account writes to verified numbers only
        "10035": E.CONFIG,  # wrong API host for this account
        "11000": E.PERMANENT_NUMBER,  # phone_number
        "11001": E.PERMANENT_NUMBER,  # its country code
        "11004": E.CONFIG,  # callback_url
        "11009": E.PERMANENT_CONTENT,  # message
        "11013": E.SENDER_OR_REGISTRATION,  # sender_id
        "11016": E.CONFIG,  # external_id
        "11017": E.CONFIG,  # message_type
        "11034": E.SENDER_OR_REGISTRATION,  # dlt_template_id
        "11035": E.SENDER_OR_REGISTRATION,  # dlt_entity_id
        "12000": E.PERMANENT_NUMBER,  # no phone_number
        "12009": E.PERMANENT_CONTENT,  # no message
        "12017": E.CONFIG,  # no message_type
        "-10009": E.CONFIG,  # our address is not allowed
        "-10030": E.ACCOUNT_OR_CREDIT,  # wallet empty
        "-20002": E.CONFIG,  # product not enabled
        "-20003": E.CONFIG,  # feature not enabled
        "-30000": E.CONFIG,  # customer id
        "-30001": E.ACCOUNT_OR_CREDIT,  # suspended
        "-30002": E.ACCOUNT_OR_CREDIT,  # not activated
        "-30003": E.ACCOUNT_OR_CREDIT,  # limit of a new account
        "-30004": E.CONFIG,  # no authorization
        "-30005": E.CONFIG,  # authorization malformed
        "-30006": E.CONFIG,  # signature
        "-30007": E.CONFIG,  # no date
        "-30008": E.CONFIG,  # authentication method
        "-30009": E.CONFIG,  # date malformed
        "-30010": E.CONFIG,  # our clock
        "-30011": E.CONFIG,  # nonce malformed
        "-30012": E.TRANSIENT,  # nonce used
        "-30015": E.CONFIG,  # API key
        "-40002": E.CONFIG,  # not authorized
        "-40007": E.THROTTLED,
        "-40008": E.ACCOUNT_OR_CREDIT,  # the account's cap of transactions
        "-40009": E.PERMANENT_NUMBER,  # number not supported
        "-90001": E.TRANSIENT,  # system unavailable
    }
)

ERRORS = ErrorTable("Telesign", MappingProxyType({**_STATUS_CLASSES, **_REQUEST_CLASSES}))
"""What Telesign's refusals and bad ends mean."""

UNKNOWN_REFERENCES = frozenset({"-10001", "-10004", "10017", "10036", "11011"})
"""A status query's answers for a reference id that is not known, not known any more, or was never one."""

INVALID_NUMBERS = frozenset({"11000", "11001"})
"""A lookup's answers for what is no phone number."""


def state_of(code: str) -> S:
    """Give the state for a status code."""
    return STATES.get(code, S.UNKNOWN)
