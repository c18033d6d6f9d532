"""Every refusal names the source, the key and the reason, and never shows a secret."""

# ruff: noqa: E501 - a table of messages is read line by line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import Field, model_validator

from pkg.config import ConfigError, Settings, Sources, load
from tests.unit.pkg.config.shop import Shop, sources

if TYPE_CHECKING:
    from pathlib import Path


def refusal(found: Sources, model: type[Settings] = Shop) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(model, found)
    assert caught.value.problems
    return str(caught.value).splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "dev.yaml"


@pytest.mark.parametrize(
    ("text", "line", "rest"),
    [
        ("title: a\nserver:\n  http:\n    port: 70000\n", 4, "server.http.port: input should be less than or equal to 65535"),
        ("server:\n  http:\n    prot: 1\n", 3, 'server.http.prot: unknown key, did you mean "port"?'),
        ("zzz: 1\n", 1, "zzz: unknown key"),
        ("server:\n  http:\n    response_profile: problem\n", 3, 'server.http.response_profile: unknown key, did you mean "responseProfile"?'),
        ("\nserver: {http: {timeout: 30}}\n", 2, 'server.http.timeout: a duration is a text with a unit, such as "2s" or "15m"'),
        ("server: {http: {maxBody: 4MB/s}}\n", 1, 'server.http.maxBody: a size needs a unit, such as "512B", "64KiB", "4MiB" or "1GB"'),
        ("extras:\n- name: a\n- name: [b]\n", 3, "extras[1].name: input should be a valid string"),
        ("title: a\nopen: true\ntitle: b\n", 3, "title: given twice"),
        ("- a\n- b\n", 1, "a mapping of keys is expected"),
        ("title: [a\n", 2, "not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("title: a\n---\ntitle: b\n", 2, "not valid YAML: but found another document"),
        ("title: !!python/name:os.system x\n", 1, "title: the tag 'tag:yaml.org,2002:python/name:os.system' is not plain data"),
        ("title: !!int abc\n", 1, "title: the tag 'tag:yaml.org,2002:int' is not plain data"),
        ("[a]: b\n", 1, "a key must be a text"),
        ("levels: {<<: 3}\n", 1, "levels: only a mapping can be merged with <<"),
        ("levels: &x [*x]\n", 1, "levels: nested too deeply"),
    ],
)  # fmt: skip
def test_a_file_is_refused_with_its_line(file: Path, text: str, line: int, rest: str) -> None:
    file.write_text(text)
    assert refusal(sources(file)) == [f"{file}:{line}: {rest}"]


def test_nesting_without_end_is_refused(file: Path) -> None:
    file.write_text("title: " + "[" * 900)
    assert refusal(sources(file)) == [f"{file}: nested too deeply"]


def test_characters_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"title: \x01\n")
    assert refusal(sources(file)) == [f"{file}: not valid YAML: a character is not allowed"]
    file.write_bytes(b"title: \xff\n")
    assert refusal(sources(file)) == [f"{file}: cannot be read: not a UTF-8 text"]


@pytest.mark.parametrize(
    ("name", "text", "rest"),
    [
        ("SHOP__SERVER__HTTP__PORT", "many", "server.http.port: input should be a valid integer, unable to parse string as an integer"),
        ("SHOP__SERVER__HTTP__PRT", "1", 'server.http.prt: unknown key, did you mean "port"?'),
        ("SHOP__SERVER__HTTP__PORT__X", "1", "server.http.port.x: unknown key"),
        ("SHOP__SERVER__HTTP__TRUSTED__0", "a", "server.http.trusted.0: unknown key"),
        ("SHOP__SERVER__HTTP__TRUSTED", "[a", "server.http.trusted: not valid YAML"),
        ("SHOP__SERVER__HTTP__TRUSTED", "a", "server.http.trusted: input should be a valid list"),
        ("SHOP__SERVER__HTTP__TIMEOUT", "5", 'server.http.timeout: a duration needs a unit, such as "500ms", "2s", "15m" or "1h30m"'),
        ("SHOP__RATIO", "[1]", "ratio: input should be a valid number, unable to parse string as a number"),
        ("SHOP__TITLE_FILE", "/nowhere/at all", "title: cannot read the file '/nowhere/at all': No such file or directory"),
        ("SHOP__", "", "unknown key"),
    ],
)  # fmt: skip
def test_a_variable_is_refused_by_name(name: str, text: str, rest: str) -> None:
    assert refusal(Sources(service="shop", environ={name: text})) == [f"environment {name}: {rest}"]


def test_a_variable_that_says_the_same_key_twice_is_refused() -> None:
    said = sources(SHOP__TITLE="a", SHOP__TITLE_FILE="/b")
    assert refusal(said) == [
        "environment SHOP__TITLE_FILE: title: given twice, also by environment SHOP__TITLE"
    ]


def test_a_flag_is_refused_by_key() -> None:
    said = sources(None, "server.http.port=0", "titel=x", "server..http=1", "title")
    assert refusal(said) == [
        '--set: titel: unknown key, did you mean "title"?',
        "--set: server.: unknown key",
        "--set: title: expected key=value",
        "--set: server.http.port: input should be greater than or equal to 1",
    ]


def test_everything_wrong_is_told_at_once(file: Path) -> None:
    file.write_text("ratio: x\nfoo: 1\n")
    said = refusal(sources(file, "bar=1", SHOP__OPEN="perhaps"))
    assert [line.rsplit(": ", 1)[0] for line in said] == [
        "--set: bar",
        f"{file}:1: ratio",
        "environment SHOP__OPEN: open",
        f"{file}:2: foo",
    ]


def test_a_key_that_must_be_given_is_asked_for(file: Path) -> None:
    class Strict(Settings):
        url: str = Field()

    assert refusal(Sources(service="x"), Strict) == ["settings: url: required, but given nowhere"]
    file.write_text("{}\n")
    assert refusal(sources(file), Strict) == [f"{file}: url: required, but given nowhere"]


def test_a_value_where_a_section_belongs_is_refused_with_its_line(file: Path) -> None:
    file.write_text("server: 3\n")
    said = refusal(sources(file, "server.http.port=1"))
    assert len(said) == 1
    assert said[0].startswith(f"{file}:1: server: input should be a valid dictionary")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone.yaml"
    assert refusal(sources(gone)) == [f"{gone}: no such file or folder"]


def test_a_folder_without_the_environment_says_which_it_has(tmp_path: Path) -> None:
    assert refusal(sources(tmp_path)) == [f"{tmp_path}: no dev.yaml here, there is none at all"]
    for name in ("prod.yaml", "local.yaml", "notes.txt"):
        (tmp_path / name).touch()
    assert refusal(sources(tmp_path)) == [f"{tmp_path}: no dev.yaml here, there are: local, prod"]


def test_the_name_of_an_environment_is_no_path(tmp_path: Path) -> None:
    assert refusal(sources(tmp_path, env="../etc")) == [
        "--env: '../etc' is not the name of an environment"
    ]


def test_secrets_are_in_no_message(file: Path) -> None:
    class Pair(Settings):
        shop: Shop = Shop()

        @model_validator(mode="before")
        @classmethod
        def _quotes_everything(cls, data: object) -> object:
            raise ValueError(f"cannot use {data}")

    file.write_text("account: {pin: bad-hunter2, password: [hunter3]}\n")
    said = "\n".join(refusal(sources(file)))
    assert "account.pin: *** will not do" in said
    assert "hunter" not in said
    file.write_text("shop: {account: {pin: hunter2}}\n")
    assert "hunter" not in "\n".join(refusal(sources(file), Pair))


def test_a_broken_file_never_quotes_itself(file: Path) -> None:
    file.write_text('account: {pin: "hunter2\n')
    assert "hunter" not in "\n".join(refusal(sources(file)))
