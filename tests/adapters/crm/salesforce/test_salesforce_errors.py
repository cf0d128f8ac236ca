"""Does every refusal of Salesforce's mean the right thing, and say nothing it should not?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from connector.adapters.crm.salesforce.errors import of_answer, of_row, translated
from connector.errors import (
    CRMAmbiguousError,
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
)
from connector.ports.crm import MISSING_SCOPES
from tests.adapters.crm.contract import a_text
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

NUMBER = "+12025550143"


def body(code: str, message: str = "", fields: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "INVALID_SESSION_ID", CRMDisconnectedError),
        (403, "REQUEST_LIMIT_EXCEEDED", CRMUnavailableError),
        (400, "UNABLE_TO_LOCK_ROW", CRMUnavailableError),
        (400, "STORAGE_LIMIT_EXCEEDED", CRMUnavailableError),
        (429, "", CRMUnavailableError),
        (403, "INSUFFICIENT_ACCESS", CRMRefusedError),
        (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", CRMRefusedError),
        (404, "NOT_FOUND", CRMRefusedError),
        (300, "", CRMRefusedError),
        (410, "UNSUPPORTED_API_VERSION", CRMRefusedError),
        (408, "", CRMAmbiguousError),
        (500, "UNKNOWN_EXCEPTION", CRMAmbiguousError),
        (502, "", CRMAmbiguousError),
        (503, "SERVER_UNAVAILABLE", CRMAmbiguousError),
    ],
)
def test_a_refused_creation_means_what_its_code_says(status: int, code: str, kind: type[CRMError]) -> None:
    error = of_answer("create Tasks", status, body(code), is_repeatable=False)
    assert type(error) is kind
    assert (error.status, error.category) == (status, code)


def test_what_may_be_repeated_is_never_ambiguous() -> None:
    for status in (408, 500, 503):
        assert type(of_answer("update Tasks", status, "<html>", is_repeatable=True)) is CRMUnavailableError


@pytest.mark.parametrize("key", ["errorCode", "statusCode"])
def test_the_word_of_a_row_stands_under_either_name(key: str) -> None:
    error = of_row("create Tasks", [{key: "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}])
    assert isinstance(error, CRMUnavailableError)


def test_a_locked_row_waits_some_seconds_and_not_all_the_same() -> None:
    waits = [of_row("x", [{"statusCode": "UNABLE_TO_LOCK_ROW"}]).retry_after for _ in range(20)]
    assert all(each is not None and timedelta(seconds=2) <= each <= timedelta(seconds=10) for each in waits)
    assert len(set(waits)) > 1


def test_a_gone_quota_waits_for_an_hour() -> None:
    assert of_answer("x", 403, body("REQUEST_LIMIT_EXCEEDED"), True).retry_after == timedelta(hours=1)


def test_an_organisation_without_the_api_may_get_it() -> None:
    assert of_answer("x", 403, body("API_DISABLED_FOR_ORG"), True).category == MISSING_SCOPES


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A task needs a due date", "A task needs a due date"),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Product__c]", "Product__c"),
        ("INVALID_FIELD", f"\nSELECT Id FROM Contact WHERE Phone = '{NUMBER}'\n   ^\nNo such column 'Foo'", "No such"),
        ("STRING_TOO_LONG", "Error: data value too large: dear Maya, your secret (max length=40)", "too large"),
        ("INVALID_EMAIL_ADDRESS", "Email: invalid email address: maya@example.com", "Email"),
        ("JSON_PARSER_ERROR", "Unexpected character at 'dear Maya, secret", "JSON_PARSER_ERROR"),
        ("DUPLICATES_DETECTED", "maya@example.com with (202) 555-0143 is there", "is there"),
    ],
)
def test_a_reason_says_what_to_do_and_quotes_nobody(code: str, message: str, shown: str) -> None:
    text = str(of_answer("create Tasks", 400, body(code, message), is_repeatable=False))
    assert code in text
    assert shown in text
    for secret in (NUMBER, "555-0143", "secret", "maya@example.com", "SELECT"):
        assert secret not in text


def test_the_librarys_own_text_is_never_used() -> None:
    url = f"https://acme.my.salesforce.com/services/data/v68.0/query/?q=SELECT+{NUMBER}"
    with pytest.raises(CRMRefusedError) as caught, translated("find", is_repeatable=True):
        raise SalesforceMalformedRequest(url, 400, "query", body("MALFORMED_QUERY", f"unexpected {NUMBER}"))
    assert NUMBER not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (requests.ConnectTimeout(), CRMUnavailableError),
        (requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "no"))), CRMUnavailableError),  # type: ignore[arg-type]
        (requests.TooManyRedirects(), CRMUnavailableError),
        (requests.ReadTimeout(), CRMAmbiguousError),
        (requests.ConnectionError(ProtocolError("aborted")), CRMAmbiguousError),
        (requests.exceptions.JSONDecodeError("no", "", 0), CRMAmbiguousError),
        (SalesforceGeneralError("https://x", 500, "x", b"<html>"), CRMAmbiguousError),
        (KeyError(0), CRMAmbiguousError),
    ],
)
def test_a_creation_without_an_answer_may_have_happened_unless_it_never_left(
    raised: Exception, kind: type[CRMError]
) -> None:
    with pytest.raises(CRMError) as caught, translated("create Tasks", is_repeatable=False):
        raise raised
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, CRMAmbiguousError),
        ({"kind": "status", "status": 400}, CRMUnavailableError),  # a lock
        ({"kind": "reset"}, CRMAmbiguousError),
        ({"kind": "accept_then_timeout", "then": "reset"}, CRMAmbiguousError),
    ],
)
def test_a_whole_batch_that_fails_says_whether_it_may_have_happened(
    salesforce: Salesforce, fault: dict[str, Any], kind: type[CRMError]
) -> None:
    contact = salesforce.contact()
    options = {name: value for name, value in fault.items() if name != "kind"}
    salesforce.faults.arm("salesforce.collections.create", fault["kind"], **options)
    with pytest.raises(CRMError) as caught:
        salesforce.crm.create(salesforce.account, [a_text("r1", contact)])
    assert type(caught.value) is kind


def test_no_connection_at_all_has_certainly_done_nothing(salesforce: Salesforce) -> None:
    salesforce.crm._records.calls.clients.url = "http://127.0.0.1:1"
    with pytest.raises(CRMUnavailableError, match="no connection"):
        salesforce.crm.create(salesforce.account, [a_text("r1", salesforce.contact())])


def test_a_redirect_is_not_followed_with_our_token(salesforce: Salesforce) -> None:
    headers = {"Location": "https://evil.example/"}
    salesforce.faults.arm("salesforce.query", "status", status=302, headers=headers)
    with pytest.raises(CRMUnavailableError, match="redirect"):
        salesforce.crm.search(salesforce.account, "deal", [], [])


def test_an_answer_that_is_no_page_cannot_be_read(salesforce: Salesforce) -> None:
    salesforce.world.create(ORG, "Account", {"Name": "Acme"})
    salesforce.faults.arm("salesforce.query", "status", status=200, body={"hello": "there"})
    with pytest.raises(CRMUnavailableError, match="cannot be read"):
        salesforce.crm.search(salesforce.account, "company", [], [])
