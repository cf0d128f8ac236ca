"""Which signature does the emulated gateway put on a webhook?

Source: twilio.com/docs/usage/security, "Validating requests are coming from Twilio".
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urldefrag

SIGNATURE_HEADER = "X-Twilio-Signature"


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Base64 of HMAC-SHA1 over the URL and every form key with its value, keys sorted.

    The fragment of a URL stays with the gateway: it is neither sent nor signed.
    """
    text = urldefrag(url).url + "".join(key + form[key] for key in sorted(form))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")
