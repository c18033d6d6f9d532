"""Mails from templates."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from pkg.email.template import MailTemplate

FIELDS: dict[str, Any] = {
    "language": "en",
    "heading": "a < b",
    "fields": [("Time", "<now>")],
    "notes": [],
    "rows": [],
    "detail": "",
}


def test_values_are_escaped_in_html_and_left_alone_in_text() -> None:
    text, html = MailTemplate("pkg.alert", "alert").render(FIELDS)

    assert "a < b" in text
    assert "Time: <now>" in text
    assert "a &lt; b" in html
    assert "&lt;now&gt;" in html


def test_a_field_that_is_not_given_is_an_error() -> None:
    template = MailTemplate("pkg.alert", "alert")

    for name in FIELDS:
        given = {key: value for key, value in FIELDS.items() if key != name}
        with pytest.raises(UndefinedError, match=name):
            template.render(given)


def test_a_template_that_is_not_there_is_an_error_at_once() -> None:
    with pytest.raises(TemplateNotFound):
        MailTemplate("pkg.alert", "nothing")
