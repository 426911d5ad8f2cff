"""Relations in English: every relation of the schema reads as a sentence, walked either way."""

import pytest

from kg import Snapshot
from kg.wording import Verb, chain, kind_chain, plural

EITHER_WAY = {
    "targets": ("the therapy targets the target", "the target is targeted by the therapy"),
    "depletes": ("the therapy depletes the cell populations", "the cell populations are depleted by the therapy"),
    "reconstitutes": (
        "the therapy is followed by the return of the cell populations",
        "the cell populations return after the therapy",
    ),
    "expressedOn": ("the target is expressed on the cell populations", "the cell populations express the target"),
    "drives": ("the cell populations drive the disease", "the disease is driven by the cell populations"),
    "treats": ("the therapy treats the disease", "the disease is treated by the therapy"),
    "investigatedFor": ("the therapy is investigated for the disease", "the disease is investigated with the therapy"),
    "testedWithoutEffect": (
        "the therapy was tested without effect in the disease",
        "the disease did not improve with the therapy",
    ),
    "evaluates": ("the trial evaluates the therapy", "the therapy is evaluated in the trial"),
    "studies": ("the trial studies the disease", "the disease is studied in the trial"),
    "hasRisk": ("the therapy has among its risks the risk", "the risk is among the risks of the therapy"),
    "reports": ("the trial reports the risk", "the risk is reported in the trial"),
    "mitigatedBy": ("the risk is mitigated by the therapy", "the therapy mitigates the risk"),
    "complicates": ("the risk complicates the disease", "the disease is complicated by the risk"),
    "subtypeOf": ("the disease is a kind of the other disease", "the disease includes the other disease"),
    "developsInto": (
        "the cell populations develop into the other cell populations",
        "the cell populations develop from the other cell populations",
    ),
}


def test_every_relation_reads_well_both_ways(seed_graph: Snapshot) -> None:
    """A relation that is added needs a line here: somebody has to have read it aloud."""
    label = {kind.name: kind.label for kind in seed_graph.model.kinds}
    said = {}
    for relation in seed_graph.model.relations:
        subject, object_ = max(relation.pairs(), key=lambda pair: "Disease" in pair)
        forward = kind_chain([label[subject], label[object_]], [Verb(*relation.phrases())])
        said[relation.name] = (
            forward,
            kind_chain([label[object_], label[subject]], [Verb(*relation.phrases(reversed_=True))]),
        )
    assert said == EITHER_WAY


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (
            ("therapy", "depletes", "cell population", "drives", "disease"),
            "the therapy depletes cell populations, which drive the disease",
        ),
        (
            ("therapy", "reconstitutes", "cell population", "~reconstitutes", "therapy", "treats", "disease"),
            "the therapy is followed by the return of cell populations, which return after another therapy, which treats the disease",
        ),
        (
            ("therapy", "subtypeOf", "therapy", "investigatedFor", "disease"),
            "the therapy is a kind of another therapy, which is investigated for the disease",
        ),
        (
            ("therapy", "treats", "disease", "~drives", "cell population", "developsInto", "cell population", "drives", "disease"),
            "the therapy treats another disease, which is driven by cell populations, which develop into other cell populations, which drive the disease",
        ),
    ],
)  # fmt: skip
def test_metapaths_read_as_chains(seed_graph: Snapshot, names: tuple[str, ...], text: str) -> None:
    relations = [(name.lstrip("~"), name.startswith("~")) for name in names[1::2]]
    verbs = [Verb(*seed_graph.model.relation[name].phrases(back)) for name, back in relations]
    assert kind_chain(names[::2], verbs) == text


def test_every_name_takes_the_number_of_its_verb() -> None:
    verbs = [Verb("is expressed on", "express"), Verb("drive", "is driven by", " (assumed)")]
    assert chain(["CD19", "plasma cell", "lupus"], verbs) == (
        "CD19 is expressed on plasma cells, which drive (assumed) lupus"
    )
    assert chain(["CD19", "plasma cell"], verbs[:1]) == "CD19 is expressed on plasma cells"


def test_the_head_of_a_label_goes_into_the_plural() -> None:
    """“plasma cells, which drive”: the head of the label, not its last word."""
    labels = ("plasma cell", "lymphocyte of B lineage", "CD19", "plasma cells", "therapy")
    assert [plural(label) for label in labels] == [
        "plasma cells",
        "lymphocytes of B lineage",
        "CD19",
        "plasma cells",
        "therapies",
    ]
