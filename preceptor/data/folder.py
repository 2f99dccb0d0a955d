"""A folder of files, a sub-folder for each class: which files are rows, and what class each is of.

    listing = list_folder(Path("photos"))             # photos/cat/1.jpg, photos/dog/7.jpg ...
    listing.names, listing.classes                    # ["cat/1.jpg", ...], ["cat", ...]

Where the sub-folders are train and test (and perhaps validation), the classes lie within them: what is
in test is kept for the exam, all else is learnt from. Hidden files and those that operating systems
leave behind are no rows, and counted.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from preceptor.data.table import Dropped
from preceptor.errors import Mistake

TRAIN, VALIDATION = ("train", "training"), ("val", "valid", "validation", "dev")
TEST = ("test", "testing")
LEFT_BEHIND = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r"}
HIDDEN, BESIDE = "hidden file", "file beside the folders of the classes"
TOLD = 20


@dataclass
class Listing:
    """The files of a folder that may be rows, by name (relative, in natural order) with the class of each.

    `classes` is None where there are no sub-folders. `sealed` is the sub-folder that is kept for the
    exam. Whatever becomes no row is accounted for with `drop`.
    """

    folder: Path
    names: list[str]
    classes: list[str] | None
    sealed: Path | None = None
    left_out: Counter[str] = field(default_factory=Counter)
    dropped: list[Dropped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """What a person calls the folder."""
        return self.folder.resolve().name or str(self.folder)

    def drop(self, name: str, why: str) -> None:
        """Account for a file that is no row: counted under `why`, the first of them named."""
        self.left_out[why] += 1
        if len(self.dropped) < TOLD:
            self.dropped.append(Dropped(None, f"{name}: {why}"))


def list_folder(folder: Path) -> Listing:
    """Every file below the folder, by class. Raises Mistake "file-unreadable" where it may not be read."""
    listing = Listing(folder, [], None)
    parts, sealed = _parts(folder, listing)
    owners = {part: _entries(part, listing) for part in parts}
    classes = {part: [entry for entry in entries if entry.is_dir()] for part, entries in owners.items()}
    found: list[tuple[str, str]] = []
    for part, entries in owners.items():
        for entry in entries:
            files = _files(entry, listing) if entry in classes[part] else [entry]
            found += [(_relative(file, folder), entry.name if entry.is_dir() else "") for file in files]
    listing.sealed = sealed
    _sort_out(listing, found, in_classes=any(classes.values()))
    return listing


def refuse_one_class(listing: Listing, classes: Sequence[str] | None, what: str) -> None:
    """Raise Mistake unless the rows that are left are of two classes or more; `what` they are: "pictures"."""
    different = sorted(set(classes or []))
    if len(different) > 1:
        return
    if classes is None:
        tables = [name for name in os.listdir(listing.folder) if name.endswith((".csv", ".tsv", ".jsonl"))]
        todo = (
            "Make a sub-folder for each class, named as it, and put its files there; "
            "or write a table with a column of paths and a column of answers."
        )
        if tables:
            todo = (
                f"If {tables[0]} says what each is: preceptor fit {listing.folder / tables[0]} --target ..."
            )
        raise Mistake(
            "folder-without-classes",
            f"Nothing says what the {what} in '{listing.source}' are.",
            where=str(listing.folder),
            why="They lie side by side, and not in a sub-folder for each class.",
            todo=todo,
        )
    raise Mistake(
        "folder-one-class",
        f"All {what} in '{listing.source}' are of one class, {different[0]!r}.",
        where=str(listing.folder),
        why=_why_lost(listing) or "There is nothing to tell apart.",
        todo="Add a sub-folder with examples of another class.",
    )


def refuse_empty(listing: Listing, what: str) -> Mistake:
    """What to say of a folder in which nothing is one of `what`: "pictures", "texts"."""
    return Mistake(
        "folder-empty" if not listing.left_out else "folder-without-rows",
        f"The folder '{listing.source}' holds no {what} that can be read.",
        where=str(listing.folder),
        why=_why_lost(listing) or "There is no file in it.",
        todo="Give the folder in which each class has a sub-folder of its own.",
    )


def _why_lost(listing: Listing) -> str:
    counts = [f"{count:,} x {why}" for why, count in listing.left_out.most_common(4)]
    return "Left out: " + "; ".join(counts) + "." if counts else ""


def _parts(folder: Path, listing: Listing) -> tuple[list[Path], Path | None]:
    """The folders that hold the classes to learn from, and the one that is kept for the exam."""
    inner = {entry.name.casefold(): entry for entry in _entries(folder, None) if entry.is_dir()}
    if not any(name in inner for name in TRAIN) or not set(inner) <= {*TRAIN, *VALIDATION, *TEST}:
        return [folder], None
    answered = {name: part for name, part in inner.items() if any(map(Path.is_dir, _entries(part, None)))}
    exam = next((answered[name] for name in (*TEST, *VALIDATION) if name in answered), None)
    learnt = [part for name, part in inner.items() if part != exam and (name in answered or name in TRAIN)]
    names = " and ".join(f"{part.name}/" for part in learnt)
    listing.notes.append(f"Learnt from {names}" + (f"; {exam.name}/ is the test." if exam else "."))
    for part in {*inner.values()} - {*learnt, exam}:
        listing.notes.append(f"{part.name}/ has no folder for each class: it is left aside.")
    for entry in _entries(folder, listing):
        if not entry.is_dir():
            listing.drop(entry.name, BESIDE)
    return learnt, exam


def _entries(folder: Path, listing: Listing | None) -> list[Path]:
    """What lies in a folder, in natural order; with a listing, hidden things are counted there."""
    try:
        entries = sorted(folder.iterdir(), key=_natural)
    except OSError as error:
        raise Mistake(
            "file-unreadable",
            f"The folder '{folder}' may not be read.",
            where=str(folder),
            why=error.strerror or str(error),
            todo=f"Allow it, for example: chmod -R u+rX '{folder}'.",
        ) from error
    for entry in entries if listing else ():
        if _is_hidden(entry):
            listing.drop(entry.name, HIDDEN)  # type: ignore[union-attr]  # the loop asked already
    return [entry for entry in entries if not _is_hidden(entry)]


def _files(folder: Path, listing: Listing) -> list[Path]:
    """Every file below a folder, however deep."""
    found: list[Path] = []
    for entry in _entries(folder, listing):
        found += _files(entry, listing) if entry.is_dir() and not entry.is_symlink() else [entry]
    return found


def _sort_out(listing: Listing, found: list[tuple[str, str]], *, in_classes: bool) -> None:
    """Files beside the folders of the classes are no rows; without such folders all are."""
    for name, owner in found if in_classes else ():
        if not owner:
            listing.drop(name, BESIDE)
    kept = [(name, owner) for name, owner in found if owner or not in_classes]
    listing.names = [name for name, _ in kept]
    listing.classes = [owner for _, owner in kept] if in_classes else None


def _relative(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def _is_hidden(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.name.casefold() in LEFT_BEHIND


def _natural(entry: Path) -> tuple[object, ...]:
    """Numbers within names in their order: 2.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", entry.name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)
