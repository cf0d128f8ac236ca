"""How does an operator read, change, publish and take back an account's journeys in a browser?

What is published here becomes the account's own, as with `smsctl publish --own`: releases leave it alone until somebody
lets the account follow the shared files again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, render_template, request, url_for

from connector.adapters.account_journeys import OwnFiles
from connector.entrypoints.comparison_text import ON_A_PAGE, comparison_lines
from connector.entrypoints.web import operators
from connector.entrypoints.web.accounts_page import account_or_404
from connector.entrypoints.web.install import NAMES
from connector.entrypoints.web.journey_form import Draft, read_draft
from connector.entrypoints.web.requests import connector
from connector.errors import ConfigurationError, Mistake
from connector.ports.enrollments import PublicationAction
from connector.ports.ledger import AccountRow, UnitOfWork
from connector.services.journey_status import of_account
from connector.services.journey_versions import is_own
from connector.services.publications import Hand, JourneyFiles, MeanwhileError, Outcome, Word

blueprint = Blueprint("journeys_page", __name__, url_prefix="/accounts/<account_id>/journeys")

_JOURNEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_OFF = re.compile(r"^enabled:\s*(no|false|off)\b", re.MULTILINE | re.IGNORECASE)
_DONE = {
    PublicationAction.PUBLISH: "Published",
    PublicationAction.OWN: "Published as the account's own",
    PublicationAction.ROLLBACK: "Put back in service",
    PublicationAction.RETIRE: "Taken out of service",
    PublicationAction.REMOVE: "Taken out of service, its shared file being gone",
}
_NEW = """\
journey: {journey}
title: What it is for, in a few words
purpose: transactional
enabled: no
trigger:
  event: deal.stage_changed
  where: deal.stage == "closedwon"
steps:
  - send:
      text: Thank you, {{{{ contact.first_name | default("and welcome") }}}}! Questions? Just reply to this text.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is told above the form.

    Attributes:
        told: in one line, what was done.
        is_good: whether that is what was wanted.
        lines: what a publication would change.
        mistakes: what is wrong with the draft: the place, and what was expected.
    """

    told: str = ""
    is_good: bool = True
    lines: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


@blueprint.get("/")
def listed(account_id: str) -> Response:
    """Show every journey of an account, shared or its own, and how it stands; `?journey=` leads to any one."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    if "journey" in request.args:
        return _led_to(account_id, request.args["journey"].strip())
    account, files = account_or_404(account_id), connector().journey_files()
    with connector().ledger.begin(write=False) as uow:
        statuses = of_account(uow, connector().versions, files, account)
        own = {each.journey for each in statuses if is_own(uow, account.id, each.journey)}
        service = connector().versions.in_service(uow, account.id)
    titles = {name: journey.title for name, journey in files.journeys.items()}
    titles |= {name: each.journey.title for name, each in service.items()}
    page = render_template("journeys.html", account=account, crm=_crm(account), rows=statuses, own=own, titles=titles)
    return operators.sealed(Response(page), has_forms=True)


@blueprint.get("/<journey>")
def show(account_id: str, journey: str) -> Response:
    """Show a journey as it is in service, or as the shared file has it, or a first draft where there is neither."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    _demand_id(journey)
    account = account_or_404(account_id)
    return _page(account, journey, _standing_draft(account, journey), Answer())


@blueprint.post("/<journey>")
def act(account_id: str, journey: str) -> Response:
    """Check, compare or publish what is in the form, or change what is in service: `act` says which."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    operators.demand_genuine_form()
    _demand_id(journey)
    account, wanted = account_or_404(account_id), request.form.get("act", "")
    with_draft = {"check": _check, "compare": _compare, "publish": _publish}.get(wanted)
    if with_draft is not None:
        draft, wrong = read_draft(journey)
        if wrong:
            return _page(account, journey, draft, Answer(wrong, is_good=False), 422)
        return with_draft(account, journey, draft)
    change = {"restore": _restore, "retire": _retire, "follow": _follow}.get(wanted)
    if change is None:
        abort(400, "the form does not say what to do")
    return _changed(account, journey, change)


def _led_to(account_id: str, journey: str) -> Response:
    _demand_id(journey)
    where = url_for(".show", account_id=account_id, journey=journey)
    return operators.sealed(Response(status=303, headers={"Location": where}), has_forms=True)


def _check(account: AccountRow, journey: str, draft: Draft) -> Response:
    files, mistakes = _read(account, journey, draft)
    if journey in files.broken:
        return _page(account, journey, draft, Answer("It cannot run yet.", is_good=False, mistakes=mistakes), 422)
    return _page(account, journey, draft, Answer("It can run. Nothing was published.", mistakes=mistakes))


def _compare(account: AccountRow, journey: str, draft: Draft) -> Response:
    files, mistakes = _read(account, journey, draft)
    if journey in files.broken:
        return _page(account, journey, draft, Answer("It cannot run yet.", is_good=False, mistakes=mistakes), 422)
    found = connector().comparer.compare(account.id, files.journeys[journey])
    lines = tuple(comparison_lines(found, f"{account.crm} account {account.external_id}", ON_A_PAGE))
    return _page(account, journey, draft, Answer("Nothing was published.", lines=lines, mistakes=mistakes))


def _publish(account: AccountRow, journey: str, draft: Draft) -> Response:
    """Publish a draft that can run, unless another version was put in service since it was begun."""
    files, mistakes = _read(account, journey, draft)
    if journey in files.broken:
        told = "Nothing was published: it cannot run yet."
        return _page(account, journey, draft, Answer(told, is_good=False, mistakes=mistakes), 422)
    hand = Hand(operators.actor(), {} if draft.moves else None, saw=draft.based_on)
    try:
        outcome = connector().publisher.publish_own(account.id, files, hand)[0]
    except ConfigurationError as error:
        again = " Compare; then publish to replace it all the same." if isinstance(error, MeanwhileError) else ""
        told = f"Nothing was published: {error}.{again}"
        newer = replace(draft, based_on=_standing_draft(account, journey).based_on)
        return _page(account, journey, newer, Answer(told, is_good=False), 409)
    is_busy = outcome.moved is not None and bool(outcome.moved.busy)
    published = Draft(draft.text, draft.templates, outcome.version or 0, moves=is_busy)
    return _page(account, journey, published, Answer(_told(outcome), mistakes=mistakes))


def _changed(account: AccountRow, journey: str, change: Callable[[AccountRow, str, Hand], Outcome]) -> Response:
    """Change what is in service, and show that."""
    try:
        hand = Hand(operators.actor(), replaces_own=True, saw=request.form.get("based_on", 0, type=int))
        outcome = change(account, journey, hand)
    except ConfigurationError as error:
        answer = Answer(f"Nothing was changed: {error}.", is_good=False)
        return _page(account, journey, _standing_draft(account, journey), answer, 409)
    is_good = outcome.word is not Word.BROKEN
    return _page(account, journey, _standing_draft(account, journey), Answer(_told(outcome), is_good=is_good))


def _restore(account: AccountRow, journey: str, hand: Hand) -> Outcome:
    version = request.form.get("version", type=int)
    if version is None:
        abort(400, "the form does not say which version to put back")
    return connector().publisher.roll_back(account.id, journey, version, hand)


def _retire(account: AccountRow, journey: str, hand: Hand) -> Outcome:
    return connector().publisher.retire(account.id, journey, hand)


def _follow(account: AccountRow, journey: str, hand: Hand) -> Outcome:
    return connector().publisher.publish(account.id, connector().journey_files(), [journey], hand)[0]


def _told(outcome: Outcome) -> str:
    version = f", version {outcome.version}" if outcome.version is not None else ""
    told = [f"{outcome.word.value.capitalize()}{version}{' ' if outcome.why else ''}{outcome.why}."]
    told += [f"Warning: {warning}." for warning in outcome.warnings]
    if outcome.moved is not None:
        busy = f", {outcome.moved.busy} are being worked just now: publish once more" if outcome.moved.busy else ""
        told.append(f"{outcome.moved.moved} people moved, {len(outcome.moved.staying)} stay{busy}.")
    return " ".join(told)


def _read(account: AccountRow, journey: str, draft: Draft) -> tuple[JourneyFiles, tuple[Mistake, ...]]:
    own = OwnFiles(f"account {account.external_id}", {journey: draft.text}, draft.templates)
    files, report = connector().own_journey_files(own, account.id)
    return files, report.mistakes


def _standing_draft(account: AccountRow, journey: str) -> Draft:
    """Give the journey as it is in service or was last, readable or not; else the shared file, else a new one."""
    with connector().ledger.begin(write=False) as uow:
        number = _number(uow, account.id, journey)
        history = uow.publications.history(account.id, journey)
        last = next((each.journey_version_id for each in reversed(history) if each.journey_version_id), None)
        row = None if last is None else uow.versions.get(account.id, last)
    shared = connector().journey_files().journeys.get(journey)
    source = row.source if row is not None else shared.source if shared is not None else None
    if source is None:
        return Draft(_shared_text(journey) or _NEW.format(journey=journey), based_on=number)
    templates: Mapping[str, str] = source["templates"]  # type: ignore[assignment] # as a version keeps them
    return Draft(str(source["journey"]), templates, number)


def _shared_text(journey: str) -> str:
    """Give a shared file that cannot run as it stands there; empty where there is none."""
    path = connector().settings.mappings_dir / "journeys" / f"{journey}.yaml"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _number(uow: UnitOfWork, account_id: str, journey: str) -> int:
    """Give the number of the version in service, whether it can be read or not; 0 when there is none."""
    publication = uow.publications.current(account_id).get(journey)
    version = None if publication is None else connector().versions.published(uow, publication)
    return 0 if version is None else version.number


def _history(account: AccountRow, journey: str) -> tuple[Sequence[Mapping[str, object]], bool]:
    """Give what was done to a journey, the last thing first, and whether the account's version is its own."""
    with connector().ledger.begin(write=False) as uow:
        numbers = {each.id: each.version for each in uow.versions.of_journey(account.id, journey)}
        people = uow.enrollments.live_counts(account.id)
        history = uow.publications.history(account.id, journey)
        is_of_account = is_own(uow, account.id, journey)
    return [
        {
            "at": each.at,
            "what": _DONE[each.action],
            "version": numbers.get(each.journey_version_id or ""),
            "by": each.published_by,
            "is_now": each is history[-1],
            "people": people.get((journey, each.journey_version_id or ""), 0),
        }
        for each in reversed(history)
    ], is_of_account


def _page(account: AccountRow, journey: str, draft: Draft, answer: Answer, status: int = 200) -> Response:
    who = operators.visitor()
    history, is_of_account = _history(account, journey)
    page = Response(
        render_template(
            "journey.html",
            account=account,
            crm=_crm(account),
            journey=journey,
            draft=draft,
            answer=answer,
            history=history,
            is_own=is_of_account,
            is_off=_OFF.search(draft.text) is not None,
            is_shared=journey in connector().journey_files().journeys,
            token=operators.form_token(who),
        ),
        status,
    )
    operators.remember(page, who)
    return operators.sealed(page, has_forms=True)


def _demand_id(journey: str) -> None:
    if not _JOURNEY.fullmatch(journey):
        abort(400, "a journey's id is written in small letters, digits and hyphens, such as deal-won")


def _crm(account: AccountRow) -> str:
    return NAMES.get(account.crm, account.crm)
