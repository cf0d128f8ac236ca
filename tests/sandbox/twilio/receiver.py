"""Which account do the tests of the emulated gateway use, and who takes its webhooks?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag

import httpx

from connector.sandbox.gateways.skin import Call
from connector.sandbox.twilio.callbacks import form_of

ACCOUNT, TOKEN = "AC" + "a" * 32, "token-of-the-tests"
SENDER, PERSON = "+12025550100", "+12025550143"
CALLBACK = "https://connector.example/callbacks/twilio/status?attempt=1"
INBOUND = "https://connector.example/callbacks/twilio/inbound"


@dataclass
class Receiver:
    """Takes the place of the connector: remembers what it was sent, answers `answers` in turn, then 204."""

    calls: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = field(default_factory=list)
    answers: list[httpx.Response | Exception] = field(default_factory=list)

    def __call__(self, call: Call) -> httpx.Response:
        self.calls.append((urldefrag(call.url).url, form_of(call), call.headers))
        answer = self.answers.pop(0) if self.answers else httpx.Response(204)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for _, form, _ in self.calls]
