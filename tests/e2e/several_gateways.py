"""What stands in an end-to-end test of an installation that sends through three gateways?

Twilio leads for what journeys send, Telnyx follows and has marketing, Vonage has the codes. None of them is told the
time at which a text expires: adapters write it as of the machine's clock, and ours is pushed.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.gateways.sandbox import GatewaySandbox
from connector.sandbox.gateways.skin import Call, Skin
from connector.sandbox.gateways.telnyx import API_KEY as TELNYX_KEY
from connector.sandbox.gateways.telnyx import PUBLIC_KEY, TelnyxSkin
from connector.sandbox.gateways.vonage import VonageSkin
from connector.sandbox.gateways.vonage_account import API_KEY as VONAGE_KEY
from connector.sandbox.gateways.vonage_account import API_SECRET
from connector.sandbox.gateways.world import GatewayWorld
from connector.sandbox.twilio.sandbox import SENDER, TwilioSandbox
from tests.e2e.processes import ROOT
from tests.e2e.rig import Rig, Taken

ON_SQLITE = pytest.mark.parametrize("several", ["sqlite"], indirect=True, scope="session")
ON_BOTH = pytest.mark.parametrize("several", ["sqlite", "postgresql"], indirect=True, scope="session")

_SUNDAY = 6
_VONAGE_CALLBACK_KEY = "e2e0vonage0key"

SENDERS = {"twilio": SENDER, "telnyx": "+12025550177", "vonage": "+12025550188"}
"""Our number at each gateway."""

_RULES = f"""
routes:
  standard: twilio  # journeys that ship name it
  otp: {{gateways: [vonage], prefer: in_order}}
  transactional: {{gateways: [twilio, telnyx], prefer: in_order}}
  marketing: {{gateways: [telnyx], prefer: premium}}

senders:
  - {{sender: "{SENDERS["twilio"]}", gateway: twilio, kind: long_code}}
  - {{sender: "{SENDERS["telnyx"]}", gateway: telnyx, kind: long_code}}
  - {{sender: "{SENDERS["vonage"]}", gateway: vonage, kind: long_code}}

# Telnyx cannot be asked what became of a text whose answer got lost: a person decides soon.
retries:
  transactional: {{unknown_after: 10 minutes}}
  marketing: {{unknown_after: 10 minutes}}
"""


class _Telnyx(TelnyxSkin):
    """Signs at the machine's time, which adapters compare with: the pushed clock is the connector's and ours only."""

    def sign(self, call: Call, at: datetime) -> Call:
        """Sign as of now."""
        return super().sign(call, datetime.now(UTC))


class SeveralGateways(Rig):
    """Three gateways in one installation; two of them can go away and come back."""

    def start(self) -> None:
        """Start the other gateways, then everything else."""
        for box in self._boxes.values():
            box.start()
        super().start()

    def stop(self) -> None:
        """Stop everything."""
        for box in self._boxes.values():
            box.stop()
        super().stop()

    def _environment(self, database_url: str) -> dict[str, str]:
        self._boxes: dict[str, GatewaySandbox] = {}
        self._away: set[str] = set()
        mappings = self.directory / "mappings"
        shutil.copytree(ROOT / "mappings", mappings)
        (mappings / "gateways.yaml").write_text(_RULES, encoding="utf-8")
        telnyx = self._open("telnyx", _Telnyx())
        vonage = self._open("vonage", VonageSkin(), f"?key={_VONAGE_CALLBACK_KEY}")
        return {
            **super()._environment(database_url),
            "MAPPINGS_DIR": str(mappings),
            "TELNYX_API_KEY": TELNYX_KEY,
            "TELNYX_PUBLIC_KEYS": PUBLIC_KEY,
            "TELNYX_API_URL": telnyx.url,
            "TELNYX_FROM": SENDERS["telnyx"],
            "VONAGE_API_KEY": VONAGE_KEY,
            "VONAGE_API_SECRET": API_SECRET,
            "VONAGE_REST_URL": vonage.url,
            "VONAGE_API_URL": vonage.url,
            "VONAGE_CALLBACK_KEYS": _VONAGE_CALLBACK_KEY,
            "VONAGE_FROM": SENDERS["vonage"],
        }

    def _open(self, slug: str, skin: Skin, query: str = "") -> GatewaySandbox:
        inbound_url = f"{self.url}/callbacks/{slug}/inbound{query}"
        world = GatewayWorld(skin, self.clock, inbound_url=inbound_url, pace=Pace.fast())
        self._boxes[slug] = GatewaySandbox(world, faults=self.faults)
        return self._boxes[slug]

    # -- gateways

    def world(self, slug: str) -> GatewayWorld:
        """What Telnyx or Vonage holds."""
        return self._boxes[slug].world

    def away(self, slug: str) -> None:
        """Let Twilio or Telnyx refuse every connection."""
        (self._twilio_server if slug == "twilio" else self._boxes[slug]).stop()
        self._away.add(slug)

    def back(self, slug: str) -> None:
        """Let it answer again, where it did."""
        self._away.remove(slug)
        if slug == "twilio":
            port = self._twilio_server.server.port
            self._twilio_server = TwilioSandbox(self.twilio, faults=self.faults, port=port)
            self._twilio_server.start()
            return
        old = self._boxes[slug]
        self._boxes[slug] = GatewaySandbox(old.world, faults=self.faults, port=old.server.port).start()

    def begin_test(self) -> None:
        """Forget what earlier tests left at the gateways, too; not on a Sunday: its window for marketing is short."""
        for slug in sorted(self._away):
            self.back(slug)
        for box in self._boxes.values():
            box.world.outages.clear()
        super().begin_test()
        if self.clock.now().weekday() == _SUNDAY:
            self.push(days=1)

    # -- the phones

    def by(self, slug: str, number: str) -> list[str]:
        """What a gateway took for a number, oldest first."""
        found = self.twilio.messages(number) if slug == "twilio" else self.world(slug).messages(number)
        return [each.body for each in found if each.is_outbound]

    def taken(self, number: str) -> list[Taken]:
        """Every text to a number that some gateway took."""
        others = [each for box in self._boxes.values() for each in box.world.messages(number) if each.is_outbound]
        return [*super().taken(number), *(Taken(each.id, each.body) for each in others)]

    def shown(self, number: str) -> list[str]:
        """What the phone of a number got through whichever gateway, oldest first."""
        found: list[Message] = [*self.twilio.conversation(number)]
        for box in self._boxes.values():
            found += box.world.conversation(number)
        found.sort(key=lambda each: each.arrived_at or each.created_at)
        return [each.body for each in found if each.is_outbound]

    def reply(self, number: str, text: str, gateway: str) -> None:
        """Let a person write to our number at a gateway."""
        if gateway == "twilio":
            super().reply(number, text, gateway)
        else:
            self.world(gateway).reply(number, SENDERS[gateway], text)
