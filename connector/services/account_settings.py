"""What are an account's settings, and which changes of them are taken?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from connector.domain.account_settings import read_value, settings_of
from connector.ports.crm import CRM
from connector.ports.ledger import AccountRow, Ledger
from connector.services.card_settings import SettingShown
from connector.services.named_fields import mistakes_in_names

log = structlog.get_logger(__name__)


class AccountSettings:
    """Reads and changes settings by `domain.account_settings`; what else an account keeps is not touched."""

    def __init__(self, ledger: Ledger, crms: Mapping[str, CRM]) -> None:
        self._ledger, self._crms = ledger, crms

    def shown(self, crm: str) -> Sequence[SettingShown]:
        """Give the settings that accounts of a CRM have."""
        return [
            SettingShown(each.name, each.label, each.kind.value, each.options, each.help) for each in settings_of(crm)
        ]

    def values(self, account_id: str) -> Mapping[str, Any]:
        """Give an account's settings, JSON-able; what nobody has set has its default.

        Raises:
            KeyError: there is no such account.
        """
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        found = {each.name: account.settings.get(each.name, each.default) for each in settings_of(account.crm)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    def change(self, account_id: str, values: Mapping[str, Any], by: str) -> Mapping[str, str]:
        """Change some, all or none; give what is wrong by name, empty when they are changed.

        None, or an empty text, takes a setting back to its default. Fields of the CRM are looked for there.

        Raises:
            KeyError: there is no such account.
        """
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        taken, mistakes = _read(account, values)
        wrong = mistakes or mistakes_in_names(self._crms, account, taken)
        if wrong:
            return wrong
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            merged = {name: value for name, value in {**account.settings, **taken}.items() if value is not None}
            uow.accounts.save_settings(account_id, merged, account.name)
            uow.commit()
        log.info("account.settings_changed", account_id=account_id, by=by, names=sorted(taken))
        return {}


def _read(account: AccountRow, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the values as they are kept, and what is wrong with the others."""
    taken, mistakes = dict[str, Any](), dict[str, str]()
    for name, raw in values.items():
        try:
            taken[name] = read_value(account.crm, name, raw, {**account.settings, **taken})
        except ValueError as error:
            mistakes[name] = str(error)
    return taken, mistakes
