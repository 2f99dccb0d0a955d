from hypothesis import given
from hypothesis import strategies as st

from preceptor.plan import Plan
from preceptor.recipe import other_way, settle
from preceptor.timetable import SLACK, fitted_schedule
from preceptor.training.pace import Pace, Way

times = st.floats(1e-4, 50)


@given(st.floats(2, 3600), times, st.floats(0, 5), st.integers(1, 10), st.integers(1, 60))
def test_what_is_planned_fits_into_the_time_unless_a_single_epoch_does_not(
    seconds, one_pass, judging, folds, wanted
):
    schedule = fitted_schedule(seconds, Pace(one_pass, Way(1)), judging, folds, wanted)
    each = one_pass / schedule.shares + judging
    lessons = schedule.folds * schedule.epochs * each + schedule.duel * wanted * (one_pass + judging)
    assert 1 <= schedule.folds <= folds
    assert 1 <= schedule.epochs <= wanted
    assert lessons <= seconds / SLACK * 1.001 or schedule.epochs == 1


def test_with_plenty_of_time_every_fold_gets_every_epoch_and_there_is_a_duel():
    schedule = fitted_schedule(1000, Pace(0.5, Way(2, step="eager")), 0.1, 5, 20)
    assert schedule == (2, "float32", 5, 20, 1, True, "eager", "contiguous")
    assert Way(**schedule.way) == Way(2, step="eager")


def test_a_pass_that_takes_too_long_is_cut_into_shares():
    schedule = fitted_schedule(10, Pace(100.0, Way(1)), 0.1, 1, 20)
    assert schedule.folds == 1
    assert schedule.epochs >= 4
    assert schedule.shares > 10


def test_a_net_for_pictures_gets_all_its_epochs_before_a_second_fold_gets_any():
    short = fitted_schedule(100, Pace(5.0, Way(2, "bfloat16")), 0.1, 5, 20, table=False)
    assert (short.precision, short.folds, short.duel) == ("bfloat16", 1, False)
    assert short.epochs > 10
    assert fitted_schedule(1000, Pace(5.0, Way(2)), 0.1, 5, 20, table=False).folds > 1


def test_a_recipe_fills_what_nobody_chose_and_leaves_what_somebody_did():
    plan = Plan.of(target="y", net={"width": 7}, training={"learning_rate": 0.5})
    settled = settle(plan, "number", rows=20_000, features=9)
    assert settled.net.width == 7
    assert settled.training.learning_rate == 0.5
    assert settled.net.neighbours == 32
    assert settled.training.epochs == 20
    assert settle(settled, "number", rows=20_000, features=9) == settled


def test_classes_and_few_rows_are_taught_without_neighbours_and_gently():
    settled = settle(Plan.of(target="y"), "two-class", rows=500, features=9)
    assert settled.net.neighbours == 0
    assert settled.net.dropout == 0.3
    assert settled.training.batch_size == 64


def test_the_other_way_turns_neighbours_on_or_off_unless_somebody_chose():
    plan = settle(Plan.of(target="y"), "number", rows=20_000, features=9)
    other = other_way(plan.net)
    assert other is not None
    assert other.neighbours == 0
    assert other_way(Plan.of(net={"neighbours": 8}).net) is None
