"""The times of a schedule: what is taken, and that Kubeflow's own parser takes and reads it the same."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import strategies
from kubeflow_api import cron as kubeflow_cron

from models.recipe.cron import parse_cron


@pytest.mark.parametrize(
    ("text", "six"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("30 0 3 * * ?", "30 0 3 * * ?"),
        ("  */15  9-17 * * MON-fri ", "0 */15 9-17 * * MON-fri"),
        ("0 3 29 2 *", "0 0 3 29 2 *"),
        ("0 3 30 2 0", "0 0 3 30 2 0"),
        ("5/20 0,12 1,15 jan-Mar,DEC *", "0 5/20 0,12 1,15 jan-Mar,DEC *"),
    ],
)
def test_five_fields_are_a_crontab_s_and_six_begin_with_the_second(text: str, six: str) -> None:
    assert parse_cron(text) == six


def test_what_kubeflow_would_make_of_a_crontab_s_five_fields() -> None:
    seconds, minutes, hours, *_ = kubeflow_cron.parse("0 3 * * *")
    assert (seconds, minutes, len(hours)) == ({0}, {3}, 24)
    seconds, minutes, hours, *_ = kubeflow_cron.parse(parse_cron("0 3 * * *"))
    assert (seconds, minutes, hours) == ({0}, {0}, {3})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            "@daily",
            "expected minute, hour, day of the month, month and day of the week, in quotes, such as '0 3 * * *'",
        ),
        ("0 3 * *", "received '0 3 * *'"),
        (5, "received 5"),
        (None, "received None"),
        ("0 24 * * *", "expected as hour * or 0 to 23, with - / and ,; received '24' in '0 24 * * *'"),
        ("60 * * * *", "as minute"),
        ("60 * * * * *", "as second"),
        ("0 3 0 * *", "as day of the month * or 1 to 31"),
        ("0 3 * 13 *", "as month * or 1 to 12, or a name such as jan"),
        ("0 3 * * 7", "as day of the week * or 0 to 6, or a name such as sun"),
        ("0 3 * * monday", "received 'monday'"),
        ("0 3 L * *", "received 'L'"),
        ("0 3 * * 5-1", "expected an increasing range; received '5-1'"),
        ("*/0 * * * *", "received '*/0'"),
        ("1,,2 * * * *", "received '1,,2'"),
        ("*-5 * * * *", "received '*-5'"),
        ("-5 * * * *", "received '-5'"),
        ("٣ * * * *", "received '٣'"),
        ("0 3 30 2 *", "expected a time that occurs, but no month of 2 has a day 30"),
        ("0 3 31 4,6,sep,11 ?", "no month of 4,6,sep,11 has a day 31"),
    ],
)
def test_anything_else_is_refused_in_words(value: object, words: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_cron(value)
    assert words in str(error.value)


FIELD = strategies.text("0123456789*?-/, abcJANmon", max_size=6)


@hypothesis.given(strategies.lists(FIELD, min_size=4, max_size=7).map(" ".join))
@hypothesis.example("* * * * * *")
@hypothesis.example("0-59/7 00 1/3 ? JAN sun,2")
def test_kubeflow_takes_whatever_is_taken(text: str) -> None:
    try:
        six = parse_cron(text)
    except ValueError:
        return
    assert len(six.split()) == 6 and all(kubeflow_cron.parse(six))
    assert parse_cron(six) == six
