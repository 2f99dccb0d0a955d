"""One clear picture for each finding, drawn from its evidence alone.

    figure = picture(finding)            # None where there is nothing to be seen

How a code is drawn stands in five tables: of data, wiring, scale, training and fit. A drawer's
parameters are the evidence that it needs; the first one of a code whose needs are met draws. So a finding
with its whole curve shows the curve, and one with two numbers two bars.
"""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from preceptor.figures import (
    faults_of_data,
    faults_of_fit,
    faults_of_scale,
    faults_of_training,
    faults_of_wiring,
)
from preceptor.figures.drawing import Drawer
from preceptor.figures.figure import Figure
from preceptor.finding import Finding

DRAWERS: dict[str, tuple[Drawer, ...]] = {
    **faults_of_data.DRAWERS,
    **faults_of_wiring.DRAWERS,
    **faults_of_scale.DRAWERS,
    **faults_of_training.DRAWERS,
    **faults_of_fit.DRAWERS,
}
"""How each code is drawn; the drawer that needs most comes first."""


def picture(finding: Finding) -> Figure | None:
    """The finding as a figure named "finding-CODE", or None where its evidence shows nothing."""
    known = {**finding.evidence, "layer": finding.layer}
    for drawer in DRAWERS.get(finding.code, ()):
        given = _given(drawer, known)
        figure = drawer(**given) if given else None
        if figure:
            return replace(figure, name=f"finding-{finding.code}")
    return None


def _given(drawer: Drawer, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the drawer asks for, of what is known; empty where something that it needs is missing."""
    asked = inspect.signature(drawer).parameters
    needed = [name for name, one in asked.items() if one.default is one.empty]
    if any(known.get(name) is None for name in needed):
        return {}
    return {name: known[name] for name in asked if known.get(name) is not None}
