"""Does nobody but the contact see a code that is still good?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from connector.domain.message import Purpose
from connector.services.announcing import message_record
from connector.services.writeback_saying import Said, what_to_say
from tests.services.theatre import ACCOUNT, SENDER, START, Theatre

PROOF = """
journey: proof
title: Proof
purpose: transactional
trigger:
  event: deal.stage_changed
enroll:
  key: deal.id
steps:
  - verify: {text: "Your code is {{ code }}", tries: 3}
"""


def shown(theatre: Theatre) -> str:
    """Everything the CRM is to show, what a card shows, and what `explain` tells."""
    (crm_id,) = theatre.contacts()
    with theatre.ledger.begin(write=False) as uow:
        messages = uow.messages.of_contact(ACCOUNT, theatre.contacts()[crm_id].id, 50)
        rows = [message_record(each, each.id, "hubspot", crm_id, START) for each in messages]
        said = [each.write.body for each in what_to_say(uow, ACCOUNT, rows).values() if isinstance(each, Said)]
    explained = [str(line) for each in messages for line in theatre.traces.explain(each.id)]
    return repr([said, [each["body"] for each in theatre.traces.contact_card(ACCOUNT, crm_id)["messages"]], explained])


def test_a_code_is_shown_to_nobody_also_when_a_text_went_out_after_it(tmp_path: Path) -> None:
    theatre = Theatre(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"proof": PROOF})
    theatre.deal_moves(theatre.crm.put("deal", [theatre.lea()], dealname="Roof"), "demo")
    theatre.work()
    theatre.accept_all()
    theatre.work()
    code = theatre.messages()[0].body.rpartition(" ")[2]
    theatre.pass_time(minutes=1)
    theatre.reply(f"Is it {code}0?")
    (text,) = theatre.messages()
    with theatre.ledger.begin() as uow:
        other = replace(text, id="other", idempotency_key="other", purpose=Purpose.TRANSACTIONAL, body="Hello.")
        uow.messages.add(replace(other, created_at=theatre.clock.at, sent_at=theatre.clock.at, sender=SENDER))
        uow.commit()
    theatre.pass_time(minutes=1)
    theatre.reply(f"{code[:3]} {code[3:]}")
    theatre.work()
    assert theatre.enrollment().exit_reason == "completed"
    everything = shown(theatre)
    assert "(a one-time code)" in everything
    assert "Is it" in everything
    assert code not in everything
    assert f"{code[:3]} {code[3:]}" not in everything
    theatre.close()
