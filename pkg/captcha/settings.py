"""What a captcha looks like and how long it is good."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from pkg.config import Duration, Settings


class CaptchaSettings(Settings):
    """Digits in a picture."""

    length: int = Field(default=6, ge=4, le=12)
    """Digits."""
    width: int = Field(default=240, ge=80, le=1000)
    """Pixels."""
    height: int = Field(default=80, ge=40, le=400)
    """Pixels."""
    ttl: Duration = Field(default=timedelta(minutes=5), gt=timedelta())
    attempts: int = Field(default=3, ge=1, le=20)
    """Answers that may be tried; after the last one the captcha is gone."""
