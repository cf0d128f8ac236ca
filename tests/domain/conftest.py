"""How hard do random tests look when they are asked about one changed line after the other? See `make mutate`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "mutation",
    max_examples=25,  # some four thousand changes, each looked at anew
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
