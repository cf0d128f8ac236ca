"""Does the page on settings of accounts name each with its default, and those of one CRM apart?"""

from __future__ import annotations

from connector.domain.account_settings import ACCOUNT_SETTINGS
from connector.entrypoints.cli.account_settings_page import account_settings_page


def test_every_setting_of_an_account_is_on_its_page() -> None:
    page = account_settings_page()
    for setting in ACCOUNT_SETTINGS:
        assert f"| `{setting.name}` |" in page
    rest, salesforce = page.split("## Salesforce only")
    everywhere, hubspot = rest.split("## HubSpot only")
    assert all("| `phone_fields` |" in each for each in (hubspot, salesforce))
    assert "`invoice_object`" in salesforce
    assert "`invoice_object`" not in everywhere
    assert "| `ignore`, `attach`, `create` | `ignore` |" in everywhere
    assert "| `yes` or `no` | `yes` |" in everywhere
