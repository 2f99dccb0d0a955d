"""Exhibits as the exam writes them, drawn by hand: a run folder's `figures/examples.json` for the report.

write_exhibits(folder, picture_exhibit(["cat", "dog"]))
"""

import json

import numpy as np

from preceptor.explain.tiles import heated, sheet, tile

WORDS = "you have won a <b>prize</b>"


def blob(number: int, side: int = 16) -> np.ndarray:
    """A picture of one bright square on noise, another place for every number."""
    random = np.random.default_rng(number)
    picture = random.integers(0, 90, (side, side, 3), np.uint8)
    row, column = random.integers(0, side - 5, 2)
    picture[row : row + 5, column : column + 5] = random.integers(120, 255, 3)
    return picture


def _row(number: int, truth: str, answer: str, **more) -> dict:
    error = 0.9 if truth != answer else 0.1
    return {"line": number + 2, "truth": truth, "answer": answer, "error": error, "sure": 0.9, **more}


def picture_exhibit(names: list[str], column: str = "photo") -> dict:
    """Some tiles of everything that there is to see of a picture column."""
    cat, dog = names[:2]
    heat = np.linspace(0, 1, 256).reshape(16, 16)
    layers = {"grad_cam": tile(heated(blob(1), heat)), "saliency": tile(heated(blob(1), heat.T))}
    near = [{"truth": dog, "alike": 0.9, "shown": tile(blob(n))} for n in range(4)]
    pairs = [
        (a, b)
        for a in names[:20]
        for b in names[:20]
        if a == b or (len(a) + len(b)) % 3 == 0 or (a, b) == (cat, dog)
    ]
    return {
        "kind": "picture",
        "column": column,
        "glance": [
            {"name": one, "rows": 100, "tiles": [tile(blob(n)) for n in range(8)]} for one in names[:12]
        ],
        "sizes": {"pictures": [[16, 16, 90], [32, 24, 10]], "missing": 1},
        "worst": [_row(n, cat, dog, tile=tile(blob(n))) for n in range(5)] + [_row(9, cat, dog, tile=None)],
        "best": [_row(n, cat, cat, tile=tile(blob(n))) for n in range(5)],
        "confused": [
            {"truth": a, "answer": b, "rows": 50 if (a, b) == (cat, dog) else 7, "tile": tile(blob(3), 56)}
            for a, b in pairs
        ],
        "looked": [_row(n, cat, dog, tile=tile(blob(n)), **layers) for n in range(3)],
        "filters": {
            "tile": tile(sheet(np.random.default_rng(0).normal(size=(8, 3, 3, 3)))),
            "shape": [8, 3, 3, 3],
            "of": 16,
        },
        "near": [_row(1, cat, dog, shown=tile(blob(1)), near=near)],
        "augmented": [{"tile": tile(blob(1)), "changed": [tile(blob(1)[:, ::-1].copy())] * 5}],
    }


def text_exhibit(names: list[str], column: str = "message") -> dict:
    """A few sentences with shaded words, and all else that there is to see of a text column."""
    ham, spam = names[:2]
    pieces = [[0, 3, 0.4], [4, 8, -1.2], [9, 12, 2.0], [13, 14, 0.0], [15, 26, 1.0]]
    near = [{"truth": spam, "alike": 0.9, "shown": f"{WORDS} {n}"} for n in range(4)]
    return {
        "kind": "text",
        "column": column,
        "glance": [{"name": one, "rows": 100, "texts": [WORDS, "", "漢字 🙂 " * 80]} for one in names],
        "lengths": list(range(3, 60)),
        "worst": [_row(n, ham, spam, shown=WORDS, pieces=pieces) for n in range(3)]
        + [_row(8, ham, spam, shown="", pieces=[]), _row(9, ham, spam, shown="very " * 300, pieces=[])],
        "best": [_row(n, ham, ham, shown=WORDS, pieces=[]) for n in range(3)],
        "near": [_row(1, ham, spam, shown=WORDS, near=near)],
        "telling": [
            {"name": name, "word": f"{name}word{n}", "effect": 2.0 - 0.2 * n, "texts": 5}
            for name in names
            for n in range(8)
        ],
        "telling_texts": 200,
    }


def write_exhibits(folder, *exhibits: dict, kind: str | None = None) -> None:
    """Put the exhibits into a run's folder; with `kind` the run's one input is of that kind."""
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "examples.json").write_text(json.dumps({"exhibits": exhibits}), encoding="utf-8")
    if kind is None:
        return
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        if line["event"] == "kinds":
            line["columns"] = [
                {"column": exhibits[0]["column"], "kind": kind, "role": "input", "why": "seen"}
            ]
        if line["event"] in ("importance", "slices"):
            line["list"] = []
    (folder / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
