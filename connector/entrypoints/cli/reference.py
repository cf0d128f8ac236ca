"""Which pages and manifests follow from the code, and is what lies in the repository still what it says?

The settings reference and `app.json` are made of `setting_list.SETTINGS`, the one of accounts' settings of their list,
the page on message states of `domain.receipt`, the comparison of gateways of what their adapters declare, the JSON
Schema of journeys of the shapes that read them, the description of the REST API of its operations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask

from connector.adapters.json_schema import journey_schema
from connector.adapters.sms.catalogue import gateway_plugins
from connector.domain.message import FINAL_STATES, MessageState
from connector.domain.receipt import RECEIPT_STATES, after_receipt, may_move
from connector.entrypoints.cli.account_settings_page import account_settings_page
from connector.entrypoints.cli.gateway_features import gateway_features_page
from connector.entrypoints.cli.reference_markdown import page, table
from connector.entrypoints.web import api
from connector.ports.gateway_plugin import GatewayPlugin
from connector.setting_list import SETTINGS, Setting
from connector.settings import CHANNEL_PREFIX, gateway_settings

SETTINGS_PAGE = Path("docs/reference/settings.md")
ACCOUNT_SETTINGS_PAGE = Path("docs/reference/account-settings.md")
STATES_PAGE = Path("docs/reference/states.md")
GATEWAY_FEATURES = Path("docs/reference/gateway-features.md")
JOURNEY_SCHEMA = Path("docs/reference/journey.schema.json")
OPENAPI = Path("docs/reference/openapi.json")
APP_MANIFEST = Path("app.json")

_GIVEN_BY_PLATFORM = frozenset({"DATABASE_URL", "REDIS_URL", "PORT"})
"""Left out of the manifest's settings: add-ons and the platform set them, and a prompt for them would override that."""

_FOR_DEVELOPMENT = frozenset({"CLOCK_OFFSET_FILE", "ALLOW_LOOPBACK_URLS"})
_GENERATED = frozenset({"SECRET_KEYS"})
"""Settings for which the platform can make a random value; it makes 64 hex digits, we need 32 characters."""

_ON_HEROKU: Mapping[str, Any] = {"REDIS_VERIFY_TLS": False}
"""Where the platform wants another value than the default: its Redis signs its own certificate."""


def write_reference(root: Path) -> list[Path]:
    """Write what is stale; give the files that were written, relative to `root`."""
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(_contents()[path], encoding="utf-8")
    return changed


def stale(root: Path) -> list[Path]:
    """Give the generated files that are missing or not what the code says, relative to `root`."""
    return [path for path, content in _contents().items() if _read(root / path) != content]


def _contents() -> Mapping[Path, str]:
    return {
        SETTINGS_PAGE: settings_page(),
        ACCOUNT_SETTINGS_PAGE: account_settings_page(),
        STATES_PAGE: states_page(),
        GATEWAY_FEATURES: gateway_features_page(),
        JOURNEY_SCHEMA: journey_schema_page(),
        OPENAPI: openapi_page(),
        APP_MANIFEST: json.dumps(app_manifest(), indent=2, ensure_ascii=False) + "\n",
    }


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def journey_schema_page() -> str:
    """Give the JSON Schema of the journey language, for editors."""
    return json.dumps(journey_schema(), indent=2, ensure_ascii=False) + "\n"


def openapi_page() -> str:
    """Give the OpenAPI description of the REST API."""
    app = Flask(__name__)
    api.register(app)
    return json.dumps(api.openapi_document(app), indent=2, ensure_ascii=False) + "\n"


def settings_page(settings: Sequence[Setting] = SETTINGS) -> str:
    """Give the Markdown reference of all settings."""
    required = [setting for setting in settings if setting.is_required]
    optional = [setting for setting in settings if not setting.is_required]
    return page(
        "connector/setting_list.py",
        "# Settings",
        "All settings are environment variables. In development they are also read from a file `.env` in the working "
        "directory. A missing or wrong one stops the start; the message gives its name and an example, and tells "
        "about all of them at once.",
        "Secrets are marked 🔒: they are never printed and never logged. Settings that are lists are separated by "
        "commas, newest first; every entry is accepted and the first one is used, so they "
        "[rotate without downtime](../how-to/deploy.md#rotate-secrets).",
        "## Required",
        table(("Setting", "Meaning", "Example"), ((_name(s), s.meaning, _example(s)) for s in required)),
        "## Optional",
        table(
            ("Setting", "Meaning", "Default", "Example"),
            ((_name(s), s.meaning, _default(s.default), _example(s)) for s in optional),
        ),
        "The URL settings of HubSpot and of gateways send everything elsewhere, so that a sandbox can stand in for "
        "the vendor.",
        "## Gateways",
        "A gateway is switched on by the first setting in its table; those marked with * are then needed too. Several "
        "may be in use at once: [`mappings/gateways.yaml`](gateways.md) says which texts go which way.",
        *(part for plugin in gateway_plugins().values() if plugin.settings for part in _gateway_part(plugin)),
        f"Variables whose names begin with `{CHANNEL_PREFIX}` 🔒 hold the secrets of channels: "
        f"`mappings/channels.yaml` names them, as in `url: env {CHANNEL_PREFIX}BILLING_SLACK`. A channel whose "
        "variable is not set is broken by itself: what is to go through it waits and says so; everything else works.",
    )


def _gateway_part(plugin: GatewayPlugin) -> tuple[str, str]:
    """Give the heading and the table of one gateway's settings."""
    needed = {each.name for each in plugin.settings if each.is_required}
    rows = (
        (_name(s) + (" *" if s.name in needed else ""), s.meaning, _default(s.default), _example(s))
        for s in gateway_settings(plugin)
    )
    return f"### {plugin.capabilities.vendor} (`{plugin.slug}`)", table(
        ("Setting", "Meaning", "Default", "Example"), rows
    )


def _name(setting: Setting) -> str:
    return f"`{setting.name}`" + (" 🔒" if setting.is_secret else "")


def _example(setting: Setting) -> str:
    return setting.example if " " in setting.example else f"`{setting.example}`"


def _default(value: Any) -> str:
    return f"`{_written(value)}`" if _has_value(value) else "empty"


def _has_value(value: Any) -> bool:
    return value is not None and value not in {"", ()}


def _written(value: Any) -> str:
    """Write a default as one would in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def app_manifest(settings: Sequence[Setting] = SETTINGS) -> dict[str, Any]:
    """Give `app.json`: what a Heroku-like platform asks for, provisions and starts."""
    return {
        "name": "SMS connector",
        "description": "SMS for your CRM: journeys in YAML, every receipt and reply on the contact's timeline.",
        "keywords": ["sms", "crm", "hubspot", "twilio", "python"],
        "buildpacks": [{"url": "heroku/python"}],
        "addons": [
            {"plan": "heroku-postgresql:essential-0", "as": "DATABASE"},
            {"plan": "heroku-redis:mini", "as": "REDIS"},
        ],
        "formation": {name: {"quantity": 1, "size": "basic"} for name in ("web", "worker", "clock")},
        "scripts": {"postdeploy": "smsctl migrate && smsctl release"},
        "env": {setting.name: _asked(setting) for setting in (*settings, *_twilio()) if _is_asked(setting)},
    }


def _twilio() -> tuple[Setting, ...]:
    """Give the settings of the gateway that a new app is asked for; those of the others are set when they are added."""
    return gateway_settings(gateway_plugins()["twilio"])


def _is_asked(setting: Setting) -> bool:
    return setting.name not in _GIVEN_BY_PLATFORM | _FOR_DEVELOPMENT


def _asked(setting: Setting) -> dict[str, Any]:
    asked: dict[str, Any] = {"description": setting.meaning, "required": setting.is_required}
    if setting.name in _GENERATED:
        return asked | {"generator": "secret"}
    value = _ON_HEROKU.get(setting.name, setting.default)
    return asked | ({"value": _written(value)} if _has_value(value) else {})


_STATE_MEANINGS: Mapping[MessageState, str] = {
    MessageState.HELD: "Waits for a send window, a cap or a time; the row says until when.",
    MessageState.QUEUED: "Waits for a worker. A retry waits here too, until its backoff is over.",
    MessageState.DISPATCHING: "A worker has claimed it and an attempt is on record; the request is under way.",
    MessageState.UNKNOWN: "It may have gone out. The gateway is asked before anything is sent again.",
    MessageState.ACCEPTED: "The gateway has it.",
    MessageState.SENT: "It left the gateway.",
    MessageState.DELIVERED: "The carrier says that the handset has it.",
    MessageState.UNDELIVERED: "The carrier says that it did not arrive.",
    MessageState.EXPIRED: "Its lifetime ended before it could go out or arrive.",
    MessageState.FAILED: "The gateway refused it or gave up on it.",
    MessageState.CANCELLED: "Taken back before it went out, because its journey ended.",
    MessageState.SUPPRESSED: "It may not be sent: an opt-out, or no consent to marketing.",
    MessageState.DEAD_LETTER: "Given up; a person has to look.",
    MessageState.RECEIVED: "The one state of a text that a person sent to us.",
}


def states_page() -> str:
    """Give the Markdown reference of message states and their legal moves."""
    rows = (
        (
            f"`{state}`" + (" ■" if state in FINAL_STATES else ""),
            _STATE_MEANINGS[state],
            _words(target for target in MessageState if may_move(state, target)),
            _words(reached for reached in MessageState if reached in _by_receipt(state)),
        )
        for state in MessageState
    )
    return page(
        "connector/domain/receipt.py",
        "# Message states",
        "A message is in exactly one state. It moves only as the table says; whatever else arrives is ignored. "
        "■ marks final states: nothing more is done for such a message, but a late receipt may still correct it.",
        table(("State", "Meaning", "We may move it to", "A receipt may move it to"), rows),
        "Receipts come late, twice and in any order. Their rank decides: `accepted`, `sent`, `expired`, `failed`, "
        "`undelivered`, `delivered`, lowest first. Rank never falls, so every order of the same receipts ends in the "
        "same state, and nothing moves a `delivered` message. A receipt proves that a text went out, so it also moves "
        "a message that waits for its next try or was given up.",
        "`replied` and `opted_out` are no states. They are facts beside the state, with the time they happened: a "
        "delivered message can be replied to and opted out of.",
        "The gateway's own words are mapped to these states by a table per adapter. A word the table does not know "
        "becomes `unknown` and is kept as it came.",
    )


def _by_receipt(state: MessageState) -> set[MessageState]:
    return {after_receipt(state, reported) for reported in RECEIPT_STATES} - {state}


def _words(states: Iterable[MessageState]) -> str:
    return ", ".join(f"`{state}`" for state in states) or "none"
