"""Is the API described as it is, and is the description a valid one?"""

from __future__ import annotations

import json

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from connector.entrypoints.cli.reference import OPENAPI, openapi_page
from connector.entrypoints.web.api import openapi_document
from connector.entrypoints.web.api.problems import PROBLEMS
from connector.ports.api_keys import APIScope
from tests.docs.markdown import ROOT, rows
from tests.entrypoints.api.conftest import Program

PAGE = ROOT / "docs/reference/rest-api.md"


def test_the_description_is_valid_openapi_3_1(app: Flask) -> None:
    document = openapi_document(app)
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_is_served_to_everybody_and_lies_in_the_repository(app: Flask, program: Program) -> None:
    served = program.client.get("/api/v1/openapi.json")
    assert served.status_code == 200
    assert served.json == openapi_document(app) == json.loads(openapi_page())
    assert (ROOT / OPENAPI).read_text(encoding="utf-8") == openapi_page(), "run: make docs"


def test_every_operation_has_a_name_a_summary_a_scope_and_its_problems(app: Flask) -> None:
    document = openapi_document(app)
    names = []
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/")
        for method, what in methods.items():
            if method == "parameters":
                continue
            names.append(what["operationId"])
            assert what["summary"].endswith("."), what["operationId"]
            assert what["security"][0]["bearer"][0] in set(APIScope)
            for status in ("401", "403", "429", "503"):
                assert "application/problem+json" in what["responses"][status]["content"], (path, status)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("status", ["200", "201"])
def test_every_answer_has_a_schema(app: Flask, status: str) -> None:
    found = [
        what["responses"][status]["content"]["application/json"]["schema"]
        for methods in openapi_document(app)["paths"].values()
        for method, what in methods.items()
        if method != "parameters" and status in what["responses"]
    ]
    assert found
    assert all("$ref" in schema for schema in found)


def test_the_page_has_every_operation_scope_and_problem(app: Flask) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for path, methods in openapi_document(app)["paths"].items():
        for method in methods.keys() - {"parameters"}:
            said = f"{method.upper()} {path.removeprefix('/api/v1').replace('{message_id}', '{id}')}"
            assert f"`{said}`" in text, said
    assert {scope.value for scope in APIScope} <= set(rows(text)) | set(text.split("`"))
    assert set(PROBLEMS) <= set(rows(text))


def test_sending_is_described_with_its_key_and_what_a_repeated_order_is_answered(app: Flask) -> None:
    post = openapi_document(app)["paths"]["/api/v1/messages"]["post"]
    assert [(each["in"], each["name"]) for each in post["parameters"]] == [("header", "Idempotency-Key")]
    schemas = [post["responses"][status]["content"]["application/json"]["schema"] for status in ("200", "201")]
    assert schemas[0] == schemas[1] == {"$ref": "#/components/schemas/Message"}


def test_whatever_else_goes_wrong_is_described_as_a_problem(app: Flask) -> None:
    content = openapi_document(app)["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
