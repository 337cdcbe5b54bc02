"""Where a ledger's key comes from, and that it is on disk, private, before it is used."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger.file.keys import VARIABLE, find_key, key_path, make_key, readable_by_others, require_key
from migrator.ledger.file.vault import LedgerKey, Vault

KEYS = [LedgerKey.generate() for _ in range(3)]
TEXTS = [key.text.reveal() for key in KEYS]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "migration.db"


def test_the_key_lies_next_to_its_ledger(ledger: Path) -> None:
    assert key_path(ledger) == ledger.parent / "migration.db.key"


def test_the_environment_goes_before_the_named_file_and_that_before_the_one_next_to_the_ledger(
    ledger: Path,
) -> None:
    named = ledger.parent / "named.key"
    key_path(ledger).write_text(TEXTS[2] + "\n")
    assert find_key(ledger, {}, None) == KEYS[2]
    named.write_text(TEXTS[1])
    assert find_key(ledger, {VARIABLE: ""}, named) == KEYS[1]
    assert find_key(ledger, {VARIABLE: TEXTS[0]}, named) == KEYS[0]


def test_without_any_there_is_none_and_whoever_needs_it_is_told_where_it_may_be(ledger: Path) -> None:
    assert find_key(ledger, {}, None) is None
    with pytest.raises(LedgerError) as caught:
        require_key(ledger, {}, None)
    assert str(key_path(ledger)) in caught.value.message
    assert VARIABLE in caught.value.hint


def test_who_needs_a_key_gets_the_one_that_is_found(ledger: Path) -> None:
    assert require_key(ledger, {VARIABLE: TEXTS[0]}, None) == KEYS[0]


def test_a_named_file_that_is_missing_is_not_passed_over(ledger: Path) -> None:
    key_path(ledger).write_text(TEXTS[0])
    with pytest.raises(LedgerError, match=r"named\.key"):
        find_key(ledger, {}, ledger.parent / "named.key")


def test_a_file_that_holds_no_text_or_cannot_be_read_is_refused(ledger: Path) -> None:
    key_path(ledger).write_bytes(b"\xff" + TEXTS[0].encode())
    with pytest.raises(LedgerError, match="holds no key") as caught:
        find_key(ledger, {}, None)
    assert TEXTS[0] not in repr(caught.value)
    with pytest.raises(LedgerError, match="cannot be read"):
        find_key(ledger, {}, ledger.parent)


def test_a_new_key_is_on_disk_for_its_owner_alone(ledger: Path) -> None:
    key = make_key(ledger)
    assert stat.S_IMODE(key_path(ledger).stat().st_mode) == 0o600
    assert not readable_by_others(key_path(ledger))
    found = find_key(ledger, {}, None)
    assert found == key
    assert Vault(key).key_id
    assert [path.name for path in ledger.parent.iterdir()] == ["migration.db.key"]


def test_a_key_is_never_written_over(ledger: Path) -> None:
    key = make_key(ledger)
    with pytest.raises(LedgerUnwritableError, match=r"migration\.db\.key"):
        make_key(ledger)
    assert find_key(ledger, {}, None) == key


def test_where_no_key_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnwritableError):
        make_key(tmp_path / "none" / "migration.db")


@pytest.mark.parametrize(
    ("mode", "open_"), [(0o600, False), (0o640, True), (0o604, True), (0o400, False), (0o622, False)]
)
def test_whether_others_can_read_a_file_is_seen(tmp_path: Path, mode: int, open_: bool) -> None:
    path = tmp_path / "key"
    path.touch()
    path.chmod(mode)
    assert readable_by_others(path) is open_
    assert not readable_by_others(tmp_path / "none")
