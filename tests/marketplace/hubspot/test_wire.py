"""Do the card and the settings page know what the connector says?"""

from __future__ import annotations

import re

import pytest
from marshmallow import Schema

from connector.domain.account_settings import Kind
from connector.domain.message import MessageState
from connector.entrypoints.web.api.schemas import CostSchema
from connector.entrypoints.web.card_api import schemas
from tests.marketplace.hubspot.project import APP

_SAID: dict[str, type[Schema]] = {
    "Price": CostSchema,
    "Contact": schemas.CardPersonSchema,
    "Evidence": schemas.CardEvidenceSchema,
    "Permission": schemas.MayPurposeSchema,
    "Consent": schemas.CardConsentSchema,
    "Message": schemas.CardMessageSchema,
    "NotSent": schemas.NotSentSchema,
    "Conversation": schemas.RecordCardSchema,
    "Template": schemas.TemplateSchema,
    "Preview": schemas.PreviewSchema,
    "SettingField": schemas.SettingSchema,
    "Journey": schemas.CardJourneySchema,
    "Account": schemas.CardAccountSchema,
    "Settings": schemas.CardSettingsSchema,
}


def _interfaces() -> dict[str, set[str]]:
    text = (APP / "shared/wire.ts").read_text(encoding="utf-8")
    found = re.findall(r"^export interface (\w+) \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    return {name: set(re.findall(r"^  readonly (\w+)\??:", body, re.MULTILINE)) for name, body in found}


@pytest.mark.parametrize("name", _SAID)
def test_the_card_reads_what_the_connector_writes(name: str) -> None:
    assert _interfaces()[name] == set(_SAID[name]().fields)


def test_every_interface_is_compared() -> None:
    assert _interfaces().keys() == _SAID.keys()


def test_every_state_of_a_text_has_its_colour() -> None:
    text = (APP / "cards/conversation/wording.ts").read_text(encoding="utf-8")
    table = re.search(r"const TONES: .*? = \{\n(.*?)\n\};", text, re.DOTALL)
    assert table
    coloured = set(re.findall(r"^  (\w+):", table[1], re.MULTILINE))
    assert coloured == {state.value for state in MessageState} - {MessageState.RECEIVED.value}


def test_every_kind_of_setting_can_be_asked_for() -> None:
    text = (APP / "settings/Field.tsx").read_text(encoding="utf-8")
    asked = set(re.findall(r"^    case \"(\w+)\":", text, re.MULTILINE))
    assert asked == {kind.value for kind in Kind} | {"choices"}  # a list with options
