"""Does every failed HubSpot call mean what it should, for reads and for creations?"""

from __future__ import annotations

import socket
import traceback
from datetime import timedelta
from typing import Any

import pytest

from connector.adapters.crm.hubspot import dated_client
from connector.errors import (
    CRMAmbiguousError,
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
)
from connector.ports.crm import MISSING_SCOPES
from tests.adapters.crm.conftest import HubSpot
from tests.adapters.crm.contract import a_text

READ, CREATE = "hubspot.contacts.batch_read", "hubspot.communications.batch_create"
UPDATE = "hubspot.communications.batch_update"


def failure_of_read(hubspot: HubSpot, kind: str, **options: Any) -> CRMError:
    hubspot.faults.arm(READ, kind, times=2, **options)
    with pytest.raises(CRMError) as caught:
        hubspot.crm.read_contacts(hubspot.account, ["1"], {})
    return caught.value


def failure_of_create(hubspot: HubSpot, kind: str, **options: Any) -> CRMError:
    hubspot.faults.arm(CREATE, kind, times=None, **options)
    with pytest.raises(CRMError) as caught:
        hubspot.crm.create(hubspot.account, [a_text("r1", hubspot.contact()), a_text("r2", hubspot.contact())])
    return caught.value


@pytest.mark.parametrize(
    ("status", "of_read", "of_create"),
    [
        (401, CRMDisconnectedError, CRMDisconnectedError),
        (403, CRMRefusedError, CRMRefusedError),
        (405, CRMRefusedError, CRMRefusedError),
        (408, CRMUnavailableError, CRMAmbiguousError),
        (423, CRMUnavailableError, CRMUnavailableError),
        (429, CRMUnavailableError, CRMUnavailableError),
        (477, CRMUnavailableError, CRMUnavailableError),
        (500, CRMUnavailableError, CRMAmbiguousError),
        (502, CRMUnavailableError, CRMAmbiguousError),
        (503, CRMUnavailableError, CRMAmbiguousError),
        (504, CRMUnavailableError, CRMAmbiguousError),
        (521, CRMUnavailableError, CRMUnavailableError),
        (523, CRMUnavailableError, CRMUnavailableError),
        (524, CRMUnavailableError, CRMAmbiguousError),
    ],
)
def test_each_status_means_one_thing_for_a_read_and_one_for_a_creation(
    hubspot: HubSpot, status: int, of_read: type[CRMError], of_create: type[CRMError]
) -> None:
    read, created = (
        failure_of_read(hubspot, "status", status=status),
        failure_of_create(hubspot, "status", status=status),
    )
    assert (type(read), type(created)) == (of_read, of_create)
    assert read.status == created.status == status


@pytest.mark.parametrize(
    ("status", "headers", "body", "pause"),
    [
        (423, {}, None, timedelta(seconds=2)),
        (429, {}, None, timedelta(seconds=10)),
        (429, {"Retry-After": "7"}, None, timedelta(seconds=7)),
        (429, {"Retry-After": "soon"}, None, timedelta(seconds=10)),
        (429, {}, {"message": "You have reached your secondly limit.", "policyName": "SECONDLY"}, timedelta(seconds=1)),
        (429, {}, {"message": "You have reached your daily limit.", "policyName": "DAILY"}, timedelta(hours=1)),
        (477, {"Retry-After": "60"}, None, timedelta(minutes=1)),
        (477, {"Retry-After": "9999999"}, None, timedelta(days=1)),
        (503, {}, None, None),
        (503, {"Retry-After": "30"}, None, timedelta(seconds=30)),
    ],
)
def test_the_pause_hubspot_asks_for_is_passed_on(
    hubspot: HubSpot, status: int, headers: dict[str, str], body: Any, pause: timedelta | None
) -> None:
    options = {"body": body} if body else {}
    assert failure_of_read(hubspot, "status", status=status, headers=headers, **options).retry_after == pause


def test_a_missing_scope_refuses_that_call_by_name_and_disconnects_nobody(hubspot: HubSpot) -> None:
    body = {
        "category": "MISSING_SCOPES",
        "message": "This app hasn't been granted all required scopes to make this call.",
        "errors": [{"message": "…", "context": {"requiredGranularScopes": ["crm.objects.owners.read"]}}],
    }
    error = failure_of_read(hubspot, "status", status=403, body=body)
    assert isinstance(error, CRMRefusedError)
    assert error.category == MISSING_SCOPES
    assert "crm.objects.owners.read" in str(error)
    assert hubspot.row().status == "active"


@pytest.mark.parametrize("status", [408, 503])
def test_a_503_that_a_proxy_wrote_is_no_proof_that_nothing_was_created(hubspot: HubSpot, status: int) -> None:
    error = failure_of_create(hubspot, "status", status=status, body="<html>upstream is away</html>")
    assert isinstance(error, CRMAmbiguousError)


def test_a_403_that_is_not_about_scopes_is_a_refusal(hubspot: HubSpot) -> None:
    error = failure_of_read(hubspot, "status", status=403, body={"category": "BANNED", "message": "No."})
    assert isinstance(error, CRMRefusedError)
    assert error.category == "BANNED"


def test_an_update_that_may_have_happened_is_just_done_again(hubspot: HubSpot) -> None:
    hubspot.faults.arm(UPDATE, "status", status=500)
    with pytest.raises(CRMUnavailableError):
        hubspot.crm.update(hubspot.account, [a_text("r1", "1", crm_record_id="7")])


def test_a_reset_after_the_request_left_is_ambiguous_for_a_creation_only(hubspot: HubSpot) -> None:
    assert isinstance(failure_of_read(hubspot, "reset"), CRMUnavailableError)
    assert isinstance(failure_of_create(hubspot, "reset"), CRMAmbiguousError)


def test_silence_after_the_request_left_is_ambiguous_for_a_creation_only(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dated_client, "TIMEOUT", (1.0, 0.05))
    assert isinstance(failure_of_read(hubspot, "timeout"), CRMUnavailableError)
    assert isinstance(failure_of_create(hubspot, "timeout"), CRMAmbiguousError)


def test_a_refused_connection_certainly_did_nothing(hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(hubspot.crm._records.calls.clients, "url", f"http://127.0.0.1:{port}")
    with pytest.raises(CRMUnavailableError, match="no connection"):
        hubspot.crm.create(hubspot.account, [a_text("r1", "1")])


def test_a_page_of_html_with_status_200_is_no_answer(hubspot: HubSpot) -> None:
    page = {"status": 200, "body": "<html>proxy</html>"}
    assert isinstance(failure_of_read(hubspot, "status", **page), CRMUnavailableError)
    assert isinstance(failure_of_create(hubspot, "status", **page), CRMAmbiguousError)


def test_an_answer_that_leaves_a_row_out_is_ambiguous_for_that_row(hubspot: HubSpot) -> None:
    hubspot.faults.arm(CREATE, "status", status=200, body={"status": "COMPLETE", "results": []})
    result = hubspot.crm.create(hubspot.account, [a_text("r1", hubspot.contact())])[0]
    assert isinstance(result.error, CRMAmbiguousError)


@pytest.mark.parametrize("status", [202, 204])
def test_a_2xx_the_client_library_does_not_know_is_no_silent_success(hubspot: HubSpot, status: int) -> None:
    hubspot.faults.arm(CREATE, "status", status=status, body="" if status == 204 else {})
    result = hubspot.crm.create(hubspot.account, [a_text("r1", hubspot.contact())])[0]
    assert isinstance(result.error, CRMAmbiguousError)


def test_a_redirect_is_not_followed_with_the_token(hubspot: HubSpot) -> None:
    error = failure_of_read(hubspot, "status", status=302, headers={"Location": "http://127.0.0.1:9/"})
    assert isinstance(error, CRMUnavailableError)
    assert "redirect" in str(error)


def test_no_error_and_no_trace_quotes_numbers_addresses_or_values(hubspot: HubSpot) -> None:
    body = {
        "message": 'Property values were not valid: [{"isValid":false,"message":"+12025550143 is no owner"}]',
        "category": "VALIDATION_ERROR",
        "errors": [
            {"message": "+12025550143", "code": "INVALID_OPTION", "context": {"propertyName": ["hubspot_owner_id"]}}
        ],
    }
    error = failure_of_read(hubspot, "status", status=400, body=body)
    shown = "".join(traceback.format_exception(error))
    assert "2025550143" not in shown
    assert str(error) == "read contacts: Property values were not valid: hubspot_owner_id INVALID_OPTION"
    hubspot.faults.clear()
    plain = failure_of_read(
        hubspot, "status", status=409, body={"message": "Contact maya@example.com, +1 202-555-0143 exists"}
    )
    assert str(plain) == "read contacts: Contact …, … exists"


def test_an_error_body_of_any_shape_is_no_crash(hubspot: HubSpot) -> None:
    for body in ("[]", "null", "{", '{"errors": ["x", {"context": []}], "message": null}'):
        error = failure_of_read(hubspot, "status", status=400, body=body)
        assert isinstance(error, CRMRefusedError)
        assert str(error) == "read contacts: HTTP 400"
        hubspot.faults.clear()
