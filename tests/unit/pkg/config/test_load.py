"""What settings come out of which sources."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pkg.config import ByteSize, Settings, Sources, load
from tests.unit.pkg.config.shop import Shop, sources


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    file = tmp_path / "dev.yaml"
    file.write_text(
        "title: from file\n"
        "server:\n"
        "  http:\n"
        "    port: 1\n"
        "    responseProfile: problem\n"
        "    maxBody: 1MiB\n"
        "levels: {sqlalchemy.engine: debug}\n"
    )
    return file


def test_defaults_stand_where_nothing_is_said() -> None:
    loaded = load(Shop, sources())
    assert loaded.settings == Shop()
    assert (loaded.env, loaded.origin, loaded.files) == ("dev", "", ())


def test_file_beats_default_environment_beats_file_flag_beats_environment(conf: Path) -> None:
    http = load(Shop, sources(conf)).settings.server.http
    assert (http.port, http.response_profile) == (1, "problem")
    http = load(Shop, sources(conf, SHOP__SERVER__HTTP__PORT="2")).settings.server.http
    assert (http.port, http.response_profile) == (2, "problem")
    flag = sources(conf, "server.http.port=3", SHOP__SERVER__HTTP__PORT="2")
    assert load(Shop, flag).settings.server.http.port == 3


def test_later_flag_wins() -> None:
    assert load(Shop, sources(None, "title=a", "title=b=c")).settings.title == "b=c"


def test_environment_ignores_case_and_underscores_within_a_level() -> None:
    loaded = load(
        Shop,
        sources(shop__SERVER__Http__RESPONSE_PROFILE="problem", SHOP__SERVER__HTTP__MAXBODY="2KB"),
    )
    assert loaded.settings.server.http.response_profile == "problem"
    assert loaded.settings.server.http.max_body == 2000


def test_environment_of_others_is_not_ours() -> None:
    assert load(Shop, sources(SHOPPING__TITLE="x", SHOP="y", SHOP_TITLE="z")).settings == Shop()


def test_service_with_a_dash_reads_variables_with_an_underscore() -> None:
    found = Sources(service="web-shop", environ={"WEB_SHOP__TITLE": "here"})
    assert load(Shop, found).settings.title == "here"


def test_values_of_variables_are_read_by_the_type_of_the_key() -> None:
    settings = load(
        Shop,
        sources(
            SHOP__TITLE="123",
            SHOP__ACCOUNT__PASSWORD="0x7 # true",
            SHOP__RATIO="1",
            SHOP__OPEN="false",
            SHOP__SERVER__HTTP__TIMEOUT="1h30m",
            SHOP__SERVER__HTTP__TRUSTED="[10.0.0.1, 'b']",
        ),
    ).settings
    assert settings.title == "123"
    assert settings.account.password is not None
    assert settings.account.password.get_secret_value() == "0x7 # true"
    assert (settings.ratio, settings.open) == (1.0, False)
    assert settings.server.http.timeout == timedelta(minutes=90)
    assert settings.server.http.trusted == ["10.0.0.1", "b"]


def test_empty_variable_unsets_what_may_be_unset(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("title: x\naccount: {password: y}\n")
    settings = load(Shop, sources(file, SHOP__ACCOUNT__PASSWORD="", SHOP__TITLE="")).settings
    assert settings.account.password is None
    assert settings.title == ""


def test_free_keys_match_those_of_the_file_or_stay_as_said(conf: Path) -> None:
    settings = load(
        Shop,
        sources(
            conf,
            "levels.Own=warn",
            **{"SHOP__LEVELS__SQLALCHEMY.ENGINE": "info", "SHOP__LEVELS__GRPC": "error"},
        ),
    ).settings
    assert settings.levels == {"sqlalchemy.engine": "info", "grpc": "error", "Own": "warn"}


def test_section_given_as_a_mapping_is_merged(conf: Path) -> None:
    http = load(Shop, sources(conf, "server.http={port: 5}")).settings.server.http
    assert (http.port, http.max_body) == (5, ByteSize(1024**2))


def test_variable_may_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret \n")
    loaded = load(Shop, sources(SHOP__ACCOUNT__PASSWORD_FILE=str(secret)))
    assert loaded.settings.account.password is not None
    assert loaded.settings.account.password.get_secret_value() == "s3cret "
    assert loaded.files == (secret,)


def test_key_that_ends_in_file_is_a_key_of_its_own() -> None:
    loaded = load(Shop, sources(SHOP__ACCOUNT__CA_FILE="/etc/ca.pem"))
    assert loaded.settings.account.ca_file == Path("/etc/ca.pem")
    assert loaded.files == ()


def test_folder_holds_one_file_per_environment(conf: Path) -> None:
    prod = conf.with_name("prod.yaml")
    prod.write_text("title: production\n")
    folder = conf.parent
    assert load(Shop, sources(folder)).settings.title == "from file"
    assert load(Shop, sources(folder, env="prod")).settings.title == "production"
    loaded = load(Shop, sources(folder, SHOP__ENV="prod"))
    assert (loaded.settings.title, loaded.env, loaded.settings.env) == ("production",) + (
        "prod",
    ) * 2
    assert (loaded.origin, loaded.files) == (str(prod), (prod,))


def test_packaged_folder_serves_when_no_conf_is_given(conf: Path, tmp_path: Path) -> None:
    packaged = Sources(service="shop", packaged=conf.parent)
    assert load(Shop, packaged).settings.title == "from file"
    other = tmp_path / "other.yaml"
    other.write_text("title: other\n")
    chosen = Sources(service="shop", packaged=conf.parent, conf=other)
    assert load(Shop, chosen).settings.server.http.port == 8000


def test_file_names_the_environment_unless_one_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("env: prod\n")
    assert load(Shop, sources(file)).env == "prod"
    assert load(Shop, sources(file, env="test")).settings.env == "test"


def test_settings_without_an_environment_of_their_own_may_still_be_picked(tmp_path: Path) -> None:
    class Small(Settings):
        size: int = 1

    (tmp_path / "test.yaml").write_text("size: 7\n")
    loaded = load(Small, sources(tmp_path, SHOP__ENV="test"))
    assert (loaded.settings.size, loaded.env) == (7, "test")


def test_section_with_nothing_in_it_is_an_empty_section(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("server:\n  http:\n    # port: 1\naccount: {password: }\n")
    assert load(Shop, sources(file)).settings == Shop()


def test_empty_file_is_no_settings(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("# nothing yet\n")
    assert load(Shop, sources(file)).settings == Shop()


def test_yaml_is_read_as_version_1_2(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        "title: 12:30:45\nlevels: {on: off, a: no, 7: 2026-01-01}\n"
        "extras: [&a {name: x, pin: p}, {<<: *a, name: y}]\nratio: 1e-2\n"
    )
    settings = load(Shop, sources(file)).settings
    assert settings.title == "12:30:45"
    assert settings.levels == {"on": "off", "a": "no", "7": "2026-01-01"}
    assert [extra.name for extra in settings.extras] == ["x", "y"]
    assert settings.extras[1].pin.get_secret_value() == "p"
    assert settings.ratio == 0.01


def test_reload_reads_the_same_sources_again(conf: Path) -> None:
    loaded = load(Shop, sources(conf, "ratio=1"))
    conf.write_text("title: edited\n")
    again = loaded.reload()
    assert (again.settings.title, again.settings.ratio) == ("edited", 1.0)
