"""The documentation page in a browser that reaches nothing but the service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from tests.e2e.browser import chromium, keep, shown
from tests.e2e.service import ADMIN, Service
from tests.e2e.web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium import webdriver

pytestmark = pytest.mark.e2e

LOGIN: Final = "#operations-AuthService-AuthService_Login"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process."""
    with Service(tmp_path_factory.mktemp("docs")) as running:
        yield running


@pytest.fixture
def page(service: Service, tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """The page, rendered."""
    with chromium(tmp_path / "profile") as driver:
        driver.get(f"{service.http}/docs")
        shown(driver, LOGIN)
        yield driver


def press(driver: webdriver.Chrome, selector: str) -> None:
    """Click on it; the page may be longer than the window."""
    element = shown(driver, selector)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def logged(driver: Any, kind: str) -> list[dict[str, Any]]:
    """What the browser has noted since it was last asked."""
    return list(driver.get_log(kind))


def asked_for(driver: webdriver.Chrome) -> list[str]:
    """Every URL that the browser has asked for."""
    messages = [json.loads(entry["message"])["message"] for entry in logged(driver, "performance")]
    sent = [each for each in messages if each["method"] == "Network.requestWillBeSent"]
    return [each["params"]["request"]["url"] for each in sent]


def test_it_renders_and_signs_in_with_no_other_host(
    service: Service, page: webdriver.Chrome
) -> None:
    assert page.find_element(By.CSS_SELECTOR, ".info .title").text.startswith("User service")
    keep(page, "docs")
    with Web(service) as web:
        body = {"username": ADMIN, "password": service.password, **web.solved()}
    press(page, f"{LOGIN} .opblock-summary-control")
    text = shown(page, f"{LOGIN} textarea.body-param__text")
    page.execute_script(
        "const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set;"
        "set.call(arguments[0], arguments[1]);"
        "arguments[0].dispatchEvent(new Event('input', {bubbles: true}));"
        "arguments[0].dispatchEvent(new Event('change', {bubbles: true}));",
        text,
        json.dumps(body),
    )
    press(page, f"{LOGIN} button.execute")
    answer = shown(page, f"{LOGIN} .live-responses-table tbody .response-col_status")
    assert answer.text.split()[0] == "200"
    told = shown(page, f"{LOGIN} .live-responses-table .highlight-code").text
    assert '"code": 0' in told
    assert f'"userName": "{ADMIN}"' in told
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", answer)
    keep(page, "docs-login")

    places = [urlsplit(url) for url in asked_for(page)]
    # The browser's own new tab comes from chrome:, and pictures from data: URLs.
    hosts = {place.netloc for place in places if place.scheme not in ("chrome", "data")}
    assert hosts == {service.http.removeprefix("http://")}
    severe = [entry for entry in logged(page, "browser") if entry["level"] == "SEVERE"]
    assert severe == []
