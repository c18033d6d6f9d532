"""Captchas: digits to read or hear, answered once and in time."""

from pkg.captcha.captcha import Captcha, Challenge
from pkg.captcha.redis import RedisCaptchaStore
from pkg.captcha.renderer import CaptchaRenderer, FakeRenderer, Renderer
from pkg.captcha.settings import CaptchaSettings
from pkg.captcha.store import Attempt, CaptchaStore, MemoryCaptchaStore

__all__ = [
    "Attempt",
    "Captcha",
    "CaptchaRenderer",
    "CaptchaSettings",
    "CaptchaStore",
    "Challenge",
    "FakeRenderer",
    "MemoryCaptchaStore",
    "RedisCaptchaStore",
    "Renderer",
]
