"""Does the checker of requests see what is wrong with one?"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.adapters.sms.openapi_requests import FORM, Document, read_document

SMALL = Path(__file__).parent / "fixtures" / "twilio" / "openapi.yaml"
ACCOUNT, MESSAGE = "AC" + "0" * 32, "SM" + "0a" * 16
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
GOOD = {
    "To": "+12025550143",
    "From": "+12025550100",
    "Body": "Hi & bye\n",
    "StatusCallback": "https://sms.example.com/a",
}
BASIC = {"Authorization": "Basic YTpi"}


@pytest.fixture(scope="module")
def document() -> Document:
    return read_document(SMALL)


def post(form: dict[str, str] | list[tuple[str, str]], path: str = MESSAGES, media: str = FORM) -> httpx.Request:
    headers = BASIC | {"Content-Type": media}
    return httpx.Request("POST", f"https://api.twilio.com{path}", content=urlencode(form), headers=headers)


def get(path: str, headers: dict[str, str] = BASIC) -> httpx.Request:
    return httpx.Request("GET", f"http://127.0.0.1:8080{path}", headers=headers)


@pytest.mark.parametrize(
    "request_",
    [
        post(GOOD),
        post(GOOD, media=f"{FORM}; charset=utf-8"),
        post(GOOD | {"ValidityPeriod": "36000", "SmartEncoded": "true", "MaxPrice": "0.05"}),
        post(GOOD | {"ScheduleType": "fixed", "SendAt": "2026-11-21T09:00:00Z"}),
        post([*GOOD.items(), ("MediaUrl", "https://a.example/1"), ("MediaUrl", "https://a.example/2")]),
        get(f"{MESSAGES}?To=%2B12025550143&PageSize=100"),
        get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{MESSAGE}.json"),
        get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/latest.json", {}),
        post({"Body": ""}, f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{MESSAGE}.json"),
        get("/v2/PhoneNumbers/+12025550143?Fields=line_type_intelligence"),
        get("/v2/PhoneNumbers/%2B12025550143?Fields=line_type_intelligence"),
    ],
)
def test_sound_request_has_no_mistakes(document: Document, request_: httpx.Request) -> None:
    assert document.mistakes(request_) == []


@pytest.mark.parametrize(
    ("request_", "mistake"),
    [
        (get("/2010-04-01/Messages.json"), "no operation GET /2010-04-01/Messages.json"),
        (httpx.Request("PUT", f"https://api.twilio.com{MESSAGES}", headers=BASIC), f"no operation PUT {MESSAGES}"),
        (get(MESSAGES.replace(ACCOUNT, "AC1")), "path: Account breaks minLength 34"),
        (get(MESSAGES.replace(ACCOUNT, "AC" + "0" * 33)), "path: Account breaks maxLength 34"),
        (get(MESSAGES.replace(ACCOUNT, "XX" + "0" * 32)), "path: Account breaks pattern ^AC"),
        (get(f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"), "path: Undeclared is not declared"),
        (get(f"{MESSAGES}?Colour=red"), "query: Colour is not known"),
        (get(f"{MESSAGES}?PageSize=many"), "query: PageSize breaks type integer"),
        (get(f"{MESSAGES}?PageSize=0"), "query: PageSize breaks minimum 1"),
        (get(f"{MESSAGES}?PageSize=1001"), "query: PageSize breaks maximum 1000"),
        (get(f"{MESSAGES}?To=a&To=b"), "query: To is given 2 times"),
        (get("/v2/PhoneNumbers/+12025550143"), "query: Fields is missing"),
        (get("/v2/PhoneNumbers/12025550143?Fields=x"), r"path: Number breaks pattern ^\+[0-9]+$"),
        (get(MESSAGES, {}), "credentials: Basic is wanted"),
        (get(MESSAGES, {"Authorization": "Bearer x"}), "credentials: Basic is wanted"),
        (post({}), "body: is missing"),
        (post({"Body": "Hi"}), "body: To is missing"),
        (post(GOOD | {"Boddy": "Hi"}), "body: Boddy is not known"),
        (post(GOOD | {"body": "Hi"}), "body: body is not known"),
        (post([*GOOD.items(), ("To", "+12025550144")]), "body: To is given 2 times"),
        (post(GOOD | {"ValidityPeriod": "90.5"}), "body: ValidityPeriod breaks type integer"),
        (post(GOOD | {"ValidityPeriod": "36001"}), "body: ValidityPeriod breaks maximum 36000"),
        (post(GOOD | {"SmartEncoded": "True"}), "body: SmartEncoded breaks type boolean"),
        (post(GOOD | {"MaxPrice": "cheap"}), "body: MaxPrice breaks type number"),
        (post(GOOD | {"ScheduleType": "later"}), "body: ScheduleType breaks enum ['fixed']"),
        (post(GOOD | {"SendAt": "tomorrow"}), "body: SendAt breaks format date-time"),
        (post(GOOD | {"SendAt": "2026-11-21T09:00:00"}), "body: SendAt breaks format date-time"),
        (post(GOOD | {"StatusCallback": "/callbacks"}), "body: StatusCallback breaks format uri"),
        (post(GOOD | {"StatusCallback": "https://a b"}), "body: StatusCallback breaks format uri"),
        (post(GOOD | {"MediaUrl": "picture.jpg"}), "body: MediaUrl breaks format uri"),
        (post(GOOD, media="text/plain"), "body: text/plain is not taken"),
        (post(GOOD, media=""), "body: no media type is not taken"),
        (post(GOOD, media="application/json"), "body: application/json is nothing this checker can read"),
    ],
)
def test_every_mistake_is_named(document: Document, request_: httpx.Request, mistake: str) -> None:
    assert document.mistakes(request_) == [mistake]


def test_all_mistakes_are_told_at_once(document: Document) -> None:
    assert len(document.mistakes(post({"Boddy": "x", "SmartEncoded": "yes"}, MESSAGES.replace(ACCOUNT, "XX")))) == 5


def test_operation_says_where_it_is_served(document: Document) -> None:
    assert document.servers("POST", MESSAGES) == {"https://api.twilio.com"}
    assert document.servers("GET", "/v2/PhoneNumbers/1") == {"https://lookups.twilio.com"}
    with pytest.raises(ValueError, match="no PATCH"):
        document.servers("PATCH", MESSAGES)


def test_document_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"openapi": "3.0.1", "paths": {"/a": {"get": {}}}}))
    assert read_document(path).mistakes(get("/a")) == []


def test_what_is_no_such_document_is_refused() -> None:
    with pytest.raises(ValueError, match="OpenAPI 3"):
        Document({"swagger": "2.0"})
