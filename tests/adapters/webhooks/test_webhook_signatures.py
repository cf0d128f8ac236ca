"""Is a webhook let in whose proof holds, in every way of signing, and none whose proof does not?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.adapters.webhook_signatures import TOLERANCE, verify_webhook
from connector.domain.webhook_sources import Signature, SignatureKind
from connector.errors import SignatureError
from tests.adapters.webhooks.signing import based, hexed, timestamped

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SECRET, BODY = "whsec_of_the_example", b'{"id":"evt_1","type":"invoice.paid"}'
STRIPE = Signature(SignatureKind.TIMESTAMPED, "Stripe-Signature")
GITHUB = Signature(SignatureKind.HMAC, "X-Hub-Signature-256", prefix="sha256=")
SHOPIFY = Signature(SignatureKind.HMAC, "X-Shopify-Hmac-Sha256", encoding="base64")
BARE = Signature(SignatureKind.HMAC, "X-Signature")
TOKEN = Signature(SignatureKind.TOKEN, "X-Token")

GOOD = [
    (STRIPE, timestamped(SECRET, BODY, NOW)),
    (GITHUB, {"X-Hub-Signature-256": "sha256=" + hexed(SECRET, BODY)}),
    (SHOPIFY, {"X-Shopify-Hmac-Sha256": based(SECRET, BODY)}),
    (BARE, {"X-Signature": hexed(SECRET, BODY)}),
    (TOKEN, {"X-Token": SECRET}),
]


@pytest.mark.parametrize(("signature", "headers"), GOOD)
def test_a_proof_that_holds_lets_in(signature: Signature, headers: dict[str, str]) -> None:
    verify_webhook(signature, headers, BODY, ["another-secret", SECRET], NOW)
    verify_webhook(signature, {name.lower(): value for name, value in headers.items()}, BODY, [SECRET], NOW)


@pytest.mark.parametrize(("signature", "headers"), GOOD[:4])
def test_another_body_is_refused(signature: Signature, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError, match="does not hold"):
        verify_webhook(signature, headers, BODY + b" ", [SECRET], NOW)


@pytest.mark.parametrize(("signature", "headers"), GOOD)
def test_another_secret_is_refused_and_told_to_nobody(signature: Signature, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError) as refused:
        verify_webhook(signature, headers, BODY, ["the-wrong-secret"], NOW)
    assert "the-wrong-secret" not in str(refused.value)
    assert all(value not in str(refused.value) for value in headers.values())


@pytest.mark.parametrize(("signature", "headers"), GOOD)
@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_comes_in(signature: Signature, headers: dict[str, str], secrets: list[str]) -> None:
    with pytest.raises(SignatureError, match="no secret"):
        verify_webhook(signature, headers, BODY, secrets, NOW)


def test_a_token_that_is_empty_does_not_match_an_empty_secret() -> None:
    with pytest.raises(SignatureError, match="missing"):
        verify_webhook(TOKEN, {"X-Token": " "}, BODY, ["", SECRET], NOW)


@pytest.mark.parametrize(("signature", "headers"), GOOD)
def test_a_request_without_the_header_is_refused(signature: Signature, headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError, match="missing or too long"):
        verify_webhook(signature, {}, BODY, [SECRET], NOW)
    with pytest.raises(SignatureError, match="missing or too long"):
        verify_webhook(signature, {name: value + "0" * 5000 for name, value in headers.items()}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("away", [TOLERANCE, -TOLERANCE])
def test_a_timestamp_five_minutes_away_still_holds_and_a_second_more_does_not(away: timedelta) -> None:
    verify_webhook(STRIPE, timestamped(SECRET, BODY, NOW - away), BODY, [SECRET], NOW)
    further = away + (timedelta(seconds=1) if away > timedelta(0) else timedelta(seconds=-1))
    with pytest.raises(SignatureError, match="more than five minutes"):
        verify_webhook(STRIPE, timestamped(SECRET, BODY, NOW - further), BODY, [SECRET], NOW)


def test_the_time_is_signed_too() -> None:
    (signed,) = timestamped(SECRET, BODY, NOW - timedelta(hours=1)).values()
    fresh = f"t={int(NOW.timestamp())},{signed.partition(',')[2]}"
    with pytest.raises(SignatureError, match="does not hold"):
        verify_webhook(STRIPE, {"Stripe-Signature": fresh}, BODY, [SECRET], NOW)


def test_one_of_several_v1_is_enough_while_a_secret_is_replaced() -> None:
    (signed,) = timestamped(SECRET, BODY, NOW).values()
    stamp, _, good = signed.partition(",")
    (other,) = timestamped("the-older-secret", BODY, NOW).values()
    both = f"{stamp}, {other.partition(',')[2]}, {good}, v0={'0' * 64}"
    verify_webhook(STRIPE, {"Stripe-Signature": both}, BODY, [SECRET], NOW)


def test_a_signature_of_another_scheme_does_not_hold() -> None:
    (signed,) = timestamped(SECRET, BODY, NOW).values()
    with pytest.raises(SignatureError, match="does not hold"):
        verify_webhook(STRIPE, {"Stripe-Signature": signed.replace("v1=", "v0=")}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("stamp", ["", "t=", "t=soon", "t=-5", "t=1,t=2", "t=999999999999", "t=\uff11\uff17", "v1"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    with pytest.raises(SignatureError, match=r"no number of seconds|no time|five minutes"):
        verify_webhook(STRIPE, {"Stripe-Signature": f"{stamp},v1={'0' * 64}"}, BODY, [SECRET], NOW)


def test_a_prefix_is_asked_for_where_there_is_one() -> None:
    with pytest.raises(SignatureError, match="sha256="):
        verify_webhook(GITHUB, {"X-Hub-Signature-256": hexed(SECRET, BODY)}, BODY, [SECRET], NOW)


def test_capitals_make_no_difference_in_hex_but_in_base64_and_in_tokens() -> None:
    verify_webhook(BARE, {"X-Signature": hexed(SECRET, BODY).upper()}, BODY, [SECRET], NOW)
    for signature, headers in ((SHOPIFY, based(SECRET, BODY).swapcase()), (TOKEN, SECRET.upper())):
        with pytest.raises(SignatureError, match="does not hold"):
            verify_webhook(signature, {signature.header: headers}, BODY, [SECRET], NOW)


@pytest.mark.parametrize("signature", [STRIPE, GITHUB, SHOPIFY, BARE, TOKEN])
@pytest.mark.parametrize("sent", ["sha256=\udcff", "t=1763647200,v1=\udcff", "=,=,=", "ü" * 64])
def test_rubbish_in_the_header_is_refused_and_breaks_nothing(signature: Signature, sent: str) -> None:
    with pytest.raises(SignatureError):
        verify_webhook(signature, {signature.header: sent}, BODY, [SECRET], NOW)
