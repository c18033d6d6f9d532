"""What is remote lies over the file and below environment and flags; problems name its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from pkg.config import ConfigError, Loaded, Secret, load
from pkg.config.remote import Part, RemoteSettings, open_source, remote_settings
from pkg.config.sections import ServiceSettings
from tests.unit.pkg.config.shop import Shop, sources

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "consul:config/shop/prod.yaml"


def document(text: str, place: str = PLACE) -> Part:
    return Part(place, text)


def loaded(conf: Path, *parts: Part, sets: tuple[str, ...] = (), **environ: str) -> Loaded[Shop]:
    return load(Shop, replace(sources(conf, *sets, **environ), remote=parts))


def problems(conf: Path, *parts: Part) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        loaded(conf, *parts)
    return [str(problem) for problem in refused.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text("title: file\nratio: 0.1\nserver:\n  http:\n    port: 1\n    trusted: [a, b]\n")
    return file


def test_each_layer_wins_over_the_one_before(file: Path) -> None:
    remote = document("ratio: 0.2\nopen: false\nserver:\n  http:\n    port: 2\n    timeout: 2s\n")
    settings = loaded(
        file, remote, sets=("server.http.timeout=4s",), SHOP__SERVER__HTTP__PORT="3"
    ).settings

    assert settings.title == "file"
    assert settings.ratio == 0.2
    assert not settings.open
    assert settings.server.http.port == 3
    assert settings.server.http.timeout == timedelta(seconds=4)
    assert settings.server.http.trusted == ["a", "b"]


def test_a_list_is_replaced_as_a_whole(file: Path) -> None:
    remote = document("server: {http: {trusted: [c]}}")

    assert loaded(file, remote).settings.server.http.trusted == ["c"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "server:\n", "server: {}\n", "server:\n  http:"]
)
def test_an_empty_section_takes_nothing_away(file: Path, text: str) -> None:
    assert loaded(file, document(text)).settings.server.http.port == 1


def test_later_parts_win_and_values_win_over_documents(file: Path) -> None:
    settings = loaded(
        file,
        Part("dir:/etc/account.password", "123", key="account.password"),
        document("title: one\nratio: 0.3\naccount: {password: x}", "dir:/etc/a.yaml"),
        document("title: two\n", "dir:/etc/b.yaml"),
    ).settings

    assert (settings.title, settings.ratio) == ("two", 0.3)
    assert settings.account.password == Secret("123")


def test_problems_name_the_place_of_what_is_wrong(file: Path) -> None:
    found = problems(
        file,
        document("title: a\n\nserver:\n  http:\n    port: 70000\n    prt: 1\n"),
        Part("dir:/etc/rato", "1", key="rato"),
        Part("dir:/etc/open", "perhaps", key="open"),
    )

    assert found[0] == 'dir:/etc/rato: rato: unknown key, did you mean "ratio"?'
    assert any(each.startswith(f"{PLACE}:5: server.http.port: ") for each in found)
    assert f'{PLACE}:6: server.http.prt: unknown key, did you mean "port"?' in found
    assert any(each.startswith("dir:/etc/open: open: ") for each in found)
    assert len(found) == 4


def test_what_the_file_says_wrong_is_still_the_files(file: Path) -> None:
    file.write_text("ratio: much\n")

    (found,) = problems(file, document("title: a\n"))

    assert found.startswith(f"{file}:1: ratio: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a\n", f"{PLACE}:1: a mapping of keys is expected"),
        ("a: 1\na: 2\n", f"{PLACE}:2: a: given twice"),
        ("a: [\n", f"{PLACE}:2: not valid YAML"),
    ],
)
def test_what_is_no_configuration_is_refused(file: Path, text: str, reason: str) -> None:
    assert problems(file, document(text))[0].startswith(reason)


def test_a_secret_is_in_no_problem(file: Path) -> None:
    found = problems(file, Part("dir:/etc/account.pin", "bad-hunter2", key="account.pin"))

    assert "hunter2" not in "".join(found)
    assert "***" in found[0]


def test_what_is_remote_cannot_say_where_it_is(file: Path) -> None:
    found = problems(
        file,
        document("title: a\nremote: {url: 'dir:///elsewhere'}\n"),
        Part("dir:/etc/remote.url", "dir:///elsewhere", key="remote.url"),
    )

    assert f"{PLACE}:2: remote: what is remote cannot say where it is" in found
    assert "dir:/etc/remote.url: remote.url: what is remote cannot say where it is" in found


def test_the_origin_names_documents(file: Path) -> None:
    said = (document(""), Part("dir:/etc/title", "x", key="title"))

    assert loaded(file, *said).origin == f"{file}, {PLACE}"


def test_reload_keeps_what_is_remote(file: Path) -> None:
    first = loaded(file, document("ratio: 0.9\n"))
    file.write_text("title: again\n")

    assert (first.reload().settings.title, first.reload().settings.ratio) == ("again", 0.9)


def test_the_section_is_found_before_the_rest_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "svc.yaml"
    file.write_text("database: {url: x}\nremote:\n  url: dir:///a\n  wait: 5s\n")
    given = sources(file, "remote.url=dir:///b", "nothing.known=1", SHOP__REMOTE__TOKEN="t", X="1")

    found = remote_settings(ServiceSettings, given)

    assert (found.url, found.wait) == ("dir:///b", timedelta(seconds=5))
    assert found.token == Secret("t")


def test_a_token_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    given = sources(SHOP__REMOTE__TOKEN_FILE=str(tmp_path / "token"))

    assert remote_settings(ServiceSettings, given).token == Secret("t0ken")


def test_what_is_wrong_about_the_section_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--set: remote.url: .*credentials"):
        remote_settings(ServiceSettings, sources(None, "remote.url=consul://u:p@c:8500/k"))


@pytest.mark.parametrize(
    "url",
    [
        "http://c:8500/k",
        "consul:///k",
        "consul://c:8500",
        "consul://c:8500/",
        "consul://c:port/k",
        "consul://c:8500/k?dc=x",
        "dir:conf",
        "dir://conf/x",
    ],
)
def test_an_url_that_names_no_source_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        RemoteSettings(url=url)


def test_a_source_is_opened_by_its_url() -> None:
    consul = RemoteSettings(url="consul://c:8500/config/a%20b.yaml", token=Secret("t"))
    tls = RemoteSettings(url="consul+https://c:8501/k")
    folder = open_source(RemoteSettings(url="dir:///etc/a%20b"))
    opened = open_source(consul)

    assert opened is not None
    assert folder is not None
    assert (opened.name, folder.name) == ("consul:config/a b.yaml", "dir:/etc/a b")
    assert (consul.consul().url, consul.consul().token) == ("http://c:8500", Secret("t"))
    assert tls.consul().url == "https://c:8501"
    assert open_source(RemoteSettings()) is None
