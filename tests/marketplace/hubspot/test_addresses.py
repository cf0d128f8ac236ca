"""Does everything that HubSpot calls exist in the connector?"""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from flask import Blueprint, Flask
from werkzeug.exceptions import HTTPException

from connector.entrypoints import web
from tests.marketplace.hubspot.project import APP, HOST, component


def _routes() -> Flask:
    """Give an application with every blueprint of the web process, over no connector."""
    app = Flask(__name__)
    modules = [importlib.import_module(each.name) for each in pkgutil.walk_packages(web.__path__, f"{web.__name__}.")]
    found = {id(held): held for module in modules for held in vars(module).values() if isinstance(held, Blueprint)}
    for index, blueprint in enumerate(found.values()):
        app.register_blueprint(blueprint, name=f"b{index}")
    return app


def _is_answered(app: Flask, method: str, address: str) -> bool:
    try:
        app.url_map.bind("").match(address.removeprefix(HOST), method)
    except HTTPException:
        return False
    return True


def _template_options() -> str:
    fields = [each["typeDefinition"] for each in component("workflow-action")["inputFields"]]
    (address,) = (str(each["optionsUrl"]) for each in fields if "optionsUrl" in each)
    return address


def _reconnect() -> str:
    found = re.search(r"RECONNECT = `\$\{HOST\}([^`]+)`", (APP / "shared/address.ts").read_text(encoding="utf-8"))
    assert found
    return HOST + found[1]


def _card(path: str) -> str:
    found = re.search(r"CARD_API = `\$\{HOST\}([^`]+)`", (APP / "shared/address.ts").read_text(encoding="utf-8"))
    assert found
    return f"{HOST}{found[1]}{path}"


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", component("webhooks")["settings"]["targetUrl"]),
        ("POST", component("workflow-action")["actionUrl"]),
        ("POST", _template_options()),
        ("GET", component("app")["auth"]["redirectUrls"][0]),
        ("GET", _reconnect()),
        ("GET", _card("/contacts/51")),
        ("POST", _card("/contacts/51/preview")),
        ("POST", _card("/contacts/51/messages")),
        ("POST", _card("/contacts/51/consent")),
        ("GET", _card("/templates")),
        ("GET", _card("/settings")),
        ("PATCH", _card("/settings")),
        ("PATCH", _card("/journeys/demo-booked")),
    ],
)
def test_the_connector_answers_what_hubspot_asks(method: str, address: str) -> None:
    assert _is_answered(_routes(), method, address), f"{method} {address}"


def test_an_address_that_nobody_answers_is_noticed() -> None:
    assert not _is_answered(_routes(), "POST", f"{HOST}/hubspot/nowhere")
    assert not _is_answered(_routes(), "DELETE", _card("/settings"))
