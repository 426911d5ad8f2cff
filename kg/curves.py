"""The ROC and precision-recall curves of an evaluation as a picture."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from kg.errors import BadInput
from kg.evaluation import Evaluation
from kg.metrics import Curve

COLOURS = {"sum": "#2f6fb7", "regression": "#b3344c", "degree": "#c2871a", "random": "#8a8a8a"}
FORMATS = (".svg", ".png")


def plot(evaluation: Evaluation, path: Path) -> None:
    """Draw every ranking's two curves with their bootstrap bands into an SVG or PNG file.

    Raises BadInput for another ending, and where matplotlib is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadInput(f"{path} must end in {' or '.join(FORMATS)}.")
    try:
        matplotlib = importlib.import_module("matplotlib")
        figures = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise BadInput("Plots need matplotlib: pip install 'cartograph-kg[evaluate]'.") from error
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cartograph", "font.size": 9}):
        figure = figures.Figure(figsize=(9, 4.2), layout="constrained")
        _draw(evaluation, *figure.subplots(1, 2))
        figure.suptitle(f"{', '.join(evaluation.relations)}, {evaluation.split}: {evaluation.positives:,} of {evaluation.candidates:,} pairs")  # fmt: skip
        dated = {"Date": None} if path.suffix.lower() == ".svg" else {}  # else the same figures give another file
        figure.savefig(path, dpi=150, metadata=dated)


def _draw(evaluation: Evaluation, left: Any, right: Any) -> None:
    for ranking in evaluation.rankings:
        scores, colour = ranking.scores, COLOURS.get(ranking.name, "#333333")
        _line(left, scores.roc, colour, f"{ranking.name}  AUROC {scores.auroc}")
        _line(right, scores.precision_recall, colour, f"{ranking.name}  AUPRC {scores.auprc}")
    left.set(xlabel="false-positive rate", ylabel="true-positive rate", xlim=(0, 1), ylim=(0, 1))
    right.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    left.legend(loc="lower right", frameon=False)
    right.legend(loc="upper right", frameon=False)


def _line(axes: Any, curve: Curve, colour: str, label: str) -> None:
    axes.plot(curve.x, curve.y, color=colour, label=label, linewidth=1.4)
    axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
