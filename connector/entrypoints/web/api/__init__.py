"""Which parts does the REST API have, and how are they put under one path with one description?"""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from flask_smorest import Api  # type: ignore[import-untyped]

from connector.entrypoints.web.api import (
    callbacks,
    consents,
    conversations,
    dead_letters,
    lookups,
    messages,
    problems,
    providers,
)
from connector.entrypoints.web.api.operations import BEARER
from connector.entrypoints.web.api.schemas import ProblemSchema, schema_name
from connector.entrypoints.web.card_api import rest as card

PREFIX = "/api/v1"

_ABOUT = (
    "Send texts and hear what becomes of them. Everything is scoped by the account of the key. Errors are "
    "`application/problem+json` (RFC 9457). Phone numbers never stand in a path or query, which proxies log: what is "
    "asked about a number is asked by POST."
)

_CONFIG = {
    "API_TITLE": "SMS connector",
    "API_VERSION": "1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": PREFIX,
    "OPENAPI_JSON_PATH": "openapi.json",
}


class _DocumentedApi(Api):  # type: ignore[misc]  # flask-smorest is not typed
    """The library's, without its error handlers, which would answer for the whole application."""

    def _register_error_handlers(self) -> None:
        """Leave errors to `problems`."""

    def _register_responses(self) -> None:
        """Describe whatever else goes wrong as the problem it is."""
        problem = {problems.MEDIA_TYPE: {"schema": ProblemSchema}}
        self.spec.components.response(
            "DEFAULT_ERROR", {"description": "Any other problem.", "content": problem}, lazy=True
        )


def register(app: Flask) -> None:
    """Put the API into an application."""
    app.config.update(_CONFIG)
    api = _DocumentedApi(app, spec_kwargs=_description())
    spec: APISpec = api.spec
    spec.components.security_scheme(BEARER, {"type": "http", "scheme": "bearer", "description": "An API key."})
    for module in (messages, conversations, consents, lookups, callbacks, dead_letters, providers, card):
        api.register_blueprint(module.blueprint, url_prefix=f"{PREFIX}{module.blueprint.url_prefix}")


def openapi_document(app: Flask) -> dict[str, Any]:
    """Give the OpenAPI description of the API in an application."""
    api: Any = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    document: dict[str, Any] = api.spec.to_dict()
    return document


def _description() -> dict[str, Any]:
    return {
        "info": {"description": _ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=schema_name),
        "servers": [{"url": "/"}],
    }
