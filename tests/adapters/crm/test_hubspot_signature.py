"""Is a request from HubSpot told from one that is not? Vectors as HubSpot publishes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from connector.adapters.crm.hubspot.signature import verify
from connector.errors import SignatureError

SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
URL = "https://www.example.com/webhook_uri"
V1_BODY = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
    b'"changeFlag":"NEW","appId":54321}]'
)
V1 = {
    "X-HubSpot-Signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de",
    "X-HubSpot-Signature-Version": "v1",
}
V2_BODY = b'{"example_field":"example_value"}'
V2 = {
    "X-HubSpot-Signature": "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
    "X-HubSpot-Signature-Version": "v2",
}
V3_BODY = b"{'example_field':'example_value'}"
V3 = {
    "X-HubSpot-Signature-v3": "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    "X-HubSpot-Request-Timestamp": "1693657560000",
}
SIGNED_AT = datetime.fromtimestamp(1693657560, UTC)


def v3_of(url: str, body: bytes, at: datetime, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(at.timestamp() * 1000))
    digest = hmac.digest(secret.encode(), b"POST" + url.encode() + body + timestamp.encode(), hashlib.sha256)
    return {"x-hubspot-signature-v3": base64.b64encode(digest).decode(), "x-hubspot-request-timestamp": timestamp}


def test_published_v3_vector_holds() -> None:
    assert verify("POST", URL, V3, V3_BODY, [SECRET], SIGNED_AT) == "v3"


def test_second_v3_vector_holds() -> None:
    sent = {
        "X-HubSpot-Signature-v3": "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=",
        "X-HubSpot-Request-Timestamp": "1700000300000",
    }
    now = datetime.fromtimestamp(1700000300, UTC)
    assert verify("POST", URL, sent, V3_BODY, [SECRET], now) == "v3"


def test_published_v1_vector_holds_when_no_v3_is_there() -> None:
    assert verify("POST", URL, V1, V1_BODY, [SECRET], SIGNED_AT) == "v1"


def test_published_v2_vector_holds_where_v2_is_accepted() -> None:
    assert verify("POST", URL, V2, V2_BODY, [SECRET], SIGNED_AT, accept=("v3", "v2")) == "v2"


def test_v2_is_refused_where_it_is_not_accepted() -> None:
    with pytest.raises(SignatureError, match="accepted here"):
        verify("POST", URL, V2, V2_BODY, [SECRET], SIGNED_AT)


def test_a_good_v1_does_not_rescue_a_bad_v3() -> None:
    sent = V1 | V3  # V3 signs another body
    with pytest.raises(SignatureError, match="v3"):
        verify("POST", URL, sent, V1_BODY, [SECRET], SIGNED_AT)


@pytest.mark.parametrize("offset", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_either_way_are_granted(offset: timedelta) -> None:
    assert verify("POST", URL, V3, V3_BODY, [SECRET], SIGNED_AT + offset) == "v3"


@pytest.mark.parametrize("offset", [timedelta(seconds=301), timedelta(seconds=-301), timedelta(days=-365)])
def test_older_requests_and_requests_from_the_future_are_refused(offset: timedelta) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify("POST", URL, V3, V3_BODY, [SECRET], SIGNED_AT + offset)


@pytest.mark.parametrize(
    "timestamp", ["", "1693657560", "1693657560000\n", "-693657560000", "169365756000x", "١٦٩٣٦٥٧٥٦٠٠٠٠"]
)
def test_a_timestamp_that_is_no_epoch_in_milliseconds_is_refused(timestamp: str) -> None:
    sent = V3 | {"X-HubSpot-Request-Timestamp": timestamp}
    with pytest.raises(SignatureError, match="timestamp"):
        verify("POST", URL, sent, V3_BODY, [SECRET], SIGNED_AT)


def test_a_missing_timestamp_is_refused() -> None:
    sent = {"X-HubSpot-Signature-v3": V3["X-HubSpot-Signature-v3"]}
    with pytest.raises(SignatureError, match="timestamp"):
        verify("POST", URL, sent, V3_BODY, [SECRET], SIGNED_AT)


@pytest.mark.parametrize("signature", ["", "é" * 44, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y", "\udcff"])
def test_a_signature_of_any_bytes_is_refused_and_not_a_crash(signature: str) -> None:
    with pytest.raises(SignatureError, match="does not hold"):
        verify("POST", URL, V3 | {"X-HubSpot-Signature-v3": signature}, V3_BODY, [SECRET], SIGNED_AT)


@pytest.mark.parametrize(("method", "url"), [("GET", URL), ("POST", URL + "/"), ("POST", "http://x.example/")])
def test_another_method_or_url_is_refused(method: str, url: str) -> None:
    with pytest.raises(SignatureError):
        verify(method, url, V3, V3_BODY, [SECRET], SIGNED_AT)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify("POST", URL, V3, V3_BODY + b" ", [SECRET], SIGNED_AT)


def test_any_of_several_secrets_may_have_signed() -> None:
    assert verify("POST", URL, V3, V3_BODY, ["newer", SECRET], SIGNED_AT) == "v3"
    with pytest.raises(SignatureError):
        verify("POST", URL, V3, V3_BODY, ["newer", "newest"], SIGNED_AT)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_the_endpoint_is_closed(secrets: list[str]) -> None:
    sent = v3_of(URL, V3_BODY, SIGNED_AT, secret="")
    with pytest.raises(SignatureError, match="no HubSpot client secret"):
        verify("POST", URL, sent, V3_BODY, secrets, SIGNED_AT)


def test_the_listed_escapes_are_decoded_before_v3_is_checked_and_no_others() -> None:
    plain = "https://sms.example/a:b/c?d=@!$'()*,;&e=%20%5B"
    escaped = "https://sms.example/a%3Ab%2fc?d=%40%21%24%27%28%29%2A%2C%3B&e=%20%5B"
    assert verify("POST", escaped, v3_of(plain, b"[]", SIGNED_AT), b"[]", [SECRET], SIGNED_AT) == "v3"


def test_no_signature_at_all_is_refused() -> None:
    with pytest.raises(SignatureError, match="no signature"):
        verify("POST", URL, {}, V3_BODY, [SECRET], SIGNED_AT)


def test_v3_is_refused_where_only_v2_is_accepted() -> None:
    with pytest.raises(SignatureError, match="accepted here"):
        verify("POST", URL, V3, V3_BODY, [SECRET], SIGNED_AT, accept=("v2",))
