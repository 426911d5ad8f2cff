"""Hypotheses in plain language: what suggests them, what is known, what speaks against; never more than that."""

from __future__ import annotations

from functools import partial

from kg.findings import ASSERTED, CONTRADICTED, IN_TRIAL, Argument, Hypothesis, Robustness, stated
from kg.overlay import Scenario


def sentence(hypothesis: Hypothesis, scenario: Scenario) -> str:
    """Return a hypothesis in plain language, claiming no more than its evidence."""
    parts = (_suggestion, partial(_tested, scenario=scenario), _became, _nearest, _chance, _weak_point, _objections)
    return " ".join(text for part in parts if (text := part(hypothesis)))


def _suggestion(h: Hypothesis) -> str:
    pair = f"{h.subject.label} for {h.object.label}"
    if not h.supporting_paths:
        found = f"{h.paths_total:,} paths" if h.paths_total else "no path of the chosen metapaths"
        return f"{pair}: suggested by {found}."
    best = h.supporting_paths[0]
    loose = "" if best.stance == "SUPPORTS" else " (an association: its signs do not say in which direction)"
    kinds = sum(1 for c in h.contributions if c.share > 0)
    many = f"{h.paths_total:,} paths of {kinds} kind{'s' * (kinds != 1)}" if h.paths_total > 1 else "one path"
    return f"{pair}: suggested by {many}; the one that counts most: {best.text}{loose}."


def _tested(h: Hypothesis, scenario: Scenario) -> str:
    known = scenario.graph.known_on or (scenario.graph.version.time.date() if scenario.graph.version.time else None)
    when = f" as of {known.isoformat()}" if known else ""
    kinds = [kind.label for kind in scenario.graph.model.kinds if kind.status_field]
    if h.status == CONTRADICTED:
        return f"What this graph holds on the pair{when} speaks against it."
    if h.trials:
        names = ", ".join(trial.curie for trial in h.trials[:3]) + (" and others" if len(h.trials) > 3 else "")
        return f"It is being tried ({names})."
    if h.through:
        more = f" (and {h.through_total - 1} more such pairs)" if h.through_total > 1 else ""
        return f"It is being tried through what it includes: {h.through[0].text}{more}."
    if h.status == IN_TRIAL:
        return f"This graph records that it is being tried, but no {kinds[0] if kinds else 'study'} of both."
    return f"No {kinds[0]} of the pair is known in this graph{when}." if kinds else f"Not asserted in this graph{when}."


def _became(h: Hypothesis) -> str:
    if h.later is None or h.later.status == h.status:
        return ""
    words = {ASSERTED: "it is asserted", IN_TRIAL: "it is being tried", CONTRADICTED: "results speak against it"}
    since = f" (since {h.later.since.isoformat()})" if h.later.since else ""
    return f"Later {words.get(h.later.status, 'it is untested')}{since}."


def _nearest(h: Hypothesis) -> str:
    return f"Nearest to it, {stated(h.related[0])}." if h.related else ""


def _chance(h: Hypothesis) -> str:
    if h.p_value is None:
        return f"No p-value: {h.p_value_note.removeprefix('no p-values: ')}." if h.p_value_note else ""
    q = f", q = {h.q_value:.2g}" if h.q_value is not None else ""
    return f"Permuted graphs with the same degrees score as high with p = {h.p_value:.2g}{q}."


def _weak_point(h: Hypothesis) -> str:
    robust: Robustness = h.robustness
    for loss, word in ((robust.edge, "edge"), (robust.line, "line of evidence")):
        if loss and loss.removes:
            return f"It rests on a single {word}: {loss.label.rstrip('.')}."
    return ""


def _objections(h: Hypothesis) -> str:
    counts: dict[str, int] = {}
    for argument in h.against:
        counts[argument.kind] = counts.get(argument.kind, 0) + 1
    if not counts:
        return "Nothing in this graph speaks against it." if h.status != CONTRADICTED else ""
    first: Argument = h.against[0]
    more = h.against_total - 1
    others = f" (and {more} more)" if more else ""
    return f"Against it: {first.text.rstrip('.')}{others}."
