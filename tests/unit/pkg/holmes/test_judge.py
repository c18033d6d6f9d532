"""When a reading is too much."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pkg.clock import FakeClock
from pkg.holmes import HolmesSettings, Kind, LagRule, Rule, RuleSettings
from pkg.holmes.judge import Judge, Verdict

MINUTE = timedelta(minutes=1)
RULE = Rule(min=50, diff=25, abs=80, max=100, cool_down=MINUTE)


class Court:
    """A judge with a window of four, and its clock."""

    def __init__(self, rule: Rule = RULE, *, window: int = 4, daily_cap: int = 100) -> None:
        self.clock = FakeClock()
        self._judge = Judge(rule.limits(), window=window, daily_cap=daily_cap, clock=self.clock)

    def judge(self, *values: float) -> Verdict:
        """The verdict on the last of these."""
        verdicts = [self._judge.judge(value).verdict for value in values]
        return verdicts[-1]


def test_up_to_min_all_is_well() -> None:
    assert Court().judge(1, 1, 1, 1, 50) is Verdict.WELL


def test_above_min_and_far_above_the_average_is_too_much() -> None:
    assert Court().judge(10, 10, 10, 10, 51) is Verdict.DUMP


def test_above_min_but_near_the_average_is_well() -> None:
    assert Court().judge(60, 60, 60, 60, 75) is Verdict.WELL
    assert Court().judge(60, 60, 60, 60, 75.1) is Verdict.DUMP


def test_above_abs_is_too_much_whatever_the_average_is() -> None:
    assert Court().judge(79, 79, 79, 79, 81) is Verdict.DUMP


def test_the_average_waits_for_a_full_window_and_abs_does_not() -> None:
    assert Court().judge(1, 1, 1, 70) is Verdict.WELL
    assert Court().judge(81) is Verdict.DUMP


def test_the_average_is_that_of_the_last_readings() -> None:
    court = Court()
    assert court.judge(1, 1, 1, 1, 60) is Verdict.DUMP
    court.clock.advance(MINUTE)

    assert court.judge(60, 60, 60, 60) is Verdict.WELL


def test_from_max_on_nothing_is_dumped() -> None:
    court = Court()

    assert court.judge(99.9) is Verdict.DUMP
    court.clock.advance(MINUTE)
    assert court.judge(100) is Verdict.BEYOND
    assert court.judge(99) is Verdict.DUMP


def test_after_a_dump_there_is_none_until_the_cool_down_is_over() -> None:
    court = Court()
    assert court.judge(90) is Verdict.DUMP

    verdicts = []
    for _ in range(6):
        court.clock.advance(timedelta(seconds=10))
        verdicts.append(court.judge(90))

    assert verdicts == [Verdict.COOLING] * 5 + [Verdict.DUMP]


def test_a_reading_that_was_withheld_does_not_prolong_the_cool_down() -> None:
    court = Court()
    court.judge(90)
    court.clock.advance(MINUTE - timedelta(seconds=1))
    court.judge(90)
    court.clock.advance(timedelta(seconds=1))

    assert court.judge(90) is Verdict.DUMP


def test_a_day_has_so_many_dumps_and_the_next_day_again() -> None:
    court = Court(daily_cap=2)
    verdicts = []
    for _ in range(4):
        verdicts.append(court.judge(90))
        court.clock.advance(MINUTE)

    assert verdicts == [Verdict.DUMP, Verdict.DUMP, Verdict.CAPPED, Verdict.CAPPED]
    court.clock.advance(timedelta(days=1))
    assert court.judge(90) is Verdict.DUMP


@pytest.mark.parametrize(
    "rule", [{"min": 5, "diff": 1, "abs": 4}, {"min": 1, "diff": 1, "abs": 4, "max": 4}]
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"abs is less than min|max is not more than abs"):
        Rule.model_validate(rule)


def test_a_lag_is_written_as_a_time_and_judged_in_milliseconds() -> None:
    rule = LagRule.model_validate({"min": "50ms", "abs": "2s", "coolDown": "30s"})

    limits = rule.limits()

    assert (limits.min, limits.abs, limits.cool_down) == (50, 2000, timedelta(seconds=30))
    with pytest.raises(ValueError, match="abs is less than min"):
        LagRule.model_validate({"min": "3s", "abs": "2s"})


def test_a_rule_of_which_a_part_is_said_keeps_the_rest() -> None:
    rules = RuleSettings.model_validate({"threads": {"abs": 700}, "lag": {"abs": "3s"}})

    threads, lag = (rules.limits()[kind] for kind in (Kind.THREADS, Kind.LAG))
    assert (threads.min, threads.diff, threads.abs, threads.max) == (100, 50, 700, 5_000)
    assert (lag.min, lag.abs) == (250, 3_000)


def test_a_rule_that_is_null_watches_nothing() -> None:
    rules = RuleSettings.model_validate({"cpu": None})

    assert set(rules.limits()) == set(Kind) - {Kind.CPU}


def test_every_kind_has_a_rule_and_every_cool_down_is_real() -> None:
    limits = HolmesSettings().rules.limits()

    assert set(limits) == set(Kind)
    assert all(each.cool_down >= MINUTE for each in limits.values())


def test_a_cool_down_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unit"):
        HolmesSettings.model_validate(
            {"rules": {"cpu": {"min": 1, "diff": 1, "abs": 2, "coolDown": 60}}}
        )


def test_a_dump_must_fit_into_the_directory() -> None:
    with pytest.raises(ValueError, match="maxText is more than maxSize"):
        HolmesSettings.model_validate({"maxText": "2MiB", "maxSize": "1MiB"})
