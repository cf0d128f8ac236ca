"""Rules per purpose and country, as shipped."""

from datetime import time
from pathlib import Path

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.domain.caps import parse_cap
from connector.domain.message import Purpose
from connector.domain.send_window import ANYTIME
from connector.errors import ConfigurationError

RULES = load_compliance(Path(__file__).parents[2] / "mappings" / "compliance.yaml")


@pytest.mark.parametrize(
    ("purpose", "country", "window"),
    [
        (Purpose.OTP, "US", "anytime"),
        (Purpose.OTP, None, "anytime"),
        (Purpose.TRANSACTIONAL, "US", "daytime"),
        (Purpose.TRANSACTIONAL, "IN", "in-daytime"),
        (Purpose.MARKETING, "US", "us-marketing"),
        (Purpose.MARKETING, "us", "us-marketing"),
        (Purpose.MARKETING, "CA", "ca-marketing"),
        (Purpose.MARKETING, "GB", "gb-marketing"),
        (Purpose.MARKETING, "FR", "fr-marketing"),
        (Purpose.MARKETING, "DE", "de-marketing"),
        (Purpose.MARKETING, "IN", "in-daytime"),
        (Purpose.MARKETING, "AU", "au-marketing"),
        (Purpose.MARKETING, "NZ", "marketing"),
        (Purpose.MARKETING, None, "marketing"),
    ],
)
def test_hours_follow_purpose_and_country(purpose: Purpose, country: str | None, window: str) -> None:
    assert RULES.window_for(purpose, country).name == window
    assert RULES.window(None, purpose, country).name == window


def test_a_step_may_name_its_own_window() -> None:
    assert RULES.window("anytime", Purpose.MARKETING, "FR") is ANYTIME
    assert RULES.window("daytime", Purpose.MARKETING, "FR").days[6] == ((time(8), time(21)),)


def test_a_window_that_is_no_more_gives_way_to_the_purpose_s_own_and_says_so() -> None:
    window = RULES.window("weekends", Purpose.MARKETING, "FR")
    usual = RULES.window_for(Purpose.MARKETING, "FR")
    assert window.days == usual.days
    assert window.name == f"{usual.name} (since there is no window weekends any more)"


def test_a_purpose_without_a_rule_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no rule for the purpose 'gossip'"):
        RULES.needs_consent("gossip")


def test_only_marketing_needs_consent() -> None:
    assert [purpose for purpose in Purpose if RULES.needs_consent(purpose)] == [Purpose.MARKETING]


def test_caps_are_those_of_the_file() -> None:
    assert RULES.caps_for(Purpose.MARKETING) == (parse_cap("3 per day"), parse_cap("5 per week"))


def test_marketing_is_closed_on_french_and_default_sundays() -> None:
    assert 6 not in RULES.window_for(Purpose.MARKETING, "FR").days
    assert 6 not in RULES.window_for(Purpose.MARKETING, None).days


def test_every_row_tells_its_source_and_when_it_was_checked() -> None:
    rows = [row for rule in RULES.purposes.values() for row in rule.rows.values()]
    assert all(row.source and row.checked_on.year >= 2026 for row in rows)
    assert "TRAI" in RULES.row_for(Purpose.MARKETING, "IN").source
