"""The exam: the seal breaks once and on record; verdicts are right, and luck earns none."""

import json

import numpy as np
import polars as pl
import pytest

from preceptor.data.table import Account, Schema, Table
from preceptor.errors import Mistake
from preceptor.exam import judge, open_seal, result
from preceptor.finding import Finding
from preceptor.ledger import Ledger
from preceptor.metrics import many_class_metrics, regression_metrics, tag_metrics, two_class_metrics
from preceptor.split import Sealed


def sealed_rows(rows: int = 3) -> Sealed:
    frame = pl.DataFrame({"x": range(rows)})
    return Sealed(Table(frame, np.arange(rows) + 2, "t.csv", Schema({"x": "number"}), Account(rows)))


def examined(truth, scores, metrics, **roles):
    metric = next(iter(metrics.values()))
    roles = {"shipped": "net", "net": "net", "best_rival": "rival", "dumb": "dumb"} | roles
    return judge(truth, scores, metric=metric, metrics=metrics, **roles)


def probabilities(p):
    return np.column_stack([1 - p, p])


def number_papers(rng, rows=300, ours=1.0, theirs=1.0):
    truth = rng.normal(size=rows) * 3
    wrong = rng.normal(size=(2, rows))
    return truth, {"net": truth + ours * wrong[0], "rival": truth + theirs * wrong[1], "dumb": np.zeros(rows)}


# ---------------------------------------------------------------------------- the seal


def test_the_ledger_knows_of_the_opening_before_anyone_has_looked():
    ledger, sealed = Ledger(), sealed_rows()
    sealed._break = lambda: ledger.of("opening")[0]["reason"]
    assert open_seal(sealed, ledger, "the exam") == "the exam"


def test_the_first_opening_gives_the_rows_and_counts_as_one():
    ledger = Ledger()
    assert len(open_seal(sealed_rows(5), ledger, "the exam")) == 5
    assert [(e["nth"], e["rows"]) for e in ledger.of("opening")] == [(1, 5)]


def test_a_second_opening_is_refused_and_leaves_no_trace():
    ledger = Ledger()
    open_seal(sealed_rows(), ledger, "the exam")
    ledger.write("exam")
    with pytest.raises(Mistake, match="--again") as refused:
        open_seal(sealed_rows(), ledger, "curiosity")
    assert refused.value.code == "seal-already-broken"
    assert len(ledger.of("opening")) == 1


def test_a_second_opening_that_is_insisted_on_is_confessed():
    ledger = Ledger()
    open_seal(sealed_rows(), ledger, "the exam")
    ledger.write("exam")
    for _ in range(2):
        open_seal(sealed_rows(), ledger, "why not", again=True)
    assert [e["nth"] for e in ledger.of("opening")] == [1, 2, 3]


def test_an_opening_cut_short_before_its_exam_is_taken_up_and_not_counted_twice(tmp_path):
    path = tmp_path / "ledger.jsonl"
    open_seal(sealed_rows(), Ledger(path), "the exam")
    resumed = Ledger(path)
    assert len(open_seal(sealed_rows(), resumed, "the exam")) == 3
    assert len(resumed.of("opening")) == 1


# ---------------------------------------------------------------------------- the verdict


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"), [(1.0, 1.5, "better"), (1.0, 1.0, "as_good"), (1.5, 1.0, "worse")]
)
def test_the_verdict_follows_the_paired_difference_from_the_best_rival(ours, theirs, verdict):
    exam = examined(*number_papers(np.random.default_rng(0), ours=ours, theirs=theirs), regression_metrics())
    assert exam.verdict == verdict
    low, high = exam.difference.interval
    assert low < exam.difference.value < high
    assert np.sign(exam.difference.value) == np.sign(theirs - ours) or verdict == "as_good"


def test_what_does_not_surely_beat_the_dumb_predictor_is_chance():
    truth, scores = number_papers(np.random.default_rng(0), ours=20.0, theirs=30.0)
    assert examined(truth, scores, regression_metrics()).verdict == "chance"


def test_the_dumb_predictor_itself_is_chance():
    truth, scores = number_papers(np.random.default_rng(0))
    exam = examined(truth, scores, regression_metrics(), shipped="dumb", best_rival="dumb", net=None)
    assert exam.verdict == "chance"


def test_where_a_rival_ships_the_net_is_compared_with_it():
    truth, scores = number_papers(np.random.default_rng(0), ours=1.5, theirs=1.0)
    exam = examined(truth, scores, regression_metrics(), shipped="rival")
    assert (exam.contender, exam.verdict) == ("net", "worse")
    assert exam.marks["rival"].score < exam.marks["net"].score
    assert exam.event()["score"] == exam.marks["rival"].score


def test_a_rival_that_ships_without_a_net_is_as_good_as_itself():
    truth, scores = number_papers(np.random.default_rng(0))
    exam = examined(truth, scores, regression_metrics(), shipped="rival", net=None)
    assert (exam.verdict, exam.difference.value, exam.difference.interval) == ("as_good", 0.0, (0.0, 0.0))


def noise(task, rng, rows):
    """Answers of models that learnt nothing, to rows whose labels were shuffled."""
    if task == "number":
        truth = rng.lognormal(size=rows)
        return (
            truth,
            {"net": 1.6 + 0.3 * rng.normal(size=rows), "dumb": np.full(rows, 1.6)},
            regression_metrics(),
        )
    if task == "tags":
        truth = (rng.uniform(size=(rows, 3)) < [0.5, 0.3, 0.6]).astype(int)
        scores = {"net": rng.uniform(size=(rows, 3)), "dumb": np.tile([0.5, 0.3, 0.6], (rows, 1))}
        return truth, scores, tag_metrics()
    classes = 2 if task == "two-class" else 4
    truth = rng.integers(0, classes, rows)
    scores = {
        "net": rng.dirichlet(np.ones(classes) * 5, rows),
        "dumb": np.tile(np.eye(classes)[0], (rows, 1)),
    }
    return truth, scores, two_class_metrics() if classes == 2 else many_class_metrics()


@pytest.mark.parametrize("task", ["number", "two-class", "many-class", "tags"])
@pytest.mark.parametrize("rows", [30, 200])
def test_shuffled_labels_come_out_as_chance_at_least_nineteen_times_in_twenty(task, rows):
    rng, verdicts = np.random.default_rng(1), []
    for _ in range(60):
        truth, scores, metrics = noise(task, rng, rows)
        one = {"metric": next(iter(metrics.values())), "shipped": "net", "net": "net", "dumb": "dumb"}
        verdicts.append(judge(truth, scores, metrics={}, best_rival="dumb", **one).verdict)
    assert verdicts.count("chance") >= 57


def test_rows_of_one_class_are_judged_by_the_first_metric_that_they_can_give():
    rng = np.random.default_rng(0)
    truth, p = np.zeros(40, dtype=int), rng.uniform(size=(3, 40))
    scores = dict(zip(("net", "rival", "dumb"), map(probabilities, p * 0.5), strict=True))
    exam = examined(truth, scores, two_class_metrics())
    assert exam.metric.name == "accuracy"
    assert [f.code for f in exam.findings] == ["exam-metric-undefined"]
    assert exam.event()["metrics"]["roc_auc"] == {"score": None, "interval": [None, None]}


# ---------------------------------------------------------------------------- what is told


def test_the_result_holds_what_is_promised_and_is_strict_json():
    rng = np.random.default_rng(0)
    exam = examined(*number_papers(rng, rows=50), regression_metrics())
    finding = Finding("leak", "warning", "x gives y away", column="x", evidence={"r": 1.0})
    told = result(exam, task="number", target="y", rows={"read": np.int64(70), "test": 50}, openings=1,
                  seconds=1.5, findings=[finding, finding.as_dict()])  # fmt: skip
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again == told
    assert set(told) == {
        "task", "target", "metric", "higher_is_better", "score", "interval", "confidence", "rival",
        "difference", "verdict", "shipped", "rows", "openings", "seconds", "findings",
    }  # fmt: skip
    assert told["findings"][0] == told["findings"][1]
    assert told["findings"][0] == {
        "code": "leak",
        "severity": "warning",
        "column": "x",
        "text": "x gives y away",
    }
    assert set(told["rival"]) == {"name", "score", "interval"}


def test_the_event_names_everyone_but_what_ships_and_fits_the_ledger():
    exam = examined(*number_papers(np.random.default_rng(0), rows=50), regression_metrics())
    line = Ledger().write("exam", **exam.event({"rival": "gradient boosting"}))
    assert [(r["name"], r["title"]) for r in line["rivals"]] == [
        ("rival", "gradient boosting"),
        ("dumb", "dumb"),
    ]
    assert list(line["metrics"]) == ["rmse", "mae", "r2"]
    assert line["interval"][0] < line["score"] < line["interval"][1]
