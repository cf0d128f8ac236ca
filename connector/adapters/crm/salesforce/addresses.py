"""At which address does an organisation live, and may our token be sent there?

Only the organisation's own host under a domain of Salesforce's gets one: the address is a setting, and a token in the
wrong hands is the whole organisation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connector.errors import CRMRefusedError

_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*\.(?:my\.salesforce|salesforce|cloudforce|my\.sfcrmproducts)\.(?:com|mil|cn)")


def instance_url(settings: Mapping[str, Any]) -> str:
    """Give `https://acme.my.salesforce.com` of an account's settings.

    Raises:
        CRMRefusedError: it has none, or one that is not Salesforce's.
    """
    url = str(settings.get("instance_url") or "").rstrip("/")
    if not is_salesforce(url):
        raise CRMRefusedError(
            "the account's instance_url is missing or is no address of Salesforce's; "
            "expected https://<your domain>.my.salesforce.com"
        )
    return url


def is_salesforce(url: str) -> bool:
    """Whether an address is https, without anything behind the host, and under a domain of Salesforce's."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:  # a bracket that does not close
        return False
    return url.lower() == f"https://{host}" and _HOST.fullmatch(host) is not None
