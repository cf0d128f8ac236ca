"""What are an account's settings, and which changes of them are taken?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from connector.domain.account_settings import ACCOUNT_SETTINGS, read_value, settings_of
from connector.ports.ledger import Ledger
from connector.services.card_settings import SettingShown

log = structlog.get_logger(__name__)


class AccountSettings:
    """Reads and changes settings by `domain.account_settings`; what else an account keeps is not touched."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def shown(self) -> Sequence[SettingShown]:
        """Give the settings there are."""
        return [
            SettingShown(each.name, each.label, each.kind.value, each.options, _help(each.help, each.crm))
            for each in ACCOUNT_SETTINGS
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

        None, or an empty text, takes a setting back to its default.

        Raises:
            KeyError: there is no such account.
        """
        mistakes, taken = dict[str, str](), dict[str, Any]()
        with self._ledger.begin() as uow:
            account = uow.accounts.get(account_id)
            for name, raw in values.items():
                try:
                    taken[name] = read_value(account.crm, name, raw, {**account.settings, **taken})
                except ValueError as error:
                    mistakes[name] = str(error)
            if not mistakes:
                merged = {name: value for name, value in {**account.settings, **taken}.items() if value is not None}
                uow.accounts.save_settings(account_id, merged, account.name)
                uow.commit()
                log.info("account.settings_changed", account_id=account_id, by=by, names=sorted(taken))
        return mistakes


def _help(text: str, crm: str) -> str:
    return f"{text} ({crm.capitalize()} only.)" if crm else text
