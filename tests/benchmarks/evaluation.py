"""Run the evaluations whose figures the README shows, and write EVALUATION.md with their plots beside this file.

    python -m tests.benchmarks.evaluation            all of them
    python -m tests.benchmarks.evaluation --no-hetionet

The control run deals the objects of all `treats` edges out anew, so that every degree stays and every pair means
nothing: what a ranking still finds there it owes to degrees alone.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import os
import platform
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from kg import open_graph
from kg.curves import plot
from kg.evaluation import KS, Evaluation, evaluate
from kg.projection import Claim, Projection
from kg.snapshot import Snapshot, Version
from tests.benchmarks.hetionet import importer
from tests.benchmarks.servers import commit

HERE = Path(__file__).parent
DAY = datetime.date(2021, 12, 31)
SEED = 0


@dataclass(frozen=True)
class Run:
    """One evaluation: its title, the file name of its plot, the command that gives the same, and how to run it."""

    title: str
    name: str
    command: str
    run: Callable[[], Evaluation]


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.evaluation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--no-hetionet", action="store_true", help="the seeds only")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of EVALUATION.md and the plots")
    given = parser.parse_args()
    lines = list(_head())
    for run in [*_seeds(), *([] if given.no_hetionet else _hetionet())]:
        started = time.process_time()
        result = run.run()
        print(run.title, f"{time.process_time() - started:.1f} s CPU", flush=True)
        plot(result, given.output / f"evaluation-{run.name}.svg")
        lines += _section(run, result)
    (given.output / "EVALUATION.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {given.output / 'EVALUATION.md'}")


def _seeds() -> Iterator[Run]:
    graph = open_graph()
    yield Run(
        "Seeds, by time",
        "seeds-time",
        f"kg evaluate --seeds seeds --as-of {DAY}",
        lambda: evaluate(graph, as_of=DAY, seed=SEED),
    )
    yield Run(
        "Seeds, by time, mechanisms kept whatever their date",
        "seeds-time-background",
        f"kg evaluate --seeds seeds --as-of {DAY} --background",
        lambda: evaluate(graph, as_of=DAY, background=True, seed=SEED),
    )
    yield Run(
        "Seeds, ten folds",
        "seeds-folds",
        "kg evaluate --seeds seeds --folds 10",
        lambda: evaluate(graph, folds=10, seed=SEED),
    )


def _hetionet() -> Iterator[Run]:
    gc.disable()  # building 766,000 assertions; see hetionet/__main__.py for what the collector costs there
    made = importer.projection(shared=True)
    graph, dealt = (Snapshot(importer.hetionet_model(), p, Version(0, "hetionet")) for p in (made, shuffled(made)))
    gc.freeze()
    gc.enable()
    command = "python -m tests.benchmarks.evaluation"
    yield Run(
        "Hetionet, Compound treats Disease, ten folds",
        "hetionet-folds",
        command,
        lambda: evaluate(graph, ["treats"], folds=10, seed=SEED),
    )
    yield Run(
        "Control: the same with the diseases of all treats edges dealt out anew",
        "hetionet-control",
        command,
        lambda: evaluate(dealt, ["treats"], folds=10, seed=SEED),
    )


def shuffled(projection: Projection, relation: str = "treats") -> Projection:
    """Return the projection with the objects of one relation dealt out anew: all degrees stay, no pair twice."""
    rng = random.Random(SEED)
    those = [claim for claim in projection.claims if claim.relation == relation]
    ends = [claim.object for claim in those]
    rng.shuffle(ends)
    taken = {(claim.subject, end) for claim, end in zip(those, ends, strict=True)}
    while len(taken) < len(those):  # swap repeated pairs away
        seen: set[tuple[str, str]] = set()
        for number, claim in enumerate(those):
            if (claim.subject, ends[number]) in seen:
                other = rng.randrange(len(those))
                ends[number], ends[other] = ends[other], ends[number]
            seen.add((claim.subject, ends[number]))
        taken = {(claim.subject, end) for claim, end in zip(those, ends, strict=True)}
    dealt: dict[str, Claim] = {claim.id: replace(claim, object=end) for claim, end in zip(those, ends, strict=True)}
    return replace(projection, claims=tuple(dealt.get(claim.id, claim) for claim in projection.claims))


# ---------------------------------------------------------------- the report
def _head() -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    yield "# How well hypotheses find what was held out"
    yield ""
    yield "Written by `python -m tests.benchmarks.evaluation`."
    yield f"{datetime.date.today()}, on top of commit {commit()}; CPython {platform.python_version()}, {packages}, {os.cpu_count()} cores; seed {SEED}."
    yield ""
    yield "Held-out edges, and all edges that rest on the same trials, are removed before any feature is computed; the degrees of the degree baseline are of what is left, too. Figures are on the pooled list of candidates, with 95 % bootstrap intervals (500 samples of positives and of negatives; pairs that share an end are treated as independent, so they are a little narrow). For the random row the interval is over 500 random orders."
    yield ""
    yield "*Within diseases* is the AUROC of each disease's own list of candidates, averaged by held-out pairs, with a bootstrap over diseases: no credit for knowing popular diseases. The control tells how much of a figure is owed to degrees, of all relations: its pairs mean nothing."
    yield ""
    yield "- **sum**: sum of arcsinh(DWPC / mean DWPC) over all metapaths of up to 3 steps that do not argue against: the order of `hypotheses`."
    yield "- **regression**: L2-regularised logistic regression on all those features, trained within each fold on folds of its own. Where there are fewer than 50 positives to learn from it is left out."
    yield "- **degree**: product of the two ends' degrees in the predicted relations. **random**: any order."


def _section(run: Run, result: Evaluation) -> Iterator[str]:
    yield ""
    yield f"## {run.title}"
    yield ""
    yield f"`{run.command}`"
    yield ""
    yield result.held_out
    for reason, count in result.left_out.items():
        if count:
            yield f"Left out, because {reason}: {count:,}."
    yield f"{result.positives:,} positives among {result.candidates:,} candidates ({result.subjects:,} × {result.objects:,} entities), {result.metapaths} metapaths."
    yield from result.notes
    yield ""
    yield f"| ranking | AUROC | within diseases | AUPRC | {' | '.join(f'precision at {k}' for k in KS)} |"
    yield f"| --- | --: | --: | --: | {' | '.join('--:' for _ in KS)} |"
    for ranking in result.rankings:
        scores = ranking.scores
        figures = (scores.auroc, ranking.within, scores.auprc, *(scores.precision[k] for k in KS))
        yield f"| {ranking.name} | {' | '.join(map(str, figures))} |"
    yield ""
    yield f"![ROC and precision-recall curves](evaluation-{run.name}.svg)"
    if len(result.found) <= 200:
        yield ""
        best = "; ".join(f"{f.labels[0]} – {f.labels[1]} ({f.rank:g})" for f in result.found[:12])
        yield f"Held-out pairs that the plain sum puts highest (rank): {best}."


if __name__ == "__main__":
    main()
