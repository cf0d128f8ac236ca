"""Which form fields do the gateway's two webhooks carry?

Source: twilio.com/docs/messaging/guides, "Track the message status of outbound messages" and "Twilio's request to
your incoming message webhook URL".
"""

from datetime import datetime

import phonenumbers

from connector.sandbox.twilio.messages import API_VERSION, Message


def status_form(message: Message, at: datetime) -> dict[str, str]:
    """The fields of a status callback about the status the message has now."""
    form = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.sender,
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.service_sid:
        form["MessagingServiceSid"] = message.service_sid
    if message.error_code is not None:
        form["ErrorCode"] = str(message.error_code)
    if message.status in {"delivered", "undelivered"}:
        form["RawDlrDoneDate"] = at.strftime("%y%m%d%H%M")
    return form


def inbound_form(message: Message, opt_out_type: str | None) -> dict[str, str]:
    """The fields of the webhook about a message that came in; places nobody knows are empty, yet signed."""
    form = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "MessageSid": message.sid,
        "NumMedia": "0",
        "NumSegments": str(message.segments),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": "received",
        **_place("From", message.sender),
        **_place("To", message.to),
    }
    if message.service_sid:
        form["MessagingServiceSid"] = message.service_sid
    if opt_out_type:
        form["OptOutType"] = opt_out_type
    return form


def _place(side: str, number: str) -> dict[str, str]:
    places = dict.fromkeys((f"{side}City", f"{side}State", f"{side}Zip"), "")
    return {side: number, f"{side}Country": _country(number), **places}


def _country(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_country_code(parsed.country_code or 0)
