"""Settings of alerts that do not fit are refused."""

from __future__ import annotations

from typing import Any

import pytest

from pkg.alert import AlertSettings

TOPIC = {"name": "default", "subject": "alert", "to": ["ops@example.com"]}


def settings(**changes: Any) -> AlertSettings:
    return AlertSettings.model_validate(changes, by_alias=True, by_name=False)


def test_without_topics_alerts_are_only_logged() -> None:
    assert settings().topics == ()


def test_topics_are_read() -> None:
    made = settings(topics=[TOPIC, TOPIC | {"name": "panic"}], defaultTopic="panic", window="1m")

    assert [each.name for each in made.topics] == ["default", "panic"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"topics": [TOPIC, TOPIC]}, "listed twice: default"),
        ({"topics": [TOPIC | {"name": "panic"}]}, 'default topic "default" is not among'),
        ({"topics": [TOPIC | {"to": []}]}, "to"),
        ({"topics": [TOPIC | {"to": ["Ops <ops@example.com>"]}]}, "a mail address looks like"),
        ({"topics": [TOPIC | {"subject": "a\r\nBcc: b"}]}, "one line"),
        ({"topics": [TOPIC | {"name": "a b"}]}, "name"),
        ({"dailyCap": 1}, "dailyCap"),
        ({"language": "fr"}, "language"),
        ({"window": "0s"}, "window"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        settings(**changes)
