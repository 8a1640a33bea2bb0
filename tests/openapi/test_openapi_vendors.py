"""What documents of vendors do that the specification does not foresee, in small."""

import json


def size_of(schema):
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")))


def test_hundreds_of_parameters_keep_their_names_rather_than_their_descriptions(built, document):
    names = [f"filter_{number:03}_contains_part_of_the_text" for number in range(500)]
    listed = [
        {"name": name, "in": "query", "description": f"Only what has {name}", "schema": {"type": "string"}}
        for name in names
    ]
    spec, _ = built(document({"parameters": listed}))
    assert list(spec.parameters["properties"]) == names
    assert size_of(spec.parameters) <= 32_000
