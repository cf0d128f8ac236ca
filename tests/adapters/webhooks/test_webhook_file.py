"""The file of webhooks: what it declares is found, and each mistake in it is told where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.adapters.event_files import load_events
from connector.domain.event_mapping import ContactFrom, ValueKind
from connector.domain.webhook_sources import NamedBy, OnWebhook, SignatureKind

HERE = "⟦"
WEBHOOKS = """\
crm: generic
sources:
  billing:
    signature: stripe
    id: $.id
    type: $.type
    at: {seconds: $.created}
  shop:
    signature: {kind: hmac, header: X-Shop-Signature, encoding: base64, prefix: "v1="}
    type: {header: X-Topic}
  door:
    signature: {kind: token, header: X-Token}
events:
  invoice.paid:
    - on: {source: billing, type: invoice.paid}
      where: ["$.data.status = paid", "$.data.kind in (a, b)", "$.data.void missing", $.data.total != 0]
      record: {invoice: $.data.id}
      read:
        invoice:
          number: $.data.number
          amount: {money: $.data.amount, in: minor}
          currency: $.data.currency
          state: {text: $.data.state, words: {in_transit: shipped}}
          paid_at: {time: $.data.paid_at, in: seconds}
          carrier: {always: DHL}
      contact: {crm_id: $.contact.id, email: $.contact.email}
  bell.rung:
    on: {source: door}
    record: {bell: $.bell}
    contact: [{number: $.a}, {number: $.b}]
"""


def _write(folder: Path, text: str) -> Path:
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / "generic.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, WEBHOOKS))
    assert shelf.mistakes == ()
    webhooks = shelf.catalogue.webhooks
    billing, shop, door = webhooks.sources.values()
    assert (billing.signature.kind, billing.signature.header) == (SignatureKind.TIMESTAMPED, "Stripe-Signature")
    assert (shop.signature.encoding, shop.signature.prefix, shop.type_header) == ("base64", "v1=", "X-Topic")
    assert (door.signature.kind, door.id, door.type, door.at) == (SignatureKind.TOKEN, None, None, None)
    paid, rung = webhooks.events
    assert isinstance(paid.source, OnWebhook)
    assert isinstance(rung.source, OnWebhook)
    assert (paid.name, paid.crm, paid.object_type, paid.line) == ("invoice.paid", "generic", "billing.invoice", 15)
    assert paid.contact.source is ContactFrom.NAMED
    assert paid.read["invoice"]["amount"].kind is ValueKind.MONEY
    assert [test.operator for test in paid.source.where] == ["EQ", "IN", "MISSING", "NEQ"]
    assert [way.by for way in rung.source.people] == [NamedBy.NUMBER, NamedBy.NUMBER]


def test_the_id_of_the_record_is_read_in_any_case(tmp_path: Path) -> None:
    catalogue = load_events(_write(tmp_path, WEBHOOKS)).catalogue
    assert set(catalogue.records("bell.rung")["bell"]) == {"id"}
    assert "id" in catalogue.records("invoice.paid")["invoice"]


def test_events_of_webhooks_belong_to_the_accounts_of_every_crm(tmp_path: Path) -> None:
    catalogue = load_events(_write(tmp_path, WEBHOOKS)).catalogue
    assert catalogue.names("hubspot") == ("invoice.paid", "bell.rung")
    assert catalogue.by_crm == {}


@pytest.mark.parametrize(
    ("old", "marked", "path", "message", "suggestion"),
    [
        ("crm: generic", "crm: ⟦hubspot", "crm", "is not one of generic", None),
        ("signature: stripe", "signature: ⟦strype", "sources.billing.signature", "no way of signing", "`stripe`"),
        ("kind: hmac", "kind: ⟦hmca", "sources.shop.signature.kind", "is not one of", "hmac"),
        ("header: X-Shop-Signature", "header: ⟦X Shop", "sources.shop.signature.header", "name of a header", None),
        ("encoding: base64", "encoding: ⟦base46", "sources.shop.signature.encoding", "not one of hex, base64", None),
        ("X-Token}", "X-Token, prefix: x}", "sources.door.signature", "compared as it is", None),
        ("id: $.id", "id: ⟦id", "sources.billing.id", "begins with $", "write $.id"),
        ("type: $.type", "type: ⟦$.type[", "sources.billing.type", "no JSONPath at its end", None),
        ("{header: X-Topic}", "{⟦headr: X-Topic}", "sources.shop.type.headr", "is not a key", "header"),
        ("at: {seconds: $.created}", "at: ⟦{hours: $.x}", "sources.billing.at", "or {seconds: JSONPath}", None),
        ("  shop:\n", "  ⟦Shop:\n", "sources.Shop", "is no name", None),
        ("signature: {kind: token, header: X-Token}\n", "id: $.id\n", "sources.door.signature", "missing", None),
        ("{source: billing,", "{source: ⟦biling,", "events.invoice.paid[0].on.source", "no source", "billing"),
        ("type: invoice.paid}", "⟦typ: x}", "events.invoice.paid[0].on.typ", "not a key", "type"),
        ('"$.data.status = paid"', '⟦"$.data.status is paid"', "events.invoice.paid[0].where[0]", "no condition", None),
        ('"$.data.status = paid"', '⟦"$.data.status == paid"', "events.invoice.paid[0].where[0]", "no condition", None),
        ("record: {invoice: $.data.id}", "record: ⟦$.data.id", "events.invoice.paid[0].record", "a record with", None),
        ("{invoice: $.data.id}", "{⟦contact: $.data.id}", "events.invoice.paid[0].record.contact", "no name of", None),
        ("          number:", "          ⟦Number:", "events.invoice.paid[0].read.invoice.Number", "is no name", None),
        ("{money: $.data.a", "{⟦mony: $.data.a", "events.invoice.paid[0].read.invoice.amount.mony", "no kind", "money"),
        ("in: minor", "in: ⟦cents", "events.invoice.paid[0].read.invoice.amount.in", "is no unit", "minor"),
        ("in: seconds}\n          c", "in: ⟦minor}\n          c", "events.invoice.paid[0].read.invoice.paid_at.in",
         "goes with money or number", None),
        ("          currency: $.data.currency\n", "", "events.invoice.paid[0].read.invoice.amount.in",
         "which currency", "beside it"),
        ("{in_transit: shipped}", "⟦shipped", "events.invoice.paid[0].read.invoice.state.words", "their words", None),
        ("{text: $.data.state", "{number: $.data.state", "events.invoice.paid[0].read.invoice.state.words",
         "words go with a text", None),
        ("{always: DHL}", "⟦[DHL]", "events.invoice.paid[0].read.invoice.carrier", "or {money: JSONPath}", None),
        ("{always: DHL}", "{always: ⟦[DHL]}", "events.invoice.paid[0].read.invoice.carrier.always", "a text", None),
        ("{always: DHL}", "⟦{text: $.a, money: $.b}", "events.invoice.paid[0].read.invoice.carrier", "one kind", None),
        ("crm_id: $.contact.id", "⟦crmid: $.contact.id", "events.invoice.paid[0].contact.crmid", "not found", "crm_id"),
        ("[{number: $.a}, {number: $.b}]", "⟦self", "events.bell.rung.contact", "where the contact is named", None),
        ("{number: $.b}]", "{number: ⟦b}]", "events.bell.rung.contact[1].number", "begins with $", "write $.b"),
        ("  bell.rung:", "  ⟦bell:", "events.bell", "is no event name", None),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_is(
    old: str, marked: str, path: str, message: str, suggestion: str | None, tmp_path: Path
) -> None:
    assert old in WEBHOOKS
    text = WEBHOOKS.replace(old, marked, 1)
    mistakes = load_events(_write(tmp_path, text.replace(HERE, ""))).mistakes
    found = [each for each in mistakes if each.path == path]
    assert found, mistakes
    if HERE in text:
        before = text[: text.index(HERE)]
        assert (found[0].line, found[0].column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert message in found[0].message
    assert (suggestion or "") in (found[0].suggestion or "")


def test_an_event_with_a_mistake_leaves_the_others_and_the_systems_standing(tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, WEBHOOKS.replace("in: minor", "in: cents")))
    assert shelf.catalogue.names() == ("bell.rung",)
    assert set(shelf.catalogue.webhooks.sources) == {"billing", "shop", "door"}


def test_a_system_with_a_mistake_is_not_let_in_and_leaves_the_others_standing(tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, WEBHOOKS.replace("signature: stripe", "signature: strype")))
    assert set(shelf.catalogue.webhooks.sources) == {"shop", "door"}


@pytest.mark.parametrize("text", ["[]", "crm: generic\n", "crm: generic\nsources: x\nevents: y\n", ""])
def test_a_file_of_another_shape_is_told_and_breaks_nothing(text: str, tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, text))
    assert shelf.mistakes
    assert shelf.catalogue.names() == ()
