"""What does the receiver of an inbound message ask the gateway to send back?

TwiML for messaging (twilio.com/docs/messaging/twiml): `<Response/>` is silence, `<Message>` is a text. An answer
of type text/plain is sent to the person as it stands.
"""

import xml.etree.ElementTree as ET


class NotTwiMLError(ValueError):
    """The answer is no TwiML document (the vendor's error 12100)."""


def texts(body: str, content_type: str) -> list[str]:
    """The texts to send back, in order; an empty answer is silence."""
    if not body.strip():
        return []
    if content_type.startswith("text/plain"):
        return [body]
    try:
        root = ET.fromstring(body)  # noqa: S314 - answered by the connector under test, on loopback
    except ET.ParseError as error:
        raise NotTwiMLError(str(error)) from error
    if root.tag != "Response":
        raise NotTwiMLError(f"<{root.tag}> instead of <Response>")
    return [_text(message) for message in root.iter("Message")]


def _text(message: ET.Element) -> str:
    bodies = [part.text or "" for part in message.findall("Body")]
    return "".join(bodies) if bodies else (message.text or "").strip()
