"""What can be named before the first step, one symptom a file, in the order in which they are asked.

Whatever does not need the net's output is asked first: a net that cannot take the rows ends the round.
"""

from collections.abc import Callable

from preceptor.diagnose.before.answers_far_off import answers_far_off
from preceptor.diagnose.before.batch_mixed import batch_mixed
from preceptor.diagnose.before.class_imbalance import class_imbalance
from preceptor.diagnose.before.conflicting_labels import conflicting_labels
from preceptor.diagnose.before.constant_feature import constant_feature
from preceptor.diagnose.before.constant_target import constant_target
from preceptor.diagnose.before.data_not_finite import data_not_finite
from preceptor.diagnose.before.dead_units import dead_units
from preceptor.diagnose.before.duplicate_rows import duplicate_rows
from preceptor.diagnose.before.future_seen import future_seen
from preceptor.diagnose.before.input_ignored import input_ignored
from preceptor.diagnose.before.input_layout import input_layout
from preceptor.diagnose.before.inputs_unnormalised import inputs_unnormalised
from preceptor.diagnose.before.label_noise import label_noise
from preceptor.diagnose.before.labels_misaligned import labels_misaligned
from preceptor.diagnose.before.memory_cut import memory_cut
from preceptor.diagnose.before.nonlinearity_missing import nonlinearity_missing
from preceptor.diagnose.before.one_batch import one_batch
from preceptor.diagnose.before.output_mismatch import output_mismatch
from preceptor.diagnose.before.padding_attended import padding_attended
from preceptor.diagnose.before.parameters_unmoved import parameters_unmoved
from preceptor.diagnose.before.preprocessing_leak import preprocessing_leak
from preceptor.diagnose.before.row_leak import row_leak
from preceptor.diagnose.before.saturated_units import saturated_units
from preceptor.diagnose.before.signal_scale import signal_scale
from preceptor.diagnose.before.split_shift import split_shift
from preceptor.diagnose.before.starting_loss import starting_loss
from preceptor.diagnose.before.symmetric_start import symmetric_start
from preceptor.diagnose.before.target_leak import target_leak
from preceptor.diagnose.before.uphill_loss import uphill_loss
from preceptor.diagnose.before.vanishing_gradient import vanishing_gradient
from preceptor.diagnose.before.wrong_loss import wrong_loss
from preceptor.diagnose.case import Case
from preceptor.finding import Finding

BEFORE: tuple[Callable[[Case], Finding | None], ...] = (
    data_not_finite,
    input_layout,
    constant_target,
    uphill_loss,
    target_leak,
    row_leak,
    duplicate_rows,
    conflicting_labels,
    labels_misaligned,
    label_noise,
    preprocessing_leak,
    split_shift,
    class_imbalance,
    constant_feature,
    wrong_loss,
    output_mismatch,
    parameters_unmoved,
    input_ignored,
    batch_mixed,
    future_seen,
    symmetric_start,
    nonlinearity_missing,
    memory_cut,
    padding_attended,
    inputs_unnormalised,
    dead_units,
    saturated_units,
    signal_scale,
    answers_far_off,
    starting_loss,
    vanishing_gradient,
    one_batch,
)
