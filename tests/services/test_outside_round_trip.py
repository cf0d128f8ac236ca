"""A journey asks an endpoint, writes its answer into a text as a short link, and goes on when the link is followed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.domain.timeline import EntryKind
from connector.errors import ChannelRefusedError
from connector.services.effect_outcomes import EffectRecorder
from connector.services.effect_permission import EffectDesk
from connector.services.effects import EffectRunner
from connector.services.links import LinkDesk
from tests.services.test_effects import Ear
from tests.services.theatre import ACCOUNT, MAPPINGS, Theatre

JOURNEY = """
journey: pay-by-link
title: Pay by link
purpose: transactional
trigger:
  event: invoice.overdue
enroll:
  key: invoice.id
steps:
  - call: {endpoint: shop, send: {number: invoice.number, due: invoice.balance_due}, as: page}
    on_failure:
      - exit: no payment page
  - send:
      text: "Hi {{ contact.first_name }}, pay here: {{ vars.page.url | link('payment') }}"
  - wait_for:
      within: 2 days
      cases:
        - click: payment
          then:
            - notify: {channel: sales, title: "Paying", text: "{{ contact.name }} has opened {{ invoice.number }}"}
            - exit: paying
"""


class Play:
    """The theatre with the outside: an endpoint and a chat."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre, self.shop, self.sales = theatre, Ear(is_repeatable=True), Ear()
        self.shop.answer = {"url": "https://pay.example.com/7"}
        channels = {"shop": self.shop, "sales": self.sales}
        desk, recorder = EffectDesk(load_compliance(MAPPINGS / "compliance.yaml")), EffectRecorder(random.Random(7))
        self.runner = EffectRunner(theatre.ledger, channels, desk, recorder, theatre.clock)
        theatre.invoice(theatre.lea())
        theatre.poller.poll_due()

    def go_on(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(4):
            self.theatre.work()
            self.runner.drain()
            self.theatre.accept_all()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger", {"pay-by-link": JOURNEY})
    yield Play(theatre)
    theatre.close()


def test_an_answer_becomes_a_link_and_a_tap_goes_on(play: Play) -> None:
    play.go_on()
    assert play.shop.told[0].data == {"number": "INV-7", "due": "600"}
    (message,) = play.theatre.messages()
    found = re.fullmatch(r"Hi Lea, pay here: https://\S+/l/(\w{11})", message.body)
    assert found
    play.theatre.pass_time(hours=1)
    desk = LinkDesk(play.theatre.ledger)
    link = desk.find(found[1])
    assert link is not None
    with play.theatre.ledger.begin() as uow:
        desk.note(uow, link, play.theatre.clock.at, is_person=True)
        uow.commit()
    assert link.url.startswith("https://pay.example.com/7?utm_source=sms&utm_medium=sms&utm_campaign=pay-by-link")
    play.go_on()
    assert play.theatre.enrollment().exit_reason == "paying"
    (told,) = play.sales.told
    assert (told.title, told.text) == ("Paying", "Lea has opened INV-7")


def test_an_endpoint_that_refuses_is_answered_by_on_failure(play: Play) -> None:
    play.shop.errors = [ChannelRefusedError("it answered HTTP 422", status=422)]
    play.go_on()
    assert play.theatre.enrollment().exit_reason == "no payment page"
    assert play.theatre.messages() == []
    assert play.theatre.summaries(EntryKind.EFFECT_FAILED) == ["shop could not be asked: it answered HTTP 422"]


def test_the_link_of_a_text_is_kept_with_it(play: Play) -> None:
    play.go_on()
    (message,) = play.theatre.messages()
    with play.theatre.ledger.begin(write=False) as uow:
        (link,) = uow.links.of_message(message.id)
    assert message.body.endswith(link.code)
    assert link.account_id == ACCOUNT
