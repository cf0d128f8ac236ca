"""How does a person work off, in a browser, the texts that wait for a decision?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flask import Blueprint, Response, abort, render_template, request, url_for

from connector.domain.msisdn import masked
from connector.entrypoints.web import operators
from connector.entrypoints.web.requests import connector
from connector.ports.message_filters import DeadLetterFilter
from connector.services.dead_letters import DeadLetter, Decided

blueprint = Blueprint("dead_letters_page", __name__)

SHOWN = 100
"""Texts on a page: more than a person decides one by one; for the rest there is `smsctl dlq`."""

_LONGEST_WORD = 64  # of a gateway or a code


@blueprint.get("/dead-letters")
def show() -> Response:
    """Show texts that were given up, oldest first, with what a decision takes; numbers are masked, bodies left out."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    gateway, code = _asked("provider"), _asked("error")
    letters = connector().dead_letters.find(DeadLetterFilter(gateway=gateway, error_code=code), SHOWN + 1)
    who = operators.visitor()
    page = Response(
        render_template(
            "dead_letters.html",
            letters=letters[:SHOWN],
            is_more=len(letters) > SHOWN,
            causes=_causes(letters[:SHOWN]),
            gateway=gateway,
            code=code,
            token=operators.form_token(who),
            now=connector().clock.now(),
            accounts=_accounts(),
            masked=masked,
            told=_told(),
        )
    )
    operators.remember(page, who)
    return operators.sealed(page, has_forms=True)


@blueprint.post("/dead-letters")
def decide() -> Response:
    """Carry a decision out: `replay`, `late` and `drop` hold one text's id each; `act` is about all that are ticked."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    operators.demand_genuine_form()
    act, ids = _decision()
    found = {each: connector().dead_letters.get(None, each) for each in ids}
    decided = _carry_out(act, [letter for letter in found.values() if letter is not None])
    back = url_for(
        ".show",
        done="drop" if act == "drop" else "replay",
        texts=len(decided.done),
        passed=len(found) - len(decided.done),
        provider=request.form.get("provider"),
        error=request.form.get("error"),
    )
    return operators.sealed(Response(status=303, headers={"Location": back}), has_forms=True)


def _decision() -> tuple[str, Sequence[str]]:
    for act in ("replay", "late", "drop"):
        if only := request.form.get(act):
            return act, [only]
    act = request.form.get("act", "")
    if act not in {"replay", "drop"}:
        abort(400, "the form says neither to send again nor to drop")
    return act, list(dict.fromkeys(request.form.getlist("id")))[:SHOWN]


def _carry_out(act: str, letters: Sequence[DeadLetter]) -> Decided:
    desk, by = connector().dead_letters, operators.actor()
    return desk.drop(letters, by) if act == "drop" else desk.replay(letters, by, afresh=act == "late")


def _asked(name: str) -> str | None:
    return request.args.get(name, "")[:_LONGEST_WORD] or None


def _told() -> str:
    """Say what the last decision has come to; only numbers and a word of ours are taken from the address."""
    texts, passed = (request.args.get(name, 0, type=int) for name in ("texts", "passed"))
    done = {"replay": "queued to be sent again", "drop": "dropped"}.get(request.args.get("done", ""))
    if done is None:
        return ""
    told = f"{_count(texts)} {done}."
    if passed:
        told += f" {_count(passed)} passed over: somebody else was faster, or the text's time is over."
    return told


def _count(texts: int) -> str:
    return "1 text was" if texts == 1 else f"{texts} texts were"


def _causes(letters: Sequence[DeadLetter]) -> Sequence[tuple[str, str, int]]:
    """Count by gateway and code, the most frequent first: what an outage leaves behind is worked off at once."""
    counted = Counter((each.last.gateway, each.code) for each in letters if each.last is not None)
    return [(gateway, code, texts) for (gateway, code), texts in counted.most_common()]


def _accounts() -> dict[str, str]:
    """Give what accounts are called, by id; empty while there is one, which need not be told."""
    with connector().ledger.begin(write=False) as uow:
        accounts = uow.accounts.all()
    return {each.id: each.name or each.external_id for each in accounts} if len(accounts) > 1 else {}
