"""With which credentials does our app speak for itself at a CRM?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The app's credentials.

    Attributes:
        client_id: public.
        client_secrets: newest first; the first one is used.
    """

    client_id: str
    client_secrets: Sequence[str] = field(repr=False)
