"""What target kinds say when a row's answer cannot be marked."""

from preceptor.errors import Mistake, nearest


def no_answer(column: str, rows: int, what: str = "answer") -> Mistake:
    """`rows` rows have no answer in the target column."""
    return Mistake(
        "answer-missing",
        f"{rows:,} rows have no {what} in {column!r}.",
        where=f"column {column!r}",
        why="A row without an answer can neither teach nor examine.",
        todo="Leave these rows out, or fill in their answers.",
    )


def unknown_label(column: str, label: str, rows: int, known: list[str]) -> Mistake:
    """`rows` rows have an answer that no training row had; `label` is the first."""
    some = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
    return Mistake(
        "label-unknown",
        f"{label!r} is not one of the {len(known):,} labels of {column!r}.",
        where=f"column {column!r}, {rows:,} rows",
        why=f"These labels were learnt: {some}.",
        todo=nearest(label, known) or "Leave these rows out, or train with such rows among them.",
    )
