"""How well would the hypotheses have found what is known? Edges are held out, then looked for.

Held-out pairs lose their edges *before* any feature is computed, and with them everything that rests on
the same trial or cohort: a trial that evaluates the therapy and studies the disease would give the answer
away. Candidates are all pairs of the right kinds that no predicted relation asserts in what is left. Two
splits: k folds of the known pairs, each pair of the list scored by a graph that has not seen its fold, and
by time, where what was known on a day ranks what entered later. The plain sum over metapaths is what
hypotheses are ranked by; beside it stand a random order, the product of the ends' degrees (which alone
already does well wherever popular things stay popular: Himmelstein et al. 2023, GigaScience, "Degree prior"),
and, where there are enough positives, the regularised logistic regression of Rephetio (Himmelstein et al.
2017, eLife 6:e26726).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from kg.errors import BadInput, NotFound
from kg.holdout import Counts, Mask, Pairs, Round, Split, by_folds, by_time
from kg.matrices import PathCounter, matrices
from kg.metapaths import AGAINST, Metagraph, Metapath
from kg.metrics import Floats, Interval, Scores, chance, measure, within
from kg.snapshot import Snapshot

FOLDS = 10
INNER_FOLDS = 3
MAX_LENGTH = 3
KS = (10, 50, 100)
PLAIN = "sum"
BASELINES = ("degree", "random")
ENOUGH_POSITIVES = 50  # below, a regression over dozens of metapaths fits noise
NEGATIVES_PER_POSITIVE = 50
REGULARISATION = 0.01


@dataclass(frozen=True)
class Ranking:
    """One way to rank the candidates, and how well it did: over the whole list, and ``within`` each object's own.

    The AUROC within objects (such as therapies of one disease), averaged by positives, gives no credit for
    knowing which objects are popular.
    """

    name: str
    text: str
    scores: Scores
    within: Interval


@dataclass(frozen=True)
class Found:
    """A pair that was held out, with its rank by the plain sum (1 is best; ties share their middle rank)."""

    subject: str
    object: str
    labels: tuple[str, str]
    rank: float


@dataclass(frozen=True)
class Evaluation:
    """What was held out, from what, and how well each ranking found it.

    ``held_out`` says it in sentences; ``left_out`` counts known pairs that could not be asked for, by reason.
    """

    relations: tuple[str, ...]
    split: str
    held_out: str
    seed: int
    subjects: int
    objects: int
    positives: int
    candidates: int
    left_out: Mapping[str, int]
    metapaths: int
    rankings: tuple[Ranking, ...]
    found: tuple[Found, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return all figures as JSON values; a figure that cannot be had is null."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def evaluate(
    graph: Snapshot,
    relations: Sequence[str] = (),
    *,
    folds: int = FOLDS,
    as_of: date | None = None,
    background: bool = False,
    baselines: Sequence[str] = BASELINES,
    max_length: int = MAX_LENGTH,
    regression: bool | None = None,
    seed: int = 0,
) -> Evaluation:
    """Return how well hypotheses find held-out pairs: in ``folds`` folds, or with ``as_of`` by time.

    ``relations`` are those of the schema's kg:predicts by default. ``regression`` None adds it where there
    are enough positives and scikit-learn is installed; True insists. ``background`` makes the split by time
    hide later evidence of the predicted relations only. The same seed gives the same figures.

    Raises BadInput where there is too little to hold out, NotFound for an unknown relation or baseline.
    """
    for name in baselines:
        if name not in BASELINES:
            raise NotFound("baseline", name, hint=f"Baselines are {', '.join(BASELINES)}.")
    pairs = Pairs(graph, tuple(relations))
    split = by_time(pairs, as_of, seed, background=background) if as_of else by_folds(pairs, folds, seed)
    rankers, notes = _rankers(split, baselines, regression, max_length)
    truth = split.truth[split.candidates]
    scores = {ranker.name: split.scored(ranker.rank)[split.candidates] for ranker in rankers}
    columns = np.nonzero(split.candidates)[1]
    rankings = [
        Ranking(r.name, r.text, measure(found, truth, KS, seed=seed), within(found, truth, columns, seed=seed))
        for r in rankers
        for found in [scores[r.name]]
    ]
    if "random" in baselines:
        text = "random order: what chance gives, with the interval over orders instead of samples"
        rankings.append(Ranking("random", text, chance(truth, KS, seed=seed), Interval(0.5, 0.5, 0.5)))
    return Evaluation(
        relations=pairs.relations,
        split=split.name,
        held_out=split.text,
        seed=seed,
        subjects=len(pairs.subjects),
        objects=len(pairs.objects),
        positives=int(truth.sum()),
        candidates=truth.size,
        left_out=split.left_out,
        metapaths=len(metapaths(split.rounds[0], max_length)),
        rankings=tuple(rankings),
        found=_found(pairs, split, scores[PLAIN]),
        notes=tuple(notes),
    )


def _found(pairs: Pairs, split: Split, scores: Floats) -> tuple[Found, ...]:
    places = np.argwhere(split.candidates)
    ordered = np.sort(-scores)
    first, last = np.searchsorted(ordered, -scores, "left"), np.searchsorted(ordered, -scores, "right")
    ranks = (first + 1 + last) / 2
    hits = np.flatnonzero(split.truth[split.candidates])
    found = []
    for hit in hits[np.argsort(ranks[hits], kind="stable")]:
        subject, object_ = pairs.subjects[places[hit][0]], pairs.objects[places[hit][1]]
        found.append(Found(subject.curie, object_.curie, (subject.label, object_.label), float(ranks[hit])))
    return tuple(found)


# ---------------------------------------------------------------- rankings
@dataclass(frozen=True)
class Ranker:
    """A way to score all pairs from what a round knows."""

    name: str
    text: str
    rank: Callable[[Round], Floats]


def _rankers(
    split: Split, baselines: Sequence[str], regression: bool | None, max_length: int
) -> tuple[list[Ranker], list[str]]:
    text = f"plain sum of arcsinh(DWPC / mean) over the metapaths of up to {max_length} steps that do not argue against"
    rankers = [Ranker(PLAIN, text, lambda round_: plain_sum(round_, max_length))]
    notes = []
    positives = min(int((round_.known > 0).sum()) for round_ in split.rounds)
    if regression or (regression is None and positives >= ENOUGH_POSITIVES):
        if _sklearn() is None:
            message = "The logistic regression needs scikit-learn: pip install 'cartograph-kg[evaluate]'."
            if regression:
                raise BadInput(message)
            notes.append(message)
        else:
            text = f"L2-regularised logistic regression on the same features, trained on {INNER_FOLDS} folds within what each round knows"
            rankers.append(Ranker("regression", text, lambda round_: regress(round_, max_length)))
    elif regression is None:
        notes.append(f"No logistic regression: only {positives} pairs to learn from, and it takes {ENOUGH_POSITIVES}.")
    if "degree" in baselines:
        rankers.append(Ranker("degree", "product of the two ends' degrees in the predicted relations", _degree))
    return rankers, notes


def metapaths(round_: Round, max_length: int = MAX_LENGTH) -> tuple[Metapath, ...]:
    """Return the metapaths that the features are over."""
    edges = matrices(round_.scenario).edges
    return Metagraph(round_.graph.model, edges, round_.pairs.predicted).enumerate(max_length)


def features(round_: Round, max_length: int = MAX_LENGTH) -> dict[Metapath, Any]:
    """Return each metapath's arcsinh(DWPC / mean DWPC) for all pairs, as sparse matrices; empty ones left out.

    The means are of what is left, too: not even a scale comes from the held-out edges.
    """
    counter = PathCounter(matrices(round_.scenario))
    found = {}
    for metapath in metapaths(round_, max_length):
        mean = counter.mean(metapath)
        if mean > 0:
            counts = counter.dwpc(metapath).tocsr()
            counts.data = np.arcsinh(counts.data / mean)
            found[metapath] = counts
    return found


def plain_sum(round_: Round, max_length: int = MAX_LENGTH) -> Floats:
    """Return the score that hypotheses are ranked by, for all pairs."""
    kept = {metapath: matrix for metapath, matrix in features(round_, max_length).items() if metapath.stance != AGAINST}
    return _total(kept.values(), round_.pairs.shape)


def _total(parts: Iterable[Any], shape: tuple[int, int]) -> Floats:
    total: Floats = np.zeros(shape)
    for part in parts:
        total += part.toarray()
    return total


def _degree(round_: Round) -> Floats:
    return np.outer(round_.known.sum(axis=1), round_.known.sum(axis=0)).astype(np.float64)


# ---------------------------------------------------------------- regression
def regress(round_: Round, max_length: int = MAX_LENGTH) -> Floats:
    """Return the linear predictor of a logistic regression for all pairs.

    It is trained like it is used: the round's known pairs are held out in folds of their own, so that a
    training pair's features never contain its own edge, as a candidate's do not.
    """
    rows: list[Floats] = []
    labels: list[Mask] = []
    over = metapaths(round_, max_length)
    rng = np.random.default_rng([round_.seed, 2])
    known = np.argwhere(round_.known > 0)
    for part in np.array_split(rng.permutation(len(known)), INNER_FOLDS):
        held = known[part]
        inner = round_.narrowed(map(tuple, held))
        negatives = _sample(round_, len(held) * NEGATIVES_PER_POSITIVE, rng)
        places = np.concatenate([held, negatives])
        rows.append(_columns(features(inner, max_length), over, places))
        labels.append(np.arange(len(places)) < len(held))
    weights = _fit(np.concatenate(rows), np.concatenate(labels))
    now = features(round_, max_length)
    weighted = (now[m] * weight for m, weight in zip(over, weights, strict=True) if m in now and weight)
    return _total(weighted, round_.pairs.shape)


def _sample(round_: Round, size: int, rng: np.random.Generator) -> Counts:
    free = np.argwhere(round_.pairs.possible & (round_.known == 0))
    return free[rng.choice(len(free), min(size, len(free)), replace=False)]


def _columns(parts: Mapping[Metapath, Any], over: Sequence[Metapath], places: Counts) -> Floats:
    columns = np.zeros((len(places), len(over)))
    for number, metapath in enumerate(over):
        if metapath in parts:
            columns[:, number] = parts[metapath][places[:, 0], places[:, 1]]
    return columns


def _fit(columns: Floats, labels: Mask) -> Floats:
    """Return a weight for each column, on the column's own scale."""
    spread = columns.std(axis=0)
    used = spread > 0
    linear = _sklearn()
    model = linear.LogisticRegression(C=REGULARISATION, max_iter=1000)
    model.fit(columns[:, used] / spread[used], labels)
    weights: Floats = np.zeros(columns.shape[1])
    weights[used] = model.coef_[0] / spread[used]
    return weights


def _sklearn() -> Any:
    try:
        return importlib.import_module("sklearn.linear_model")
    except ImportError:
        return None
