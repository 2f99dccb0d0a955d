"""Why did it do that? What the answers lean on, how the net learnt, why this predictor ships."""

from markupsafe import Markup

from preceptor.figures.inputs import Weight, importance
from preceptor.figures.learning import learning_curves
from preceptor.figures.words import duration, interval_of, known, number, spelt
from preceptor.report.blocks import Block, Fold, Grid, Section, Text, pictures
from preceptor.report.exhibits import exhibits, leaning
from preceptor.report.record import Event, Record
from preceptor.report.sentences import joined, name, say
from preceptor.report.verdict import Verdict

QUESTION = "Why did it do that?"


def why_so(record: Record, verdict: Verdict) -> Section:
    """The second section."""
    weights = _weights(record, verdict)
    axis = (
        f"{verdict.yardstick.short}: how much it {'falls' if verdict.yardstick.higher_is_better else 'grows'}"
    )
    blocks: list[Block] = pictures(importance(weights, axis, share=verdict.yardstick.unit == "share"))
    blocks += exhibits(record, "why")
    if record.history is not None:
        blocks += pictures(learning_curves(record.history))
    blocks += _choice(record, verdict)
    return Section("why", QUESTION, _leaning(record, weights, verdict), blocks)


def _weights(record: Record, verdict: Verdict) -> list[Weight]:
    lines = [line for line in record.last("importance").get("list", []) if known(line.get("drop"))]
    measure = verdict.yardstick
    weights = []
    for line in lines:
        drop, interval = float(line["drop"]), interval_of(line.get("interval"))
        told = f"{measure.short} {measure.worse_by(drop, interval)}"
        weights.append(Weight(str(line.get("column")), drop, interval, told))
    return weights


def _leaning(record: Record, weights: list[Weight], verdict: Verdict) -> Markup:
    """What the answers lean on most; those columns whose weight is surely not luck."""
    if not weights and record.exhibits:
        return leaning(record)
    if not weights:
        return say("{why}", why=record.lacks("What the answers lean on is"))
    sure = [w for w in weights if (w.interval or (w.drop,))[0] > 0]
    sure.sort(key=lambda w: w.drop, reverse=True)
    if not sure:
        return say("No single column carries the answers: whichever one was shuffled, they became no worse.")
    first = sure[0]
    leans = [w for w in sure[:3] if w.drop >= 0.15 * first.drop]
    return say(
        "It leans most on {columns}. With {first} shuffled, the {label}.",
        columns=joined([name(w.column) for w in leans]),
        first=name(first.column),
        label=first.label,
    )


def _choice(record: Record, verdict: Verdict) -> list[Block]:
    """Who was in the running, who ships and why; each decision that a measurement took."""
    event, blocks = record.last("candidates"), list[Block]()
    if event.get("why") or verdict.shipped:
        chosen = (
            say("The answers come from {shipped}. ", shipped=verdict.shipped)
            if verdict.shipped
            else Markup("")
        )
        blocks.append(Text(chosen + say("{why}", why=str(event.get("why") or ""))))
    for lent in record.of("lent"):
        blocks.append(Text(_lent(lent)))
    lines = event.get("list", [])
    if lines:
        shipped = [n for n, line in enumerate(lines) if line.get("name") == verdict.ships]
        rows = [_candidate(line, verdict) for line in lines]
        columns = ["predictor", f"{verdict.yardstick.title} on validation rows", "95 % range", "weight"]
        blocks.append(Fold("Who was in the running", [Grid("", columns, rows, shipped)]))
    return blocks + _lessons(record) + _decisions(record)


def _lent(event: Event) -> Markup:
    """Where the net's eyes come from."""
    return say(
        "The net did not begin from nothing: what looks at {column} was lent by {lender} and {learns}.",
        column=name(str(event.get("column"))),
        lender=str(event.get("from")),
        learns="stayed as it was" if event.get("frozen") else "learnt on",
    )


def _candidate(line: Event, verdict: Verdict) -> list[str]:
    interval, measure = interval_of(line.get("interval")), verdict.yardstick
    score, weight = line.get("score"), line.get("weight")
    between = measure.between(interval, float(score)) if interval and isinstance(score, int | float) else "–"
    title = str(line.get("title") or line.get("name"))
    return [
        title,
        measure.said(score, interval),
        between,
        number(weight, grain=0.01) if known(weight) else "–",
    ]


def _lessons(record: Record) -> list[Block]:
    lessons = record.latest("train", "fold")
    if not lessons:
        return []
    rows = [
        [
            f"{int(lesson.get('fold') or 0) + 1}",
            str(lesson.get("epochs", "–")),
            str(lesson.get("best_epoch", "–")),
            duration(lesson.get("took")),
            str(lesson.get("stopped") or "–"),
        ]
        for lesson in lessons
    ]
    columns = ["net", "epochs", "best epoch", "time", "why it stopped"]
    return [Fold(f"How {spelt(len(rows), 'net was', 'nets were')} trained", [Grid("", columns, rows)])]


def _decisions(record: Record) -> list[Block]:
    rows = [
        [str(d.get("key")), _value(d.get("value")), str(d.get("why") or "–")] for d in record.of("decision")
    ]
    if not rows:
        return []
    words = Text("What was decided by a measurement, such as the clock; a repeated run decides the same.")
    return [Fold("What was decided on the way", [words, Grid("", ["what", "decided", "because of"], rows)])]


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_value(one) for one in value)
    return number(value) if isinstance(value, float) else str(value)
