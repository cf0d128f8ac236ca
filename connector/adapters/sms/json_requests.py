"""How is a JSON request to a gateway written, whatever characters a text brings along?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
"""Headers of such a request."""


def json_body(content: Mapping[str, Any]) -> bytes:
    """Write a JSON object in UTF-8; half a surrogate pair becomes a question mark, it is no reason to die."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
