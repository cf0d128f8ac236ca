"""How does the operator see, change and uninstall accounts in a browser?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for

from connector.domain.account_settings import AccountSetting, Kind, settings_of
from connector.entrypoints.web import operators
from connector.entrypoints.web.install import NAMES
from connector.entrypoints.web.requests import connector
from connector.ports.ledger import AccountRow

blueprint = Blueprint("accounts_page", __name__, url_prefix="/accounts")

_LONGEST_VALUE = 100_000  # of a setting: owners' numbers of two thousand people
_TOO_LONG = f"is longer than {_LONGEST_VALUE:,} characters"
_CHANGED = "somebody has changed it meanwhile, to: {}; save again to replace that"
_TOLD = {"saved": "The settings were saved.", "removed": "The account was uninstalled."}


@blueprint.get("/")
def listed() -> Response:
    """Show every account, how it stands, and from where new ones can be installed."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    with connector().ledger.begin(write=False) as uow:
        accounts = uow.accounts.all()
    offered = [(crm, NAMES[crm]) for crm in connector().installer.offered()]
    return _page("accounts.html", accounts=accounts, names=NAMES, offered=offered)


@blueprint.get("/<account_id>")
def show(account_id: str) -> Response:
    """Show an account's settings, and the way out."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    account = account_or_404(account_id)
    return _form(account, _all_shown(account), {}, _TOLD.get(request.args.get("done", ""), ""))


@blueprint.post("/<account_id>")
def change(account_id: str) -> Response:
    """Save what was typed, or, with `act=remove` and the box ticked, uninstall the account."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    operators.demand_genuine_form()
    account = account_or_404(account_id)
    if request.form.get("act") == "remove":
        return _remove(account)
    now, sent = _all_shown(account), request.form
    shown = {name: _lines(sent.get(f"was_{name}", value)) for name, value in now.items()}
    typed = {name: _lines(sent.get(name, shown[name])) for name in now}
    changed = {name: text for name, text in typed.items() if text != shown[name]}
    mistakes = {name: _TOO_LONG for name, text in changed.items() if len(text) > _LONGEST_VALUE}
    mistakes |= {name: _CHANGED.format(now[name] or "nothing") for name in changed if shown[name] != now[name]}
    mistakes = mistakes or dict(connector().account_settings.change(account.id, changed, operators.actor()))
    if mistakes:
        return _form(account, {**now, **changed}, mistakes, "", 422)
    return _back(account.id, "saved")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _remove(account: AccountRow) -> Response:
    if not request.form.get("sure"):
        return _form(account, _all_shown(account), {}, "Tick the box to say that the account is to be uninstalled.")
    left = connector().departures.remove(account.crm, account.external_id, operators.actor())
    if left.not_told:
        told = f"The account does nothing any more, but the CRM could not be told: {left.not_told}. Try again."
        return _form(left.account, _all_shown(account), {}, told, 502)
    told = " ".join([_TOLD["removed"], *(f"Still to be done by hand: {each}." for each in left.by_hand)])
    return _form(left.account, _all_shown(account), {}, told)


def _all_shown(account: AccountRow) -> Mapping[str, str]:
    values = connector().account_settings.values(account.id)
    return {each.name: _shown(values[each.name], each) for each in settings_of(account.crm)}


def _form(
    account: AccountRow, values: Mapping[str, str], mistakes: Mapping[str, str], told: str, status: int = 200
) -> Response:
    who = operators.visitor()
    page = _page(
        "account.html",
        has_forms=True,
        account=account,
        name=NAMES.get(account.crm, account.crm),
        settings=settings_of(account.crm),
        values=values,
        before=_all_shown(account),
        mistakes=mistakes,
        told=told,
        token=operators.form_token(who),
    )
    operators.remember(page, who)
    page.status_code = status
    return page


def _shown(value: Any, setting: AccountSetting) -> str:
    """Write a value as a person types it."""
    if value is None:
        return ""
    if setting.kind is Kind.SWITCH:
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def account_or_404(account_id: str) -> AccountRow:
    """Give an account by our id; end the request where there is none."""
    try:
        with connector().ledger.begin(write=False) as uow:
            return uow.accounts.get(account_id)
    except KeyError:
        abort(404, "there is no such account")


def _back(account_id: str, done: str) -> Response:
    where = url_for(".show", account_id=account_id, done=done)
    return operators.sealed(Response(status=303, headers={"Location": where}), has_forms=True)


def _page(template: str, *, has_forms: bool = False, **values: Any) -> Response:
    return operators.sealed(Response(render_template(template, **values)), has_forms=has_forms)
