"""Which gateway can do what? The page that compares them, made of what their adapters declare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connector.adapters.sms.catalogue import BUILT_IN
from connector.domain.durations import format_duration
from connector.entrypoints.cli.reference_markdown import page, table
from connector.ports.gateway import Capabilities, Handle
from connector.ports.gateway_plugin import GatewayPlugin

_NOT = "no"

_REFERENCE = {"field": "field", "url": "address", "field and url": "field and address", "": _NOT}
_RECEIPTS = {"callback": "callback", "poll": "when asked", "": _NOT}


@dataclass(frozen=True, slots=True)
class Column:
    """One thing that gateways differ in.

    Attributes:
        cell: how it is written for one gateway.
        meaning: one sentence below the table.
    """

    name: str
    cell: Callable[[Capabilities], str]
    meaning: str


def _yes_no(value: object) -> str:
    return "yes" if value else _NOT


def _handles(can: Capabilities) -> str:
    return ", ".join(handle.value for handle in Handle if handle in can.asked_by) or _NOT


def _validity(can: Capabilities) -> str:
    return _NOT if can.validity is None else " to ".join(format_duration(each) for each in can.validity)


COLUMNS: tuple[Column, ...] = (
    Column(
        "our reference",
        lambda can: _REFERENCE[can.reference],
        "Where the id of our attempt travels: in a `field` of the text, which comes back with the receipt, or in the "
        "`address` of its receipts. So a receipt finds its attempt even when the answer to the send got lost.",
    ),
    Column(
        "receipts",
        lambda can: _RECEIPTS[can.receipts],
        "How we hear what became of a text. SMPP's come over the bind.",
    ),
    Column(
        "replies",
        lambda can: _yes_no(can.has_incoming),
        "Whether texts that people write reach us.",
    ),
    Column(
        "can be asked by",
        _handles,
        "By what it can be asked about a text: its own `id`, our `reference`, or number, time and `text`. By its id "
        "alone, it cannot be asked when the answer to the send got lost.",
    ),
    Column(
        "price",
        lambda can: can.price or _NOT,
        "Where it tells what a text cost: in the `answer` to a send, in a `receipt`, or when asked (`query`).",
    ),
    Column("segments", lambda can: can.segments or _NOT, "Where it tells how many segments it counted, likewise."),
    Column(
        "longest text",
        lambda can: f"{can.most_characters} / {can.most_unicode}",
        "Characters of one text at the most, and when one of them lies outside the GSM alphabet.",
    ),
    Column(
        "validity",
        _validity,
        "How long it keeps trying a phone that is off, as far as it lets us say; other times are cut to this.",
    ),
    Column(
        "lookup",
        lambda can: _yes_no(can.has_lookup),
        "Whether it can tell a mobile from a landline; see [`lookups`](gateways.md#lookups).",
    ),
    Column(
        "DLT",
        lambda can: _yes_no(can.has_dlt),
        "Whether it passes the registrations of texts to India on; see [`countries`](gateways.md#countries).",
    ),
    Column(
        "redaction",
        lambda can: _yes_no(can.has_redaction),
        "Whether it can be made to forget what a text said once its fate is known.",
    ),
    Column(
        "callbacks verified by",
        lambda can: can.verified_by or _NOT,
        "How we know that a callback is the gateway's.",
    ),
)


def gateway_features_page(plugins: Sequence[GatewayPlugin] = BUILT_IN) -> str:
    """Give the Markdown page that compares our own gateways; those of other distributions have pages of their own."""
    return page(
        "connector/adapters/sms/",
        "# What each gateway can do",
        "One row per gateway, as its adapter declares it. The name leads to the page on how to connect it; which texts "
        "it gets is said in [`mappings/gateways.yaml`](gateways.md).",
        table(
            ("Gateway", *(_heading(column) for column in COLUMNS)),
            (_row(plugin) for plugin in plugins),
        ),
        "What is shown holds with the settings a gateway needs; others may add to it: with `SMPP_QUERY=yes` an SMPP "
        "gateway can be asked by id.",
        "## What the columns say",
        table(("Column", "Says"), ((_heading(column), column.meaning) for column in COLUMNS)),
        "The [contract suite](../adding-a-gateway.md#5-the-contract) sends through every adapter and holds it to its "
        "row; DLT is looked at in the adapters' own tests.",
    )


def _heading(column: Column) -> str:
    return column.name[0].upper() + column.name[1:]


def _row(plugin: GatewayPlugin) -> tuple[str, ...]:
    return (_name(plugin), *(column.cell(plugin.capabilities) for column in COLUMNS))


def _name(plugin: GatewayPlugin) -> str:
    """Name a gateway with a link to its page; what connects to nothing has none."""
    vendor, slug = plugin.capabilities.vendor, f"`{plugin.slug}`"
    if not plugin.capabilities.page:
        return f"{vendor} ({slug})"
    return f"[{vendor}](../how-to/connect-{plugin.slug}.md) ({slug})"
