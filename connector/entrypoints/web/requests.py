"""Under which public URL did a request arrive?"""

from __future__ import annotations

from typing import cast

from flask import current_app, request

from connector.bootstrap import Connector


def connector() -> Connector:
    """Give the composed connector of the running application."""
    return cast("Connector", current_app.extensions["connector"])


def public_url() -> str:
    """Give the URL as the sender signed it: the configured public address plus the path and query as they came.

    Never `request.url`, which behind a proxy names the proxy's side.
    """
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "")
    if not raw.startswith("/"):
        query = request.query_string.decode("latin-1")
        raw = request.path + (f"?{query}" if query else "")
    return connector().settings.public_url + raw
