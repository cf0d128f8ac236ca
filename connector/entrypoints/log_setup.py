"""How does a process log?"""

from __future__ import annotations

from connector.adapters.logs import configure_logging
from connector.settings import Settings, gateway_secrets


def set_up_logging(settings: Settings) -> None:
    """Log as the settings say, with their secrets struck out wherever they turn up."""
    secrets = (
        *settings.secret_keys,
        *settings.hubspot_client_secrets,
        *gateway_secrets(settings),
        *settings.channel_secrets.values(),
    )
    configure_logging(as_json=settings.log_format == "json", secrets=secrets)
