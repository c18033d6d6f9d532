"""What a service says of its database."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pkg.config import Secret
from pkg.database import DatabaseSettings


def test_without_a_word_the_data_is_in_a_file() -> None:
    assert DatabaseSettings().url.get_secret_value() == "sqlite:///data.db"


def test_the_url_is_never_printed() -> None:
    settings = DatabaseSettings(url=Secret("mysql://u:hunter2@h/d"))
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize(
    "values", [{"poolSize": 0}, {"url": ""}, {"lockTimeout": "5"}, {"poolsize": 3}]
)
def test_what_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings.model_validate(values)
