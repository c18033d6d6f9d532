"""Captchas: digits to read or hear, answered once and in time."""

from pkg.captcha.captcha import CaptchaService, Challenge
from pkg.captcha.redis import RedisChallenges
from pkg.captcha.renderer import CaptchaRenderer, FakeRenderer, Renderer
from pkg.captcha.settings import CaptchaSettings
from pkg.captcha.store import Attempt, Challenges, MemoryChallenges

__all__ = [
    "Attempt",
    "CaptchaRenderer",
    "CaptchaService",
    "CaptchaSettings",
    "Challenge",
    "Challenges",
    "FakeRenderer",
    "MemoryChallenges",
    "RedisChallenges",
    "Renderer",
]
