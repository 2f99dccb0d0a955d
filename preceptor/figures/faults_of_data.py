"""Pictures of what is wrong with rows, answers and split. A drawer's parameters are evidence by name.

copies(rows=1000, distinct=900).title             # "Of 1,000 training rows 100 are copies"
"""

from collections.abc import Mapping, Sequence

from preceptor.figures.drawing import Bar, Drawer, Line, bars, brief, lines, percent, strip
from preceptor.figures.figure import Figure
from preceptor.figures.words import count, plural

MOST_CLASSES, APART = 12, 0.2
"""So many classes are drawn at most; answers that are no further apart are not what differs."""
ROWS = "rows"


def spoilt(rows: Mapping[str, int], of: int) -> Figure:
    """Rows with NaN or infinity, by the place where."""
    worst = max(rows.values())
    return bars(
        f"{count(worst)} of {plural(of, 'row')} cannot be used",
        "How many rows hold a value that is no number, beside all rows. One of them is enough to spoil "
        "every weight.",
        ROWS,
        [Bar("all rows", of), *(Bar(f"spoilt in {place}", many, "wrong") for place, many in rows.items())],
        say=count,
    )


def one_answer(rows: int) -> Figure:
    """Answers that are all the same."""
    return bars(
        f"{plural(rows, 'row')} and a single answer",
        "Training rows, and how many different answers they have.",
        "training rows",
        [Bar("training rows", rows, "train"), Bar("different answers", 1, "wrong")],
        say=count,
    )


def feature_errors(features: Mapping[str, float]) -> Figure:
    """The error that each of the best features leaves by itself."""
    best, *_ = features
    return bars(
        f"{best.capitalize()} alone leaves {percent(features[best])} of the error",
        "A small tree that sees one feature only: what error it leaves, as a share of the constant "
        "answer's (dashed). A strong feature is no fault; one that stands so far apart was most likely "
        "made from the answer.",
        "error left",
        [Bar(name, error, "wrong" if name == best else "other") for name, error in features.items()],
        line=1.0,
        say=percent,
    )


def best_feature(feature: int, error: float, next: float) -> Figure:
    """The error that the best feature leaves by itself, and the second best."""
    return feature_errors({f"feature {feature}": error, "the next best feature": next})


def both_sides(both: int, validation: int) -> Figure:
    """Validation rows that are training rows too."""
    return bars(
        f"{percent(both / validation)} of the validation rows have been learnt",
        "Rows that are held out for judging, by whether they stand among the training rows too. A score "
        "on rows that were learnt measures memory.",
        "validation rows",
        [Bar("new to the net", validation - both, "validation"), Bar("learnt already", both, "wrong")],
        say=count,
    )


def beyond_chance(z: float) -> Figure:
    """How far the net beats chance on answers that were shuffled."""
    return bars(
        "Answers drawn by lot are foretold better than by chance",
        "By how many standard errors the net beats chance on rows held out, after the answers were "
        "shuffled. Beyond the dashed line it is no accident: it has met these rows in training.",
        "standard errors above chance",
        [Bar("shuffled answers", z, "wrong"), Bar("chance", 0.0)],
        line=4.0,
    )


def copies(rows: int, distinct: int) -> Figure:
    """Rows that are copies of others."""
    return bars(
        f"Of {plural(rows, 'training row')} {count(rows - distinct)} are copies",
        "Copies weigh double in training, and a split by lot puts them on both sides.",
        "training rows",
        [Bar("different rows", distinct, "train"), Bar("copies", rows - distinct, "wrong")],
        say=count,
    )


def contradictions(rows: int, of: int) -> Figure:
    """Equal rows with different answers."""
    return bars(
        f"{count(rows)} of {plural(of, 'training row')} contradict one another",
        "Rows that have the same input as another row and a different answer. No net can be right about "
        "both.",
        "training rows",
        [Bar("in agreement", of - rows, "train"), Bar("contradicted", rows, "wrong")],
        say=count,
    )


def explained_by_rows(explained: float, moved: float | None = None, slip: int | None = None) -> Figure:
    """What a forest can tell of the answers from their rows, as they stand and after moving them."""
    rows = [Bar("as they stand", max(explained, 0.0), "wrong")]
    if moved is not None and slip is not None:
        rows.append(Bar(f"moved by {plural(abs(slip), 'row')}", max(moved, 0.0), "train"))
    rows.append(Bar("all there is to tell", 1.0))
    return bars(
        "The rows tell nothing about their answers",
        "How much of the answers a forest can explain by their rows, tried on rows that it did not learn. "
        "It finds something in nearly all data.",
        "share of the answers explained",
        rows,
        say=percent,
    )


def answers_of_others(wrong: int, found: int) -> Figure:
    """Rows of the first mini-batches whose answer is another than in the training data."""
    return bars(
        f"{count(wrong)} of {plural(found, 'row')} came with the answer of another row",
        "Rows of the first mini-batches, looked up among the training rows.",
        "rows of the first mini-batches",
        [Bar("with their own answer", found - wrong, "train"), Bar("with another answer", wrong, "wrong")],
        say=count,
    )


def mislabelled(among_surest: float, among_all: float) -> Figure:
    """How often the label is another one than a forest says, among plain rows and among all."""
    return bars(
        f"Even among the plainest rows {percent(among_surest)} bear another label",
        "How often the label differs from what a forest says that has not seen the row. Hard rows differ "
        "because they are hard; plain rows differ only where the label is wrong.",
        "rows with another label",
        [Bar("the plainest quarter", among_surest, "wrong"), Bar("all rows", among_all)],
        say=percent,
    )


def mistyped(far: int, foretold: float) -> Figure:
    """How well the rows tell which amounts lie far off."""
    return bars(
        f"Nothing foretells the {plural(far, 'amount')} far off",
        "How well a forest tells from the rows which amounts lie far from all others, as ROC AUC. What is "
        "large by right is foretold by something; what is mistyped is not.",
        "ROC AUC",
        [Bar("which amounts lie far off", foretold, "wrong"), Bar("guessing", 0.5)],
        line=0.5,
    )


def classes_apart(shares: Mapping[str, Mapping[str, float]], answers_apart: float) -> Figure | None:
    """Each class's share among training and among validation rows."""
    if answers_apart <= APART:
        return None
    train, held = shares["training"], shares["validation"]
    gaps = {name: abs(train.get(name, 0.0) - held.get(name, 0.0)) for name in {**train, **held}}
    names = sorted(gaps, key=lambda name: -gaps[name])[: MOST_CLASSES // 2]
    rows = [
        Bar(f"class {name}, {side}", shares[side].get(name, 0.0), "train" if side == "training" else side)
        for name in names
        for side in ("training", "validation")
    ]
    return bars(
        f"Class {names[0]} is shared out quite differently",
        "Each class's share of the training rows and of the validation rows, the most different classes "
        "first.",
        "share of the rows",
        rows,
        say=percent,
    )


def deciles_apart(quantiles: Mapping[str, Sequence[float]], answers_apart: float) -> Figure | None:
    """The deciles of the answers among training and among validation rows."""
    if answers_apart <= APART:
        return None
    tenths = range(10, 100, 10)
    return lines(
        "The answers are spread quite differently",
        "So many percent of the rows have an answer below the line. Rows of one kind have lines that lie "
        "upon each other.",
        ("percent of the rows", "answer"),
        [
            Line("training rows", list(zip(tenths, quantiles["training"], strict=False)), "train"),
            Line("validation rows", list(zip(tenths, quantiles["validation"], strict=False)), "validation"),
        ],
        even=True,
    )


def far_apart(auc: float, answers_apart: float) -> Figure:
    """How far training and validation rows lie apart, by their inputs and by their answers."""
    inputs = max(2 * auc - 1, 0.0)
    return bars(
        "Training and validation rows are of two kinds",
        "How far the two lie apart: 0 is alike, 1 is nothing in common. For the inputs it is how surely a "
        "forest tells which side a row comes from, for the answers how differently they are shared out.",
        "how far apart",
        [
            Bar("their inputs", inputs, "wrong" if inputs >= answers_apart else "other"),
            Bar("their answers", answers_apart, "wrong" if inputs < answers_apart else "other"),
        ],
        say=percent,
    )


def batch_means(means: Sequence[float]) -> Figure | None:
    """The mean answer of one mini-batch after another."""
    return lines(
        "Mini-batches come in order instead of mixed",
        "The mean answer of each mini-batch, one after another. Rows drawn by lot would make a flat, "
        "noisy line.",
        ("mini-batch", "mean answer"),
        [Line("mean answer", list(enumerate(means, start=1)), "wrong")],
    )


def batch_spread(factor: float) -> Figure:
    """How much the mini-batches' means vary, beside rows drawn by lot."""
    return bars(
        f"Mini-batches differ {brief(factor)} times as much as chance allows",
        "How much the mean answer varies from one mini-batch to the next; 1 is what rows drawn by lot do.",
        "spread of the mini-batches' means",
        [Bar("as they come", factor, "wrong"), Bar("drawn by lot", 1.0, "train")],
    )


def class_counts(counts: Sequence[int]) -> Figure:
    """Rows of each class; of many classes the most frequent and the rarest."""
    ranked = sorted(enumerate(counts), key=lambda pair: -pair[1])
    ranked = [pair for pair in ranked if pair[1]]
    half = MOST_CLASSES // 2
    shown = ranked if len(ranked) <= MOST_CLASSES else [*ranked[:half], *ranked[-half:]]
    rarest, fewest = ranked[-1]
    return bars(
        f"Class {rarest} has {percent(fewest / sum(counts))} of the rows",
        "Training rows of each class. A net that never answers the rarest class is hardly ever wrong.",
        "training rows",
        [Bar(f"class {name}", many, "wrong" if name == rarest else "train") for name, many in shown],
        say=count,
    )


def columns_at_rest(columns: Sequence[int], features: int) -> Figure:
    """Which columns never change."""
    return strip(
        f"{plural(len(columns), 'column')} of {count(features)} never change",
        "All columns side by side; those set apart hold one and the same value in every training row.",
        "column",
        features,
        columns,
        ("never changes", "changes"),
    )


def axes(shape: Sequence[int]) -> Figure | None:
    """How long each axis is, and what torch reads it as."""
    read_as = {4: ("rows", "channels", "height", "width"), 3: ("rows", "steps", "features")}.get(len(shape))
    if read_as is None:
        return None
    told = [Bar(f"axis {n}: {name}", shape[n], "wrong" if n == 1 else "other")
            for n, name in enumerate(read_as) if n]  # fmt: skip
    return bars(
        f"Axis 1 is read as {count(shape[1])} {read_as[1]}",
        "How long each axis of the input is, and what the net reads it as.",
        "length of the axis",
        told,
        say=count,
    )


DRAWERS: dict[str, tuple[Drawer, ...]] = {
    "data-not-finite": (spoilt,),
    "constant-target": (one_answer,),
    "target-leak": (feature_errors, best_feature),
    "row-leak": (both_sides,),
    "shuffled-labels-learnt": (beyond_chance,),
    "duplicate-rows": (copies,),
    "conflicting-labels": (contradictions,),
    "labels-misaligned": (explained_by_rows, answers_of_others),
    "label-noise": (mislabelled, mistyped),
    "split-shift": (classes_apart, deciles_apart, far_apart),
    "rows-in-order": (batch_means, batch_spread),
    "class-imbalance": (class_counts,),
    "constant-feature": (columns_at_rest,),
    "input-layout": (axes,),
}
