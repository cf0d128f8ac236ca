"""Does the pretend Telesign refuse what the real one refuses, in its own words?"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.telesign import API_KEY, CUSTOMER_ID, TelesignSkin
from tests.adapters.sms.contract import NUMBER


@pytest.fixture
def sandbox() -> Iterator[GatewaySandbox]:
    box = GatewaySandbox(TelesignSkin())
    with box.server:
        yield box


GOOD = {"phone_number": NUMBER[1:], "message": "Hi", "message_type": "ARN"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({**GOOD, "phone_number": ""}, 12000),
        ({**GOOD, "message": ""}, 12009),
        ({**GOOD, "message_type": ""}, 12017),
        ({**GOOD, "phone_number": NUMBER}, 11000),
        ({**GOOD, "message": "x" * 1601}, 11009),
        ({**GOOD, "message_type": "SPAM"}, 11017),
        ({**GOOD, "sender_id": "+12025550100"}, 11013),
        ({**GOOD, "external_id": "é"}, 11016),
        ({**GOOD, "callback_url": "nowhere"}, 11004),
        ({**GOOD, "dlt_entity_id": "x"}, 11035),
        ({**GOOD, "dlt_template_id": "x"}, 11034),
        ({**GOOD, "reference": "x"}, -10001),
    ],
)
def test_pretend_telesign_refuses_with_the_vendors_codes(
    sandbox: GatewaySandbox, form: dict[str, str], code: int
) -> None:
    answer = httpx.post(f"{sandbox.url}/v1/messaging", auth=(CUSTOMER_ID, API_KEY), data=form)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert sandbox.world.messages() == []


def test_pretend_telesign_wants_to_know_who_asks_and_what_in(sandbox: GatewaySandbox) -> None:
    assert httpx.post(f"{sandbox.url}/v1/messaging", data=GOOD).json()["errors"][0]["code"] == 10009
    not_json = httpx.post(f"{sandbox.url}/v1/phoneid/{NUMBER[1:]}", auth=(CUSTOMER_ID, API_KEY), data=GOOD)
    assert not_json.status_code == 400
