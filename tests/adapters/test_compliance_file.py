"""The file of send windows, caps and consent, and the mistakes it can hold."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.domain.caps import parse_cap
from connector.domain.compliance import FatigueRule
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
overall: {caps: [20 per day]}
fatigue: {after: 5, within: 90 days, caps: [1 per 14 days]}
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
        (GOOD[GOOD.index("purposes") : GOOD.index("overall")], "", "1:1: lacks 'purposes'"),
        (GOOD[: GOOD.index("purposes")], "", "1:1: lacks 'windows'"),
        (GOOD[GOOD.index("    countries:\n") : GOOD.index("overall")], "", "10:5: purposes.marketing: lacks"),
        (
            "    caps: [3",
            "    segments: 11\n    caps: [3",
            "11:15: purposes.marketing.segments: expected a number of SMS",
        ),
        ("20 per day", "many", "14:18: overall.caps[0]: 'many' is not a cap: "),
        ("{caps: [20 per day]}", "{}", "14:10: overall: lacks 'caps'"),
        ("after: 5", "after: 0", "15:18: fatigue.after: expected a number of texts, 1 to 999"),
        ("90 days", "a season", "15:29: fatigue.within: 'a season' is not a duration: "),
        ("after: 5, ", "", "15:10: fatigue: lacks 'after'"),
        ("fatigue:", "fatige:", "15:1: fatige: is no key here (did you mean 'fatigue'?)"),
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


def test_what_holds_over_all_purposes_is_read_and_may_be_left_out(tmp_path: Path) -> None:
    rules = load_compliance(written(tmp_path, GOOD))
    assert [str(cap) for cap in rules.overall] == ["20 per 1 day"]
    assert rules.fatigue == FatigueRule(5, timedelta(days=90), (parse_cap("1 per 2 weeks"),))
    rules = load_compliance(written(tmp_path, GOOD[: GOOD.index("overall")]))
    assert (rules.overall, rules.fatigue) == ((), None)


def test_a_purpose_may_say_how_many_sms_its_texts_take(tmp_path: Path) -> None:
    rules = load_compliance(written(tmp_path, GOOD.replace("    caps: [3", "    segments: 10\n    caps: [3")))
    assert [rules.purposes[name].most_segments for name in ("marketing", "otp")] == [10, 6]
