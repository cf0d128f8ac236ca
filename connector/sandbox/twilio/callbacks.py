"""How do the webhooks of the gateway look and when are they tried again?

A callback is tried again once when the connection fails; the URL's fragment may ask for other numbers:
`#rc=3` tries three times more, `#rp=all` also after time-outs and HTTP errors (twilio.com/docs/usage/webhooks,
"connection overrides").
"""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from connector.sandbox.gateways.courier import Callback, CallbackResult
from connector.sandbox.gateways.skin import Call
from connector.sandbox.twilio.signing import SIGNATURE_HEADER, sign


def form_call(url: str, form: Mapping[str, str]) -> Call:
    """A webhook with these fields, not signed yet."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "TwilioProxy/1.1"}
    return Call("POST", url, headers, urlencode(form).encode("ascii"))


def form_of(call: Call) -> dict[str, str]:
    """The fields of a webhook."""
    return dict(parse_qsl(call.body.decode("ascii"), keep_blank_values=True))


def signed(callback: Callback, auth_token: str, tries: int) -> Call:
    """The webhook as it goes out; its idempotency token stays the same when it is tried again."""
    call = callback.call.with_headers(I_Twilio_Idempotency_Token=callback.token)
    if callback.signing == "unsigned" and tries == 0:
        return call
    token = f"not {auth_token}" if callback.signing == "forged" else auth_token
    return call.with_headers(**{SIGNATURE_HEADER: sign(token, call.url, form_of(call))})


def retry_after(result: CallbackResult, tries: int) -> timedelta | None:
    """At once, for a callback that failed `tries` times and is sent again; else None."""
    wishes = parse_qs(urlsplit(result.call.url).fragment)
    count = int(wishes.get("rc", ["1"])[0])
    policy = wishes.get("rp", ["ct"])[0].split(",")
    return timedelta() if tries <= count and ("all" in policy or _reason(result) in policy) else None


def _reason(result: CallbackResult) -> str:
    if result.status is not None:
        return f"{result.status // 100}xx"
    return "rt" if result.error == "ReadTimeout" else "ct"
