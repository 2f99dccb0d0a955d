import errno
import os
from pathlib import Path

import pytest

from preceptor import storage
from preceptor.errors import Mistake
from preceptor.storage import write_atomically


def test_what_is_written_is_what_is_read(tmp_path: Path):
    write_atomically(tmp_path / "a.bin", b"one")
    write_atomically(tmp_path / "a.bin", b"two")
    assert (tmp_path / "a.bin").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EROFS, "cannot-write")],
)
def test_a_failed_write_is_a_mistake_and_the_old_content_stays(tmp_path: Path, monkeypatch, number, code):
    write_atomically(tmp_path / "a.bin", b"old")

    def failing(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(storage.os, "fsync", failing)
    with pytest.raises(Mistake) as caught:
        write_atomically(tmp_path / "a.bin", b"new and longer")
    assert caught.value.code == code
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_device_is_named_as_such():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(OSError, match="space") as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    told = storage.told(caught.value, Path("runs/houses/plan.json"))
    assert isinstance(told, Mistake)
    assert told.code == "disk-full"


def test_any_other_failure_comes_through_as_it_is(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "a.bin", b"x")


def test_a_part_left_by_a_killed_writer_does_no_harm(tmp_path: Path):
    (tmp_path / ".a.bin.part").write_bytes(b"half a fi")
    write_atomically(tmp_path / "a.bin", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
