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

_LONGEST_VALUE = 10_000  # of a setting: owners' numbers of a large team
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
    account = _account(account_id)
    values = connector().account_settings.values(account.id)
    shown = {each.name: _shown(values[each.name], each) for each in settings_of(account.crm)}
    return _form(account, shown, {}, _TOLD.get(request.args.get("done", ""), ""))


@blueprint.post("/<account_id>")
def change(account_id: str) -> Response:
    """Save what was typed, or, with `act=remove` and the box ticked, uninstall the account."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    operators.demand_genuine_form()
    account = _account(account_id)
    if request.form.get("act") == "remove":
        return _remove(account)
    typed = {each.name: request.form.get(each.name, "")[:_LONGEST_VALUE] for each in settings_of(account.crm)}
    before = connector().account_settings.values(account.id)
    known = {each.name: each for each in settings_of(account.crm)}
    changed = {name: text for name, text in typed.items() if text != _shown(before[name], known[name])}
    mistakes = connector().account_settings.change(account.id, changed, operators.actor())
    if mistakes:
        return _form(account, typed, mistakes, "", 422)
    return _back(account.id, "saved")


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


def _account(account_id: str) -> AccountRow:
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
