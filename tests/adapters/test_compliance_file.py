"""The file of send windows, caps and consent, and the mistakes it can hold."""

from datetime import date, time
from pathlib import Path

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.domain.send_window import MIDNIGHT
from connector.errors import MappingError

GOOD = """\
windows:
  office:
    mon-fri: ["09:00-12:00", "13:00-17:00"]
    sat: ["22:00-02:00"]
    sun: ["00:00-24:00"]
purposes:
  otp: {consent: not required, countries: {default: {window: anytime, source: ours, checked_on: 2026-11-20}}}
  transactional: {consent: not required, countries: {default: {window: office, source: ours, checked_on: 2026-11-20}}}
  marketing:
    consent: required
    caps: [3 per 7 days]
    countries:
      default: {window: office, source: ours, checked_on: 2026-11-20}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "compliance.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_hours_are_read_as_written(tmp_path: Path) -> None:
    rules = load_compliance(written(tmp_path, GOOD))
    days = rules.windows["office"].days
    assert days[0] == days[4] == ((time(9), time(12)), (time(13), time(17)))
    assert days[5] == ((time(22), time(2)),)
    assert days[6] == ((MIDNIGHT, MIDNIGHT),)
    assert rules.row_for("marketing", None).checked_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("22:00-02:00", "22-2", '4:11: windows.office.sat[0]: expected hours such as "09:00-20:00"'),
        ("22:00-02:00", "24:00-02:00", "4:11: windows.office.sat[0]: expected hours"),
        ("22:00-02:00", "22:00-24:30", "4:11: windows.office.sat[0]: expected hours"),
        ("    sat:", "    saturday:", "4:15: windows.office.saturday: is no weekday: expected one of mon, tue"),
        ("    sat:", "    sat-mon:", "4:14: windows.office.sat-mon: is no weekday"),
        ("    sat:", "    fri:", "4:10: windows.office.fri: names a weekday that another line already has"),
        ("  office:\n", "  anytime:\n    mon: []\n  office:\n", "3:5: windows.anytime: is built in"),
        ("    consent: required", "    consent: yes", '10:14: purposes.marketing.consent: expected "required"'),
        ("    consent: required\n", "", "10:5: purposes.marketing: lacks 'consent'"),
        ("3 per 7 days", "3 per month", "11:12: purposes.marketing.caps[0]: '3 per month' is not a cap: "),
        ("      default: {window: office, source: ours, ", "      default: {window: office, ", "13:16: "),
        ("      default: {window: office", "      default: {window: ofice", "13:25: purposes.marketing.countries."),
        ("2026-11-20}\n", "soon}\n", "13:59: purposes.marketing.countries.default.checked_on: expected a date"),
        ("      default:", "      Germany:", "13:7: purposes.marketing.countries: lacks 'default'"),
        ("  marketing:", "  marketting:", "7:3: purposes: lacks 'marketing'"),
        (GOOD[GOOD.index("purposes") :], "", "1:1: lacks 'purposes'"),
        (GOOD[: GOOD.index("purposes")], "", "1:1: lacks 'windows'"),
        (GOOD[GOOD.index("    countries:") :], "", "10:5: purposes.marketing: lacks 'countries'"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in GOOD
    path = written(tmp_path, GOOD.replace(before, after))
    with pytest.raises(MappingError) as refused:
        load_compliance(path)
    assert str(refused.value.mistakes[0]).removeprefix(f"{path}:").startswith(expected)


def test_a_window_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    text = GOOD.replace("      default: {window: office", "      default: {window: ofice")
    with pytest.raises(MappingError, match=r"no window is named 'ofice' \(known are anytime, office\)"):
        load_compliance(written(tmp_path, text))
