"""Findings as cards of a page: what each is called, its picture, and what else it could be.

blocks = [Cards(cards(record.findings))]
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from preceptor.explanations import explanations
from preceptor.figures.findings import picture
from preceptor.finding import Finding
from preceptor.report.blocks import Card


def cards(findings: Sequence[Mapping[str, Any]]) -> list[Card]:
    """A card for each finding, in their order; every picture has a name of its own."""
    return [_card(number, finding) for number, finding in enumerate(findings, start=1)]


def _card(number: int, finding: Mapping[str, Any]) -> Card:
    figure = picture(Finding.of(finding))
    others = [called(code) for code in (finding.get("evidence") or {}).get("also", [])]
    return Card(
        finding,
        title=called(str(finding.get("code"))),
        also="; ".join(title[:1].lower() + title[1:] for title in others if title),
        figure=figure and replace(figure, name=f"{figure.name}-{number}"),
    )


def called(code: str) -> str:
    """What a code is called, without a full stop; empty where it is not explained."""
    known = explanations().get(code)
    return known.title.rstrip(".") if known else ""
