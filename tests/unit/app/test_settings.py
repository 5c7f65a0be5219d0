"""Settings are checked as a whole, and say what to do."""

import pytest

from app.settings import Settings, SettingsError

URL = "postgresql://me:hidden@127.0.0.1:5432/scale"


def test_only_the_database_must_be_given() -> None:
    settings = Settings.from_environment({"DATABASE_URL": URL, "UNRELATED": "x"})
    assert settings == Settings(database_url=URL)


def test_every_setting_can_be_given_and_gets_its_type() -> None:
    settings = Settings.from_environment(
        {"DATABASE_URL": URL, "SCALE_POOL_SIZE": "3", "SCALE_STATEMENT_SECONDS": "0.5", "SCALE_SPARE_THREADS": "0"}
    )
    assert (settings.pool_size, settings.statement_seconds, settings.spare_threads) == (3, 0.5, 0)


def test_a_missing_database_is_told_with_an_example() -> None:
    with pytest.raises(SettingsError, match=r"DATABASE_URL is not set; give .*postgresql://"):
        Settings.from_environment({})


def test_all_faults_are_told_at_once_without_the_password() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.from_environment(
            {"DATABASE_URL": "mysql://me:hidden@there", "SCALE_POOL_SIZE": "many", "SCALE_CONNECT_SECONDS": "soon"}
        )
    for word in ("DATABASE_URL", "SCALE_POOL_SIZE is 'many'", "SCALE_CONNECT_SECONDS is 'soon'"):
        assert word in str(raised.value)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e9"])
def test_a_number_out_of_its_range_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="SCALE_POOL_WAIT_SECONDS"):
        Settings.from_environment({"DATABASE_URL": URL, "SCALE_POOL_WAIT_SECONDS": value})
