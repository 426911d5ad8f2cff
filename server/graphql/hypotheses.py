"""The queries about hypotheses: lists with the case for and against, matrices, comparisons and the planner.

The arguments and fields that hold the two ends are named after the kinds that the schema folder's predicted
relations join: ``therapy`` and ``disease`` for CAR-T.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from operator import attrgetter
from typing import Any

import strawberry

from kg.findings import Hypothesis, HypothesisConstraints, HypothesisPage, Plan
from kg.gaps import planner
from kg.hypotheses import hypotheses
from kg.mechanisms import HypothesisMatrix, MechanismComparison, compare_mechanisms, hypothesis_matrix
from kg.metapaths import Metagraph, Metapath
from kg.records import Assertion
from server.graphql.ids import curie_of
from server.graphql.members import fill, given, listed, made_type, make_enum, member, nullable, plain
from server.graphql.paging import PageInfo, Placed, check_page_size
from server.graphql.request import Request
from server.graphql.scenarios import budget_of, completeness, names_of, scenario_arguments, scenario_of
from server.graphql.types import AFTER, FIRST, Types

WHERE = "How hypotheses are scored and which are shown."


class HypothesisAnswer:
    """A page of hypotheses as a Relay connection."""

    def __init__(self, page: HypothesisPage, *, later: bool) -> None:
        self.page = page
        self.nodes = page.items
        self.total_count = page.total
        self.exhaustive = page.exhaustive
        self.truncated_by = page.truncated_by
        self.remaining = page.remaining
        self.later = later

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    @property
    def edges(self) -> list[Placed[Hypothesis]]:
        """The hypotheses with their cursors."""
        return [Placed(item, item.cursor) for item in self.nodes]

    @property
    def page_info(self) -> PageInfo:
        """Where the page stands."""
        ends = (self.nodes[0].cursor, self.nodes[-1].cursor) if self.nodes else (None, None)
        return PageInfo(self.remaining > 0, self.later, *ends)


class HypothesisFields:
    """The types and queries about hypotheses of one model."""

    def __init__(self, types: Types, step: Any, assumption: Any) -> None:
        self.types = types
        self.step = step
        self.assumption = assumption
        metagraph = Metagraph(types.model, ())
        self.kinds, self.names = metagraph.ends, metagraph.end_names
        self.where = _constraints_input()
        self.metapath = _metapath_type(types.enums["Kind"])
        self.path = self._path_type()
        self.status = make_enum(
            "HypothesisStatus",
            [
                ("UNTESTED", "Nothing here tests it."),
                (
                    "IN_TRIAL",
                    "It, or a narrower pair, has been tried or is being tried; nothing here says that it holds.",
                ),
                ("CONTRADICTED", "Results here speak against it and none for it."),
                ("ASSERTED", "The graph asserts it; only matrices show such pairs."),
            ],
            "What the graph says of a pair.",
        )

    def members(self) -> dict[str, Any]:
        """Return the fields of Query."""
        return {
            "hypotheses": self._hypotheses(),
            "hypothesis_matrix": self._matrix(),
            "compare_mechanisms": self._comparison(),
            "missing_edges": self._planner(),
        }

    # -------------------------------------------------------------- types
    def ends(self) -> dict[str, tuple[Any, Any]]:
        """Return the fields of the two ends, named after their kinds."""
        said = "What the hypothesis is about.", "What it is about it."
        return {
            attribute: member(self.types.kinds[kind], text, _end(attribute), name=name)
            for attribute, kind, name, text in zip(("subject", "object"), self.kinds, self.names, said, strict=True)
        }

    def _path_type(self) -> Any:
        members = {
            "metapath": member(self.metapath, "The sort of path it is."),
            "steps": member(listed(self.step), "The edges as walked."),
            "nodes": member(listed(self.types.entity), "The entities it passes, ends included."),
            "value": member(float, "Its path degree product, times the confidences where those count."),
            "share": member(float, "Its part of the metapath's degree-weighted path count."),
            "contribution": member(float, "What it adds to the score; 0 for a path that speaks against."),
            "weakest_step": member(self.step, "The step that is least trusted.", name="weakestStep"),
            "text": member(str, "The path as a sentence."),
        }
        return made_type("MechanismPath", "A path that suggests a hypothesis, or speaks against one.", members)

    def _contribution_type(self) -> Any:
        members = {
            "metapath": member(self.metapath, "The metapath."),
            "dwpc": member(float, "Degree-weighted path count (Himmelstein & Baranzini 2015)."),
            "path_count": member(int, "Number of paths.", name="pathCount"),
            "score": member(float, "arcsinh(dwpc / mean); those that support or associate add up to the score."),
            "share": member(float, "Its part of the score; 0 where it speaks against."),
            "p_value": member(
                float | None, "How often permuted graphs reach it; null where that cannot be said.", name="pValue"
            ),
            "p_value_note": member(str | None, "Why there is no p-value.", name="pValueNote"),
        }
        return made_type("Contribution", "What one metapath adds to a score.", members)

    def _argument_type(self) -> Any:
        kinds = make_enum(
            "ArgumentKind",
            [
                ("RESULT", "The pair itself was contradicted or tested without effect."),
                ("TRIAL", "A study of the pair was halted."),
                ("EVIDENCE", "A source contradicts an edge that the hypothesis rests on."),
                ("PATH", "A path whose sign says that the object gets worse."),
                ("RISK", "A harm of the subject."),
            ],
            "Sorts of things that speak against a hypothesis, weightiest first.",
        )
        types = self.types
        members = {
            "kind": member(kinds, "What sort of argument it is."),
            "text": member(str, "The argument in words."),
            "entity": member(nullable(types.entity), "The risk or study it is about."),
            "assertion": member(nullable(types.assertion), "The assertion it rests on."),
            "evidence": member(nullable(types.evidence), "The evidence it rests on."),
            "path": member(nullable(self.path), "The path that speaks against."),
            "count": member(int | None, "Participants with the event, for risks."),
            "total": member(int | None, "Participants the events were counted in."),
        }
        return made_type("Argument", "Something that speaks against a hypothesis.", members)

    def _gap_type(self) -> Any:
        members = {
            "subject": member(self.types.entity, "Subject of the missing edge."),
            "relation": member(str, "Its relation."),
            "object": member(self.types.entity, "Its object."),
            "gain": member(float, "What the score would gain if it were certain."),
            "metapaths": member(listed(self.metapath), "The metapaths that it would complete."),
            "contradicted": member(bool, "Whether the graph holds the claim, but without supporting evidence."),
            "text": member(str, "The gap in words."),
        }
        return made_type("Gap", "A single edge that is not known and would raise the score.", members)

    def _robustness_type(self) -> Any:
        loss = {
            "kind": member(str, "EDGE, or LINE for a line of evidence: a study, or a source that names none."),
            "id": member(strawberry.ID, "Its CURIE; the argument without takes it."),
            "label": member(str, "What it is, in words."),
            "score": member(float, "The score without it."),
            "rank": member(int, "The rank without it."),
            "removes": member(bool, "Whether the hypothesis would be gone."),
        }
        loss_type = made_type("Loss", "What would be left without one thing.", loss)
        members = {
            "edge": member(nullable(loss_type), "The single edge whose loss lowers the score most."),
            "line": member(nullable(loss_type), "The single study or source whose loss lowers the score most."),
            "low": member(float, "Lowest score as any one line of evidence is left out."),
            "high": member(float, "Highest score as any one line of evidence is left out."),
            "disjoint_paths": member(
                int | None,
                "Number of supporting paths that share no edge; null where there are too many to say.",
                name="disjointPaths",
            ),
            "exact": member(bool, "Whether all paths could be walked."),
        }
        return made_type("Robustness", "How much a hypothesis hangs on single things.", members)

    def _narrower_type(self) -> Any:
        members = {
            **self.ends(),
            "status": member(self.status, "What the graph says of it."),
            "assertions": member(listed(self.types.assertion), "What says so."),
            "trials": member(
                listed(self.types.entity), "Studies of both its ends.", attrgetter_of("studies"), name="trials"
            ),
            "text": member(str, "What is known of it, in words."),
        }
        said = "A pair of a special case of either end that is tested, and with it the wider pair."
        return made_type("NarrowerPair", said, members)

    def _became_type(self, narrower: Any) -> Any:
        members = {
            "status": member(self.status, "What the graph says of the pair now."),
            "since": member(date | None, "The first day on which it was known as tried or holding; null if it is not."),
            "assertions": member(listed(self.types.assertion), "What says so of the pair itself."),
            "trials": member(listed(self.types.entity), "Studies of the pair."),
            "through": member(listed(narrower), "Narrower pairs that are tested, nearest first."),
        }
        return made_type("Became", "What became of a hypothesis of the past.", members)

    def _hypothesis_type(self) -> Any:
        types = self.types
        narrower = self._narrower_type()
        members = {
            "id": member(strawberry.ID, "Both CURIEs."),
            **self.ends(),
            "rank": member(int, "Place in the list; 1 is the best."),
            "score": member(float, "Sum of the contributions of supporting and associating metapaths."),
            "status": member(self.status, "What the graph says of the pair."),
            "p_value": member(
                float | None,
                "How often permuted graphs reach the score; null where that cannot be said.",
                name="pValue",
            ),
            "q_value": member(
                float | None, "The p-value corrected for the length of the list (Benjamini-Hochberg).", name="qValue"
            ),
            "p_value_note": member(str | None, "Why there is no p-value.", name="pValueNote"),
            "contributions": member(listed(self._contribution_type()), "What each metapath adds, most first."),
            "supporting_paths": member(
                listed(self.path), "The paths that add most, most first.", name="supportingPaths"
            ),
            "paths_total": member(int, "Number of all supporting paths.", name="pathsTotal"),
            "against": member(listed(self._argument_type()), "What speaks against it, weightiest first."),
            "against_total": member(int, "Number of all arguments against it.", name="againstTotal"),
            "gaps": member(listed(self._gap_type()), "Missing edges that would raise the score most."),
            "trials": member(listed(types.entity), "Studies of the pair."),
            "through": member(
                listed(narrower), "Narrower pairs that are tested, nearest first; as many as paths are shown."
            ),
            "through_total": member(int, "Number of all narrower pairs that are tested.", name="throughTotal"),
            "related": member(
                listed(types.assertion), "What is asserted of other wider and narrower pairs, nearest first."
            ),
            "later": member(
                nullable(self._became_type(narrower)), "With asOf: what the graph says of the pair now; else null."
            ),
            "first_suggested": member(
                date | None, "The first day on which some supporting path was complete.", name="firstSuggested"
            ),
            "robustness": member(self._robustness_type(), "How much it hangs on single things."),
            "baseline_rank": member(int | None, "Rank without the assumptions.", name="baselineRank"),
            "baseline_score": member(float | None, "Score without the assumptions.", name="baselineScore"),
            "score_change": member(float | None, "Score minus the score without the assumptions.", name="scoreChange"),
            "text": member(str, "The hypothesis in words, claiming no more than its evidence."),
        }
        said = "A pair that the graph does not assert but its paths suggest."
        return made_type("Hypothesis", said, members)

    def _connection_type(self) -> Any:
        hypothesis = self._hypothesis_type()
        edge = {"node": member(hypothesis, "The hypothesis."), "cursor": member(str, "Its place, for after.")}
        edge_type = made_type("HypothesisEdge", "A hypothesis on a page.", edge)
        use = {
            "metapath": member(self.metapath, "The metapath."),
            "pairs": member(int, "Number of listed pairs that have a path of it."),
            "mean": member(float, "Mean degree-weighted path count over all pairs, by which scores are scaled."),
        }
        use_type = made_type("MetapathUse", "A metapath and its part in a list.", use)
        members = {
            "edges": member(listed(edge_type), "The page's hypotheses with their cursors."),
            "nodes": member(listed(hypothesis), "The page's hypotheses, best first."),
            "page_info": member(self.types.page_info, "Where the page stands.", name="pageInfo"),
            "total_count": member(int, "Number of hypotheses on all pages.", name="totalCount"),
            **completeness(),
            "known": member(int, "Pairs left out because the graph asserts them."),
            "tested": member(int, "Pairs left out because they or narrower pairs have been tried or are being tried."),
            "metapaths": member(listed(use_type), "The metapaths that were counted."),
            "permutations": member(
                nullable(_permutations_type(self.types.enums["Kind"])), "What the p-values rest on; null without any."
            ),
            "note": member(str | None, "What to know about an empty or cut list."),
        }
        return made_type("HypothesisConnection", "A page of hypotheses, and what is known of the rest.", members)

    # -------------------------------------------------------------- queries
    def _end_arguments(self) -> dict[str, Any]:
        return {
            attribute: (strawberry.ID | None, f"Global id or CURIE of the {self.types.model.kind[kind].label}.", name)
            for attribute, kind, name in zip(("subject", "object_"), self.kinds, self.names, strict=True)
        }

    def _hypotheses(self) -> Any:
        def hypotheses_(
            self: Request,
            subject: Any = None,
            object_: Any = None,
            where: Any = None,
            first: int = 10,
            after: str | None = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> HypothesisAnswer:
            check_page_size(first, self.settings)
            scenario = scenario_of(self, assuming, without, as_of)
            now = scenario_of(self, None, None, None) if as_of else None
            page = hypotheses(
                scenario, subject=_curie(subject), object=_curie(object_), where=_constraints(where),
                later=now, budget=budget_of(self), first=first, after=after,
            )  # fmt: skip
            self.rests_on(_edges_of(page))
            return HypothesisAnswer(page, later=after is not None)

        return member(
            self._connection_type(),
            "Pairs that the graph does not assert but its paths suggest: about one end, the other, or the pair of both.",
            hypotheses_,
            name="hypotheses",
            **self._end_arguments(),
            where=(nullable(self.where), WHERE),
            first=(int, FIRST),
            after=(str | None, AFTER),
            **scenario_arguments(self.assumption),
        )

    def _matrix(self) -> Any:
        cell = {
            **self.ends(),
            "score": member(float, "Score of the pair."),
            "status": member(self.status, "What the graph says of the pair."),
            "tested": member(str, "TESTED, TESTED_NO_EFFECT or UNTESTED."),
            "conflicts": member(int, "Number of things that speak against it."),
            "best_path": member(nullable(self.path), "The path that adds most.", name="bestPath"),
        }
        cell_type = made_type("HypothesisCell", "One pair of a matrix.", cell)
        subjects, objects = (self.types.model.kind[kind].plural for kind in self.kinds)
        members = {
            "rows": member(listed(listed(cell_type)), f"A row for each of the {subjects}, in the order asked for."),
            "cells": member(listed(cell_type), "All pairs, row by row."),
            "exhaustive": member(bool, "Whether every pair and metapath was counted."),
            "truncated_by": member(str | None, "The limit that cut it.", name="truncatedBy"),
        }
        matrix_type = made_type("HypothesisMatrix", f"{subjects} against {objects}.", members)

        def matrix(
            self: Request,
            subjects: list[Any],
            objects: list[Any],
            where: Any = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> HypothesisMatrix:
            scenario = scenario_of(self, assuming, without, as_of)
            ends = names_of(self, subjects, "subjects"), names_of(self, objects, "objects")
            found = hypothesis_matrix(scenario, *ends, where=_constraints(where), budget=budget_of(self))
            self.rests_on(step.assertion for cell in found.cells if cell.best_path for step in cell.best_path.steps)
            return found

        ids = list[strawberry.ID]
        return member(
            matrix_type,
            f"Every pair of some {subjects} and some {objects}: best path, score, conflicts, and whether it was tested.",
            matrix,
            name="hypothesisMatrix",
            subjects=(ids, "Global ids or CURIEs.", subjects),
            objects=(ids, "Global ids or CURIEs.", objects),
            where=(nullable(self.where), WHERE),
            **scenario_arguments(self.assumption),
        )

    def _comparison(self) -> Any:
        def compare(
            self: Request,
            subject: Any,
            known: Any,
            candidate: Any,
            where: Any = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> MechanismComparison:
            scenario = scenario_of(self, assuming, without, as_of)
            names = (curie_of(str(name)) for name in (subject, known, candidate))
            found = compare_mechanisms(scenario, *names, where=_constraints(where), budget=budget_of(self))
            self.rests_on(_links_of(found))
            return found

        label, other = (self.types.model.kind[kind].label for kind in self.kinds)
        return member(
            _comparison_type(self.types, self.metapath, self.kinds, self.names),
            f"The mechanisms of a {label} in a {other} where it is known to work, link by link beside a candidate's.",
            compare,
            name="compareMechanisms",
            subject=(strawberry.ID, f"The {label} (global id or CURIE).", self.names[0]),
            known=(strawberry.ID, f"The {other} where it works."),
            candidate=(strawberry.ID, f"The {other} to compare with."),
            where=(nullable(self.where), WHERE),
            **scenario_arguments(self.assumption),
        )

    def _planner(self) -> Any:
        types = self.types
        best = {**self.ends(), "gain": member(float, "What the score of the pair would gain.")}
        best_type = made_type("PairGain", "A pair and what it would gain.", best)
        edge = {
            "subject": member(types.entity, "Subject of the missing edge."),
            "relation": member(str, "Its relation."),
            "object": member(types.entity, "Its object."),
            "completes": member(int, "Number of pairs that no path suggested before."),
            "raises": member(int, "Number of pairs whose score would grow."),
            "gain": member(float, "Sum of the growth over all pairs."),
            "best": member(listed(best_type), "The pairs that would gain most.", _gains),
            "contradicted": member(bool, "Whether the graph holds the claim, but without supporting evidence."),
            "text": member(str, "The edge in words."),
        }
        edge_type = made_type("PlannedEdge", "A single unknown edge and what it would do for all hypotheses.", edge)
        members = {
            "nodes": member(listed(edge_type), "The edges, most useful first.", lambda self: self.items),
            "total_count": member(
                int, "Number of candidates they were chosen from.", attrgetter_of("total"), name="totalCount"
            ),
            "exhaustive": member(bool, "Whether all candidates are shown."),
            "truncated_by": member(str | None, "The limit that cut the list.", name="truncatedBy"),
        }
        plan_type = made_type("MissingEdges", "Missing edges, most useful first.", members)

        def missing(
            self: Request,
            subject: Any = None,
            object_: Any = None,
            where: Any = None,
            first: int = 10,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> Plan:
            check_page_size(first, self.settings)
            scenario = scenario_of(self, assuming, without, as_of)
            return planner(
                scenario, subject=_curie(subject), object=_curie(object_), where=_constraints(where),
                first=first, budget=budget_of(self),
            )  # fmt: skip

        return member(
            plan_type,
            "The next experiment or paper to look for: single unknown edges whose confirmation would help hypotheses most.",
            missing,
            name="missingEdges",
            **self._end_arguments(),
            where=(nullable(self.where), WHERE),
            first=(int, "Most edges to return."),
            **scenario_arguments(self.assumption),
        )


class PairGain:
    """A pair and its gain, for the planner."""

    def __init__(self, subject: Any, object_: Any, gain: float) -> None:
        self.subject, self.object, self.gain = subject, object_, gain


def _gains(self: Any) -> Any:
    return [PairGain(*best) for best in self.best]


def attrgetter_of(name: str) -> Callable[[Any], Any]:
    """Return a resolver that reads an attribute."""
    get = attrgetter(name)
    return lambda self: get(self)


def _end(attribute: str) -> Callable[[Any], Any]:
    return attrgetter_of(attribute)


def _edges_of(page: HypothesisPage) -> Iterator[Assertion]:
    """Yield the edges that hypotheses rest on, and the assertions that speak against them."""
    for hypothesis in page.items:
        for path in hypothesis.supporting_paths:
            yield from (step.assertion for step in path.steps)
        for argument in hypothesis.against:
            yield from (step.assertion for step in argument.path.steps) if argument.path else ()
            yield from (argument.assertion,) if argument.assertion else ()


def _links_of(comparison: MechanismComparison) -> Iterator[Assertion]:
    for path in (*comparison.shared, *comparison.only_known, *comparison.only_candidate):
        for link in path.links:
            yield from (state.assertion for state in (link.known, link.candidate) if state.assertion)


def _curie(id_: Any) -> str | None:
    return None if id_ is None else curie_of(str(id_))


def _metapath_type(kind: Any) -> Any:
    stance = make_enum(
        "Stance",
        [
            ("SUPPORTS", "Its sign says that the subject does what the hypothesis claims."),
            ("AGAINST", "Its sign says the opposite."),
            ("ASSOCIATION", "It has no sign: it connects, and says no more."),
        ],
        "What a metapath argues.",
    )

    def kinds(self: Metapath) -> Any:
        return self.kinds

    def length(self: Metapath) -> Any:
        return len(self)

    members = {
        "id": member(strawberry.ID, "Its relations in one text."),
        "relations": member(list[str], "Names of the relations as walked.", attrgetter_of("names")),
        "kinds": member(listed(kind), "Kinds of the entities along it.", kinds),
        "length": member(int, "Number of steps.", length),
        "sign": member(int, "Product of the effect signs: +1, -1, or 0 where a step says nothing."),
        "stance": member(stance, "What it argues."),
        "text": member(str, "The metapath in words."),
    }
    return made_type("Metapath", "A sequence of relations between kinds.", members)


def _permutations_type(kind: Any) -> Any:
    shuffle = {
        "subject_kind": member(kind, "Kind of the subjects.", name="subjectKind"),
        "relation": member(str, "The relation."),
        "object_kind": member(kind, "Kind of the objects.", name="objectKind"),
        "edges": member(int, "Number of edges."),
        "attempted": member(int, "Swaps attempted."),
        "succeeded": member(int, "Swaps that succeeded."),
        "changed": member(float, "Mean share of edges that moved."),
        "distinct": member(int, "Number of different permuted networks."),
    }
    shuffle_type = made_type("RelationShuffle", "How far the permutations of one relation went.", shuffle)
    members = {
        "method": member(str, "EXACT: p = (r + 1) / (n + 1); GAMMA_HURDLE: null values pooled by degree."),
        "permutations": member(int, "Number of permuted graphs."),
        "seed": member(int, "Seed of the random numbers; the same seed gives the same p-values."),
        "attempted": member(int, "Swaps attempted."),
        "succeeded": member(int, "Swaps that succeeded."),
        "changed": member(float, "Mean share of edges that moved, over all relations."),
        "distinct": member(int, "Least number of different networks of any relation."),
        "relations": member(listed(shuffle_type), "The same for each relation."),
        "text": member(str, "All this in a sentence."),
    }
    return made_type("PermutationReport", "What the p-values of a list rest on (XSwap).", members)


def _comparison_type(types: Types, metapath: Any, kinds: tuple[str, str], names: tuple[str, str]) -> Any:
    state = make_enum(
        "LinkState",
        [
            ("PRESENT", "An edge."),
            ("ABSENT", "No such edge, though the graph knows others of the relation at that end."),
            ("CONTRADICTED", "The claim is here, without supporting evidence."),
            ("UNTESTED", "The graph knows no edge of the relation at that end: nothing can be concluded."),
        ],
        "Whether a link of a mechanism is there.",
    )
    link = {
        "source": member(types.entity, "Where the link starts, on the way to the known end."),
        "candidate_source": member(
            types.entity, "Where it starts on the way to the candidate: the same, or related.", name="candidateSource"
        ),
        "relation": member(str, "Name of the relation."),
        "reversed": member(bool, "Whether it is walked against its direction."),
        "phrase": member(str, "The relation as walked, in words."),
        "known_target": member(types.entity, "Where it leads on the way to the known end.", name="knownTarget"),
        "candidate_target": member(types.entity, "Where it leads on the way to the candidate.", name="candidateTarget"),
        "known": member(state, "Whether it is there for the known end.", attrgetter_of("known.state")),
        "candidate": member(state, "Whether it is there for the candidate.", attrgetter_of("candidate.state")),
        "known_assertion": member(
            nullable(types.assertion), "Its assertion, if any.", attrgetter_of("known.assertion"), name="knownAssertion"
        ),
        "candidate_assertion": member(
            nullable(types.assertion),
            "The candidate's assertion, if any.",
            attrgetter_of("candidate.assertion"),
            name="candidateAssertion",
        ),
    }
    link_type = made_type("AlignedLink", "One link of a mechanism, for both ends.", link)
    path = {
        "metapath": member(metapath, "The sort of mechanism."),
        "links": member(listed(link_type), "Its links."),
        "weight": member(float, "Its part in the score of the end that it is of."),
        "related": member(
            bool, "Whether the two ways differ in a node: a kind of the other's, or both kinds of the same."
        ),
        "breaks_at": member(nullable(link_type), "The first link that one of the two lacks.", name="breaksAt"),
    }
    path_type = made_type("AlignedPath", "A mechanism, link by link for both ends.", path)
    members = {
        names[0]: member(types.kinds[kinds[0]], "What is compared.", attrgetter_of("therapy"), name=names[0]),
        "known": member(types.kinds[kinds[1]], "Where it is known to work."),
        "candidate": member(types.kinds[kinds[1]], "Where it might."),
        "shared": member(
            listed(path_type), "Mechanisms that hold for both, through the same or related nodes, heaviest first."
        ),
        "only_known": member(listed(path_type), "Mechanisms that break for the candidate.", name="onlyKnown"),
        "only_candidate": member(listed(path_type), "Mechanisms that are new there.", name="onlyCandidate"),
        "carried_over": member(
            float | None, "Part of the known mechanisms' weight that is shared, in [0, 1].", name="carriedOver"
        ),
        "truncated_by": member(str | None, "The limit that cut the comparison.", name="truncatedBy"),
        "text": member(str, "The comparison in a few sentences."),
    }
    return made_type("MechanismComparison", "The mechanisms of one thing in two places, side by side.", members)


def _constraints_input() -> Any:
    weighting = make_enum(
        "Weighting",
        [
            ("CONFIDENCE", "Each edge counts by its confidence."),
            ("UNIFORM", "Each edge counts as 1: the published definition."),
        ],
        "How edges are weighted.",
    )
    unset = strawberry.UNSET
    fields: dict[str, tuple[Any, str, str]] = {
        "metapaths": (list[list[str]], "metapaths", "Only these metapaths, each a list of relation names as walked."),
        "max_length": (int, "maxLength", "Most steps of a metapath; 3 by default."),
        "relations": (list[str], "relations", "Relations that metapaths may use."),
        "weighting": (weighting, "weighting", "How edges are weighted; CONFIDENCE by default."),
        "damping": (float, "damping", "Exponent by which node degrees are damped; 0.4 by default."),
        "permutations": (int, "permutations", "Number of permuted graphs for p-values; 0 for none."),
        "seed": (int, "seed", "Seed of the permutations; 0 by default."),
        "include_tested": (bool, "includeTested", "Whether to list pairs that have been tried as well."),
        "min_score": (float, "minScore", "Only hypotheses of at least this score."),
        "paths": (int, "paths", "Most supporting paths of each; 5 by default."),
        "arguments": (int, "arguments", "Most arguments against each; 5 by default."),
        "gaps": (int, "gaps", "Most gaps of each; 3 by default."),
    }
    members = {
        a: (nullable(t), strawberry.field(default=unset, name=n, description=said))
        for a, (t, n, said) in fields.items()
    }
    return strawberry.input(
        fill(type("HypothesisConstraints", (), {}), members), name="HypothesisConstraints", description=WHERE
    )


def _constraints(where: Any) -> HypothesisConstraints:
    wanted: dict[str, Any] = {}
    for name in HypothesisConstraints.__dataclass_fields__:
        value = given(where, name)
        if value is not None:
            wanted[name] = plain(value)
    if "metapaths" in wanted:
        wanted["metapaths"] = tuple(tuple(names) for names in wanted["metapaths"])
    if "relations" in wanted:
        wanted["relations"] = frozenset(wanted["relations"])
    return HypothesisConstraints(**wanted)
