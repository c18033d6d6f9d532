"""`--check` looks at more than the settings where a service has more to look at."""

from __future__ import annotations

import io

from pkg.app.cli import Cli
from pkg.config import ConfigError, Loaded, Problem, Settings


class ShopSettings(Settings):
    open: bool = True


def _verify(loaded: Loaded[ShopSettings]) -> None:
    if not loaded.settings.open:
        raise ConfigError([Problem("configuration", "open", "nobody could buy")])


def _check(*arguments: str) -> tuple[int, str]:
    cli = Cli(
        service="shop",
        version="1",
        settings=ShopSettings,
        serve=lambda _: 99,
        verify=_verify,
    )
    err = io.StringIO()
    code = cli.main(["--check", *arguments], environ={}, stdout=io.StringIO(), stderr=err)
    return code, err.getvalue()


def test_check_refuses_what_the_service_refuses() -> None:
    code, said = _check("--set", "open=false")
    assert code == 2
    assert "open" in said
    assert "nobody could buy" in said


def test_check_passes_what_the_service_takes() -> None:
    assert _check() == (0, "")
