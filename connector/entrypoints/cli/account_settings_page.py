"""How does the page on the settings of accounts follow from their list?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from connector.domain.account_settings import ACCOUNT_SETTINGS, AccountSetting, Kind
from connector.entrypoints.cli.reference_markdown import page, table

_WRITTEN: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.SWITCH: "`yes` or `no`",
    Kind.LIST: "list: parted by commas, or JSON",
    Kind.MAP: "`name=value`, parted by commas, or JSON",
}

_CALLED: Mapping[str, str] = {"hubspot": "HubSpot", "salesforce": "Salesforce"}


def account_settings_page(settings: Sequence[AccountSetting] = ACCOUNT_SETTINGS) -> str:
    """Give the Markdown reference of what can be set for one account."""
    everywhere = [each for each in settings if not each.crm]
    crms = sorted({each.crm for each in settings if each.crm})
    return page(
        "connector/domain/account_settings.py",
        "# Settings of an account",
        "What differs between the portals and organisations that one connector serves. They are set with "
        "`smsctl account set … --set NAME=VALUE`, on the operator's page of the account, or on the settings page "
        "inside the CRM; an empty value takes a setting back to its default. A wrong one is refused with the reason, "
        "and then none is changed: one that names a field the CRM does not have, or a value the field never has, "
        "among them. Which journeys an account runs is no setting: see "
        "[publish a journey](../how-to/publish-a-journey.md).",
        _table(everywhere),
        *(part for crm in crms for part in _of_one_crm(crm, [each for each in settings if each.crm == crm])),
    )


def _of_one_crm(crm: str, settings: Sequence[AccountSetting]) -> tuple[str, str]:
    return f"## {_CALLED[crm]} only", _table(settings)


def _table(settings: Iterable[AccountSetting]) -> str:
    rows = ((f"`{each.name}`", each.help, _kind(each), _default(each)) for each in settings)
    return table(("Setting", "Meaning", "Written as", "Default"), rows)


def _kind(setting: AccountSetting) -> str:
    return _WRITTEN.get(setting.kind) or ", ".join(f"`{option}`" for option in setting.options)


def _default(setting: AccountSetting) -> str:
    if setting.default in (None, "", (), {}):
        return "empty"
    if setting.kind is Kind.SWITCH:
        return "`yes`" if setting.default else "`no`"
    return f"`{json.dumps(setting.default) if setting.kind is Kind.MAP else setting.default}`"
