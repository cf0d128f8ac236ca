"""How is each gateway of the catalogue started against its pretend vendor?

A new gateway is one function and one line in `STARTED` here; `test_every_gateway_is_proved` fails until it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from connector.adapters.sms.aws_sms import AWSSMSGateway
from connector.adapters.sms.aws_sms_callbacks import AWSCallbacks
from connector.adapters.sms.aws_sns import AWSSNSGateway
from connector.adapters.sms.infobip import InfobipGateway
from connector.adapters.sms.messagebird import MessageBirdGateway
from connector.adapters.sms.plivo import PlivoGateway
from connector.adapters.sms.sigv4 import RequestSigner
from connector.adapters.sms.sinch import SinchGateway
from connector.adapters.sms.sinch_callbacks import Trust as SinchTrust
from connector.adapters.sms.smsgatewayhub import SMSGatewayHubGateway
from connector.adapters.sms.sns_signature import SNSHost
from connector.adapters.sms.telesign import TelesignGateway
from connector.adapters.sms.telnyx import TelnyxGateway
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.sms.vonage import VonageGateway
from connector.adapters.sms.vonage_callbacks import Trust as VonageTrust
from connector.adapters.sms.vonage_messages import VonageMessagesGateway
from connector.ports.gateway import SMSGateway
from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways import infobip, messagebird, plivo, smsgatewayhub, telesign, telnyx, vonage_account
from connector.sandbox.gateways.aws_sigv4 import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from connector.sandbox.gateways.aws_sms import AWSSMSSkin
from connector.sandbox.gateways.aws_sns import AWSSNSSkin
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.sinch import SinchSkin
from connector.sandbox.gateways.sinch_api import API_TOKEN, SERVICE_PLAN_ID
from connector.sandbox.gateways.skin import Skin
from connector.sandbox.gateways.vonage import VonageSkin
from connector.sandbox.gateways.vonage_messages import VonageMessagesSkin
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from tests.faults.emulated import CALLBACK_KEY, PUBLIC_URL, SENDER, Door, Emulated, OverHTTP, ThoroughFaults
from tests.faults.smpp_emulated import OverSMPP

_SECRET, _REGION = "a-signing-secret", "us-east-1"


def started(slug: str) -> Emulated:
    """Start a gateway's pretend vendor with its adapter; `stop` it afterwards."""
    return STARTED[slug]()


def _served(skin: Skin, build: Callable[[str], SMSGateway], status_url: str | None = None) -> Emulated:
    door = Door()
    inbound = f"{PUBLIC_URL}/{skin.slug}/inbound?key={CALLBACK_KEY}"
    box = GatewaySandbox(
        skin,
        SandboxClock(),
        Pace.fast(),
        faults=ThoroughFaults(),
        post=door,
        inbound_url=inbound,
        status_url=status_url,
    )
    return OverHTTP(skin.slug, box, door, build)


def _twilio() -> Emulated:
    door = Door()
    world = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN, pace=Pace.fast())
    world.add_sender(SENDER)
    box = TwilioSandbox(world, faults=ThoroughFaults(), post=door)
    return OverHTTP(
        "twilio",
        box,
        door,
        lambda url: TwilioGateway(ACCOUNT_SID, [AUTH_TOKEN], url, sender=SENDER),
        send="twilio.messages.create",
    )


def _vonage() -> Emulated:
    return _served(
        VonageSkin(_SECRET, "sha256", page_size=2),
        lambda url: VonageGateway(
            vonage_account.API_KEY,
            vonage_account.API_SECRET,
            SENDER,
            VonageTrust((_SECRET,), "sha256"),
            rest_url=url,
            api_url=url,
        ),
    )


def _vonage_messages() -> Emulated:
    return _served(
        VonageMessagesSkin(page_size=2),
        lambda url: VonageMessagesGateway(
            vonage_account.API_KEY, vonage_account.API_SECRET, SENDER, [vonage_account.SIGNATURE_SECRET], api_url=url
        ),
    )


def _sinch() -> Emulated:
    trust = SinchTrust((_SECRET,))
    return _served(SinchSkin(_SECRET), lambda url: SinchGateway(SERVICE_PLAN_ID, API_TOKEN, url, SENDER, trust))


def _telesign() -> Emulated:
    return _served(
        telesign.TelesignSkin(),
        lambda url: TelesignGateway(telesign.CUSTOMER_ID, [telesign.API_KEY], url, sender=SENDER),
    )


def _aws_sms() -> Emulated:
    skin = AWSSMSSkin()

    def build(url: str) -> SMSGateway:
        callbacks = AWSCallbacks([skin.topic.arn], fetch=SNSHost(url), now=lambda: datetime.now(UTC))
        signer = RequestSigner("sms-voice", _REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        return AWSSMSGateway(signer, url, "texts", callbacks, sender=SENDER)

    return _served(skin, build, status_url=f"{PUBLIC_URL}/aws-sms/status")


def _aws_sns() -> Emulated:
    signer = RequestSigner("sns", _REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    return _served(AWSSNSSkin(), lambda url: AWSSNSGateway(signer, url, sender="ACME"))


def _smsgatewayhub() -> Emulated:
    return _served(
        smsgatewayhub.SMSGatewayHubSkin(),
        lambda url: SMSGatewayHubGateway(smsgatewayhub.API_KEY, "ABCDEF", [CALLBACK_KEY], url),
        status_url=f"{PUBLIC_URL}/smsgatewayhub/status?key={CALLBACK_KEY}",
    )


def _plivo() -> Emulated:
    return _served(
        plivo.PlivoSkin(), lambda url: PlivoGateway(plivo.AUTH_ID, [plivo.AUTH_TOKEN], url, url, sender=SENDER)
    )


def _telnyx() -> Emulated:
    return _served(
        telnyx.TelnyxSkin(), lambda url: TelnyxGateway(telnyx.API_KEY, [telnyx.PUBLIC_KEY], url, sender=SENDER)
    )


def _infobip() -> Emulated:
    return _served(
        infobip.InfobipSkin(),
        lambda url: InfobipGateway(infobip.API_KEY, url, sender=SENDER, callback_keys=[CALLBACK_KEY]),
    )


def _messagebird() -> Emulated:
    return _served(
        messagebird.MessageBirdSkin(),
        lambda url: MessageBirdGateway(messagebird.ACCESS_KEY, [messagebird.SIGNING_KEY], url, sender=SENDER),
    )


STARTED: Mapping[str, Callable[[], Emulated]] = {
    "twilio": _twilio,
    "vonage": _vonage,
    "vonage-messages": _vonage_messages,
    "sinch": _sinch,
    "telesign": _telesign,
    "aws-sms": _aws_sms,
    "aws-sns": _aws_sns,
    "smsgatewayhub": _smsgatewayhub,
    "plivo": _plivo,
    "telnyx": _telnyx,
    "infobip": _infobip,
    "messagebird": _messagebird,
    "smpp": OverSMPP,
}
"""Every gateway with a vendor at its other end, in the catalogue's order."""
