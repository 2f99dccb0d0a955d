"""Files that are either wholly there or not there at all.

    write_atomically(folder / "plan.json", text.encode())

Whoever reads the path finds the old bytes or the new ones, never a part of either, even when the power
fails in between: written beside it, flushed to the disk, renamed over it, and the folder flushed too.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from preceptor.errors import Mistake

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_atomically(path: Path, content: bytes) -> None:
    """Make `path` hold `content`, all or nothing. One writer a path at a time.

    Raises Mistake "disk-full" or "cannot-write"; what the path held before is then still there.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # the failure that matters is the one being told
            beside.unlink()
        raise told(error, path) from error


def told(error: OSError, path: Path) -> Exception:
    """A failed write as the Mistake that it is for a user; any other failure as it came."""
    if error.errno in _FULL:
        return Mistake(
            "disk-full",
            f"The disk is full: {path.name} could not be written.",
            where=str(path),
            why="Nothing that was there before has been lost.",
            todo="Free some space, then resume the run.",
        )
    if error.errno in _FORBIDDEN:
        return Mistake(
            "cannot-write",
            f"{path.name} may not be written here.",
            where=str(path),
            why=f"The system says: {os.strerror(error.errno or 0)}.",
            todo="Choose another folder, or ask for the right to write in this one.",
        )
    return error


def _flush_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is. (Windows cannot open a folder, and need not.)"""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
