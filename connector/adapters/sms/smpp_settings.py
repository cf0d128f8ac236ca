"""How is an SMPP gateway configured: hosts, login, binds, and the ways in which gateways differ?"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from connector.adapters.smpp.bind import Endpoint
from connector.adapters.smpp.pdu import Login, MalformedBodyError
from connector.adapters.smpp.pool import PoolSettings
from connector.adapters.smpp.receipts import ReceiptIds
from connector.adapters.smpp.text import Alphabet
from connector.adapters.smpp.timing import Timing
from connector.adapters.sms.reading import in_turn, whole_number
from connector.errors import ConfigurationError
from connector.ports.gateway_plugin import GatewaySetting

_MOST_BINDS = 64  # per host; gateways allow a handful
_MOST_IN_WINDOW = 1000  # gateways allow 10 to a few hundred
_LONGEST_COUNTRY_CODE = 3  # digits (E.164)
_LONGEST_ENQUIRE = 3600  # seconds; firewalls forget a silent connection far earlier


@dataclass(frozen=True, slots=True)
class SMPPOptions:
    """How texts are put to this gateway.

    Attributes:
        sender: for texts that name none, or None.
        entity_tag, template_tag: optional parameters that carry Indian registrations.
        may_query: the gateway answers query_sm.
        country_prefix: digits that make national numbers whole, such as `1`; empty leaves them as they are.
    """

    sender: str | None = None
    service_type: str = ""
    alphabet: Alphabet = Alphabet.GSM
    receipt_ids: ReceiptIds = ReceiptIds.SAME
    entity_tag: int = 0x1400
    template_tag: int = 0x1401
    may_query: bool = False
    country_prefix: str = ""


SETTINGS = (
    GatewaySetting(
        "SMPP_HOSTS",
        "Hosts of the SMPP gateway, comma-separated, each with its port; empty switches SMPP off.",
        "smsc1.example.net:2775,smsc2.example.net:2775",
        is_required=True,
    ),
    GatewaySetting("SMPP_SYSTEM_ID", "Login at the SMPP gateway.", "acme", is_required=True),
    GatewaySetting("SMPP_PASSWORD", "Password of that login.", "s3cret", is_required=True, is_secret=True),
    GatewaySetting("SMPP_SYSTEM_TYPE", "System type, where the gateway demands one.", "VMA"),
    GatewaySetting("SMPP_FROM", "Sender of texts that name none: number in E.164, short code or name.", "+12025550100"),
    GatewaySetting("SMPP_BINDS", "Binds to each host.", "2", default="1"),
    GatewaySetting("SMPP_WINDOW", "Submits under way per bind.", "50", default="10"),
    GatewaySetting("SMPP_ENQUIRE_SECONDS", "Silence after which the gateway is asked for a sign.", "60", default="30"),
    GatewaySetting("SMPP_TLS", "`yes` to connect under TLS.", "yes", default="no"),
    GatewaySetting("SMPP_TLS_CA", "File with the certificate authority, if it is a private one.", "/etc/smsc-ca.pem"),
    GatewaySetting("SMPP_SERVICE_TYPE", "Service type of texts, where the gateway demands one.", "CMT"),
    GatewaySetting(
        "SMPP_ALPHABET", "What the gateway means by data coding 0: `gsm` or `latin1`.", "latin1", default="gsm"
    ),
    GatewaySetting(
        "SMPP_RECEIPT_IDS",
        "How receipts write ids: `same` as answers; `decimal` where answers are hexadecimal; `hex` the other way.",
        "decimal",
        default="same",
    ),
    GatewaySetting("SMPP_QUERY", "`yes` if the gateway answers query_sm.", "yes", default="no"),
    GatewaySetting(
        "SMPP_COUNTRY_PREFIX",
        "Country code of numbers that the gateway delivers as national ones (type of number 2).",
        "44",
    ),
    GatewaySetting("SMPP_PE_TLV", "Tag under which Indian operators want the entity id.", "0x1400", default="0x1400"),
    GatewaySetting(
        "SMPP_TEMPLATE_TLV", "Tag under which Indian operators want the template id.", "0x1401", default="0x1401"
    ),
)


def options_of(values: Mapping[str, str]) -> SMPPOptions:
    """Read what `SMPPGateway` needs.

    Raises:
        ConfigurationError: a value is none of those allowed, or two contradict each other.
    """
    options = SMPPOptions(
        sender=values["SMPP_FROM"] or None,
        service_type=values["SMPP_SERVICE_TYPE"],
        alphabet=Alphabet(_one_of(values, "SMPP_ALPHABET", *Alphabet)),
        receipt_ids=ReceiptIds(_one_of(values, "SMPP_RECEIPT_IDS", *ReceiptIds)),
        entity_tag=_tag(values, "SMPP_PE_TLV"),
        template_tag=_tag(values, "SMPP_TEMPLATE_TLV"),
        may_query=_yes(values, "SMPP_QUERY"),
        country_prefix=_prefix(values, "SMPP_COUNTRY_PREFIX"),
    )
    if options.may_query and options.receipt_ids is not ReceiptIds.SAME:
        raise ConfigurationError(
            "SMPP_QUERY=yes needs SMPP_RECEIPT_IDS=same: ids that are rewritten cannot be asked about"
        )
    return options


def pool_settings_of(values: Mapping[str, str]) -> PoolSettings:
    """Read what `Pool` needs.

    Raises:
        ConfigurationError: a value is wrong; named with an example.
    """
    login = Login(values["SMPP_SYSTEM_ID"], values["SMPP_PASSWORD"], values["SMPP_SYSTEM_TYPE"])
    try:
        login.encoded()
    except MalformedBodyError as exc:
        raise ConfigurationError(f"SMPP_{str(exc).upper().partition(' ')[0]}: {exc}") from None
    return PoolSettings(
        endpoints=tuple(_endpoint(host) for host in in_turn(values["SMPP_HOSTS"])),
        login=login,
        binds=_count(values, "SMPP_BINDS", _MOST_BINDS),
        window=_count(values, "SMPP_WINDOW", _MOST_IN_WINDOW),
        tls=_tls(values),
        receipt_ids=options_of(values).receipt_ids,
        timing=Timing(enquire=float(_count(values, "SMPP_ENQUIRE_SECONDS", _LONGEST_ENQUIRE))),
    )


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    number = whole_number(port)
    if not host or number is None or not 0 < number < 65_536:
        raise ConfigurationError("SMPP_HOSTS needs a port at each host, such as smsc.example.net:2775")
    return Endpoint(host.removeprefix("[").removesuffix("]"), number)


def _tls(values: Mapping[str, str]) -> ssl.SSLContext | None:
    if not _yes(values, "SMPP_TLS"):
        return None
    try:
        return ssl.create_default_context(cafile=values["SMPP_TLS_CA"] or None)
    except OSError as exc:
        raise ConfigurationError(f"SMPP_TLS_CA names no file with certificates: {type(exc).__name__}") from exc


def _count(values: Mapping[str, str], name: str, most: int) -> int:
    number = whole_number(values[name])
    if number is None or not 1 <= number <= most:
        raise ConfigurationError(f"{name} must be a whole number from 1 to {most}")
    return number


def _tag(values: Mapping[str, str], name: str) -> int:
    try:
        tag = int(values[name], 0)
    except ValueError:
        tag = 0
    if not 0 < tag <= 0xFFFF:
        raise ConfigurationError(f"{name} must be the tag of an optional parameter, such as 0x1400")
    return tag


def _prefix(values: Mapping[str, str], name: str) -> str:
    prefix = values[name].strip().removeprefix("+")
    if prefix and (whole_number(prefix) is None or prefix.startswith("0") or len(prefix) > _LONGEST_COUNTRY_CODE):
        raise ConfigurationError(f"{name} must be a country code, such as 44")
    return prefix


def _yes(values: Mapping[str, str], name: str) -> bool:
    return _one_of(values, name, "yes", "no") == "yes"


def _one_of(values: Mapping[str, str], name: str, *allowed: str) -> str:
    value = values[name].strip().lower()
    if value not in allowed:
        raise ConfigurationError(f"{name} must be one of {', '.join(allowed)}")
    return value
