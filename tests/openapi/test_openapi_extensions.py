"""What a document says of an operation's effect is taken only where it asks for more care."""

import pytest

from toolhaft.openapi.documents.load import read_value
from toolhaft.openapi.importing import import_document
from toolhaft.openapi.options import ImportOptions
from toolhaft.types import from_json, to_json


@pytest.mark.parametrize(
    ("method", "said", "effect", "repeatable", "noticed"),
    [
        ("get", None, "read", True, False),
        ("get", "write", "write", False, False),
        ("get", "irreversible", "irreversible", False, False),
        ("get", "read", "read", True, True),
        ("post", "write", "write", False, False),
        ("post", "irreversible", "irreversible", False, False),
        ("post", "read", "write", False, True),
        ("delete", "irreversible", "irreversible", True, False),
        ("delete", "read", "write", True, True),
        ("post", "none", "write", False, True),
        ("post", "Irreversible", "write", False, True),
        ("post", ["irreversible"], "write", False, True),
        ("post", True, "write", False, True),
        ("get", {"a": 1}, "read", True, True),
    ],
)
def test_an_effect_is_raised_and_never_lowered(built, document, method, said, effect, repeatable, noticed):
    operation = {} if said is None else {"x-toolhaft-effect": said}
    given = document(operation, method=method)
    spec, wire = built(given)
    assert (spec.effect, spec.repeatable) == (effect, repeatable)
    assert (wire.effect, wire.repeatable) == (effect, repeatable)
    (entry,) = import_document(read_value(given), ImportOptions()).report.operations
    assert entry.outcome == "imported"
    problems = [(problem.code, problem.pointer) for problem in entry.problems]
    pointer = f"/paths/~1things/{method}/x-toolhaft-effect"
    assert (("effect-not-raised", pointer) in problems) is noticed


@pytest.mark.parametrize(
    ("said", "private", "noticed"),
    [(True, True, 0), (False, False, 0), ("true", False, 1), (1, False, 1), ([], False, 1)],
)
def test_results_can_be_marked_private(built, document, said, private, noticed):
    given = document({"x-toolhaft-private": said})
    spec, _ = built(given)
    assert spec.private is private
    assert spec.untrusted is True
    (entry,) = import_document(read_value(given), ImportOptions()).report.operations
    assert [problem.code for problem in entry.problems].count("private-malformed") == noticed


def test_marks_elsewhere_mean_nothing(built, document):
    given = document({"x-effect": "irreversible", "x-private": True}, **{"x-toolhaft-effect": "irreversible"})
    spec, _ = built(given)
    assert (spec.effect, spec.private) == ("read", False)


def test_marks_outlast_a_record(built, document):
    spec, _ = built(document({"x-toolhaft-effect": "irreversible", "x-toolhaft-private": True}))
    again = from_json(type(spec), to_json(spec))
    assert (again.effect, again.private) == ("irreversible", True)


@pytest.mark.anyio
async def test_an_irreversible_operation_needs_more_than_leave_to_write(document):
    from toolhaft.tools.policy import CallRequest, policy

    built = import_document(
        read_value(document({"x-toolhaft-effect": "irreversible"}, method="post")), ImportOptions()
    )
    spec, _ = built.build("thing")
    request = CallRequest(spec=spec, arguments={})
    assert policy("write").decide(request).verdict == "ask"
    assert policy("irreversible").decide(request).verdict == "allow"
