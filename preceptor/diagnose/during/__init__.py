"""What can be named while training runs, one symptom a file, in the order in which they are asked."""

from collections.abc import Callable

from preceptor.diagnose.before.class_imbalance import class_imbalance
from preceptor.diagnose.case import Case
from preceptor.diagnose.during.batch_too_small import batch_too_small
from preceptor.diagnose.during.clipping_always import clipping_always
from preceptor.diagnose.during.dead_in_training import dead_in_training
from preceptor.diagnose.during.exploding_gradient import exploding_gradient
from preceptor.diagnose.during.gradients_accumulate import gradients_accumulate
from preceptor.diagnose.during.harmful_augmentation import harmful_augmentation
from preceptor.diagnose.during.labels_in_loop import labels_in_loop
from preceptor.diagnose.during.learning_rate_too_high import learning_rate_too_high
from preceptor.diagnose.during.learning_rate_too_low import learning_rate_too_low
from preceptor.diagnose.during.metric_apart import metric_apart
from preceptor.diagnose.during.never_moved import never_moved
from preceptor.diagnose.during.no_better_than_chance import no_better_than_chance
from preceptor.diagnose.during.not_finite import not_finite
from preceptor.diagnose.during.over_regularised import over_regularised
from preceptor.diagnose.during.overfitting import overfitting
from preceptor.diagnose.during.plateau import plateau
from preceptor.diagnose.during.rate_leaps import rate_leaps
from preceptor.diagnose.during.rows_in_order import rows_in_order
from preceptor.diagnose.during.saturated_in_training import saturated_in_training
from preceptor.diagnose.during.schedule_collapsed import schedule_collapsed
from preceptor.diagnose.during.too_few_epochs import too_few_epochs
from preceptor.diagnose.during.underfitting import underfitting
from preceptor.diagnose.during.uphill import uphill
from preceptor.diagnose.during.vanishing_in_training import vanishing_in_training
from preceptor.diagnose.during.wrong_mode import wrong_mode
from preceptor.finding import Finding

Symptom = Callable[[Case], Finding | None]

DURING: tuple[Symptom, ...] = (
    not_finite,
    never_moved,
    uphill,
    labels_in_loop,
    rows_in_order,
    class_imbalance,
    gradients_accumulate,
    wrong_mode,
    schedule_collapsed,
    clipping_always,
    harmful_augmentation,
    batch_too_small,
    learning_rate_too_high,
    rate_leaps,
    learning_rate_too_low,
    exploding_gradient,
    dead_in_training,
    saturated_in_training,
    vanishing_in_training,
    plateau,
    over_regularised,
    no_better_than_chance,
    underfitting,
    overfitting,
    too_few_epochs,
    metric_apart,
)

WHATEVER_THE_LOSS: tuple[Symptom, ...] = (
    not_finite,
    never_moved,
    labels_in_loop,
    gradients_accumulate,
    wrong_mode,
)
"""Those that hold for a loss without a lower bound too, where shares of a constant answer's say nothing."""
