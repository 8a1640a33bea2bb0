"""What becomes of the keywords of schemas, rule by rule."""

import jsonschema_rs
import pytest


@pytest.fixture
def body_schema(built, document):
    """Return the schema of the argument ``value`` of a body that has one property."""

    def run(schema, *, version="3.0.3", **schemas):
        spec, _ = built(
            document(
                {
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"value": schema}}
                            }
                        }
                    }
                },
                method="post",
                version=version,
                components={"schemas": schemas},
            )
        )
        return spec.parameters["properties"].get("value"), spec.parameters.get("$defs", {})

    return run


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def own(name):
    return {"$ref": f"#/$defs/{name}"}


CAT = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "lives": {"type": "integer"}},
}
DOG = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "good": {"type": "boolean"}},
}
KIND = {"propertyName": "kind"}


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        (
            {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
            {"type": "integer", "exclusiveMinimum": 1},
        ),
        ({"type": "number", "maximum": 9, "exclusiveMaximum": False}, {"type": "number", "maximum": 9}),
        ({"type": "number", "divisibleBy": 5}, {"type": "number", "multipleOf": 5}),
        ({"type": ["string", {"type": "object"}]}, {}),
        ({"type": "any"}, {}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"type": "string", "pattern": "["}, {"type": "string", "description": "Pattern: ["}),
        ({"type": "string", "pattern": r"^\p{L}+$"}, {"type": "string", "description": r"Pattern: ^\p{L}+$"}),
        ({"type": "string", "pattern": "^[[a]+$"}, {"type": "string", "pattern": "^[[a]+$"}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "array", "items": [{"type": "string"}], "additionalItems": {"type": "integer"}},
            {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
        ),
        (
            {"type": "object", "dependencies": {"a": ["b"]}},
            {"type": "object", "dependentRequired": {"a": ["b"]}},
        ),
        (
            {"type": "object", "dependencies": {"a": {"required": ["b"]}}},
            {"type": "object", "dependentSchemas": {"a": {"required": ["b"]}}},
        ),
        (
            {
                "type": "object",
                "properties": {"enum": {"type": "string"}, "$ref": {"type": "string"}, "type": True},
            },
            {
                "type": "object",
                "properties": {"enum": {"type": "string"}, "$ref": {"type": "string"}, "type": {}},
            },
        ),
        ({"type": "string", "enum": []}, {"type": "string"}),
        (
            {"type": "string", "example": "a", "deprecated": True},
            {"type": "string", "examples": ["a"], "deprecated": True},
        ),
        (
            {"patternProperties": {"[": {}, "^a": {"type": "string"}}},
            {"patternProperties": {"^a": {"type": "string"}}},
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
        ),
    ],
)
def test_what_older_drafts_and_documents_write(body_schema, schema, made):
    assert body_schema(schema)[0] == made


@pytest.mark.parametrize(
    ("members", "made"),
    [
        ([{"type": "object"}, {"properties": {"a": {}}}], {"type": "object", "properties": {"a": {}}}),
        ([{"required": ["a"]}, {"required": ["b", "a"]}], {"required": ["a", "b"]}),
        ([{"minimum": 1, "maximum": 9}, {"minimum": 3, "maximum": 20}], {"minimum": 3, "maximum": 9}),
        ([{"type": "number"}, {"type": "integer"}], {"type": "integer"}),
        ([{"enum": ["a", "b"]}, {"enum": ["b", "c"]}], {"enum": ["b"]}),
        (
            [{"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"minLength": 1}}}],
            {"properties": {"a": {"type": "string", "minLength": 1}}},
        ),
        ([{"type": "string"}, {"type": "integer"}], {"type": "string", "allOf": [{"type": "integer"}]}),
        ([{"pattern": "a"}, {"pattern": "b"}], {"pattern": "a", "allOf": [{"pattern": "b"}]}),
        (
            [{"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"b": {}}}],
            {"properties": {"a": {}}, "additionalProperties": False, "allOf": [{"properties": {"b": {}}}]},
        ),
        (
            [{"oneOf": [{"type": "string"}, {"type": "null"}]}, {"maxLength": 3}],
            {"oneOf": [{"type": "string"}, {"type": "null"}], "maxLength": 3},
        ),
        ([{"type": "string"}, {}, {"type": "string"}], {"type": "string"}),
    ],
)
def test_all_of_is_merged_where_that_is_exact(body_schema, members, made):
    assert body_schema({"allOf": members})[0] == made


def test_what_extends_a_definition_is_one_object(body_schema):
    found, definitions = body_schema(
        {"type": "array", "items": ref("Child")},
        Base={"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
        Child={"allOf": [ref("Base"), {"type": "object", "properties": {"name": {"type": "string"}}}]},
    )
    assert found == {"type": "array", "items": own("Child")}
    assert definitions == {
        "Child": {
            "type": "object",
            "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
            "required": ["id"],
        }
    }


def test_one_definition_with_a_description_stays_a_reference(body_schema):
    node = {"type": "object", "properties": {"a": ref("Thing")}}
    found, _ = body_schema({"allOf": [ref("Thing")], "description": "Mine.", "nullable": True}, Thing=node)
    assert found == {"description": "Mine.", "anyOf": [own("Thing"), {"type": "null"}]}


@pytest.mark.parametrize(
    ("schemas", "required", "names"),
    [
        (
            {
                "Base": {
                    "properties": {"id": {"type": "integer", "readOnly": True}, "a": {}},
                    "required": ["id", "a"],
                }
            },
            ["a"],
            {"a"},
        ),
        (
            {
                "Base": {"properties": {"id": ref("Id"), "a": {}}, "required": ["id"]},
                "Id": {"type": "integer", "readOnly": True},
            },
            None,
            {"a"},
        ),
        (
            {
                "Base": {"properties": {"id": {"allOf": [ref("Id")]}, "a": {}}, "required": ["id"]},
                "Id": {"type": "integer", "readOnly": True},
            },
            None,
            {"a"},
        ),
        (
            {
                "Base": {"allOf": [ref("Old"), {"properties": {"id": {"readOnly": True}}}]},
                "Old": {"properties": {"a": {}}, "required": ["id", "a"]},
            },
            ["a"],
            {"a"},
        ),
        (
            {
                "Base": {
                    "allOf": [{"properties": {"id": {"readOnly": True}, "a": {}}}, {"required": ["id", "a"]}]
                }
            },
            ["a"],
            {"a"},
        ),
    ],
)
def test_what_is_read_only_is_neither_offered_nor_required(body_schema, schemas, required, names):
    found, definitions = body_schema(ref("Base"), **schemas)
    node = definitions["Base"] if found == own("Base") else found
    assert node.get("required") == required
    assert set(node["properties"]) == names


def test_a_discriminator_sets_a_constant_in_each_branch(body_schema):
    node = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": KIND}
    found, _ = body_schema(node, Cat=CAT, Dog=DOG)
    assert [branch["properties"]["kind"] for branch in found["oneOf"]] == [
        {"type": "string", "const": "Cat"},
        {"type": "string", "const": "Dog"},
    ]
    assert found["oneOf"][0]["required"] == ["kind"]


@pytest.mark.parametrize("target", ["Cat", "#/components/schemas/Cat"])
def test_a_mapping_names_a_schema_or_refers_to_it(body_schema, target):
    node = {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {**KIND, "mapping": {"felis": target, "c": target}},
    }
    found, _ = body_schema(node, Cat=CAT, Dog=DOG)
    assert found["oneOf"][0]["properties"]["kind"] == {"type": "string", "enum": ["felis", "c"]}
    assert found["oneOf"][1]["properties"]["kind"]["const"] == "Dog"


@pytest.mark.parametrize("keyword", ["enum", "const"])
def test_a_value_that_a_branch_says_itself_goes_before_its_name(body_schema, keyword):
    said = {"enum": ["feline"]} if keyword == "enum" else {"const": "feline"}
    animal = {"type": "object", "properties": {"kind": ref("FelineKind")}}
    cat = {"allOf": [ref("Animal"), {"required": ["kind"]}]}
    node = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": KIND}
    found, definitions = body_schema(
        node, version="3.1.0", Cat=cat, Dog=DOG, Animal=animal, FelineKind={"type": "string", **said}
    )
    schema = {**found, "$defs": definitions}
    assert jsonschema_rs.is_valid(schema, {"kind": "feline"})
    assert jsonschema_rs.is_valid(schema, {"kind": "Dog"})
    assert not jsonschema_rs.is_valid(schema, {"kind": "Cat"})


def test_children_may_say_their_own_value_where_the_base_lists_it(body_schema):
    kinds = {"type": "string", "enum": ["cat", "dog"]}
    base = {"type": "object", "required": ["kind"], "properties": {"kind": kinds}, "discriminator": KIND}
    lives = {"properties": {"kind": {"enum": ["cat"]}, "lives": {"type": "integer"}}}
    found, definitions = body_schema(ref("Pet"), Pet=base, Cat={"allOf": [ref("Pet"), lives]})
    schema = {**found, "$defs": definitions}
    assert jsonschema_rs.is_valid(schema, {"kind": "cat", "lives": 9})
    assert not jsonschema_rs.is_valid(schema, {"kind": "Cat", "lives": 9})


def test_schemas_that_extend_one_with_a_discriminator_stand_in_its_place(body_schema):
    found, definitions = body_schema(
        ref("Pet"),
        Pet={
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"type": "string"}},
            "discriminator": KIND,
        },
        Cat={"allOf": [ref("Pet"), {"properties": {"lives": {"type": "integer"}}}]},
        Siamese={"allOf": [ref("Cat"), {"properties": {"blue": {"type": "boolean"}}}]},
    )
    assert found == own("Pet")
    kinds = {
        branch["properties"]["kind"]["const"]: set(branch["properties"])
        for branch in definitions["Pet"]["anyOf"]
    }
    assert kinds == {"Cat": {"kind", "lives"}, "Siamese": {"kind", "lives", "blue"}, "Pet": {"kind"}}
    assert set(definitions) == {"Pet"}


def test_a_union_whose_branches_extend_it_is_not_endless(body_schema):
    _, definitions = body_schema(
        {"type": "array", "items": ref("Pet")},
        Pet={
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "discriminator": KIND,
            "oneOf": [ref("Cat")],
        },
        Cat={"allOf": [ref("Pet"), {"properties": {"lives": {"type": "integer"}}}]},
    )
    branch = definitions["Pet"]["oneOf"][0]
    assert set(branch["properties"]) == {"kind", "lives"}


def test_siblings_of_a_reference_count_where_the_version_says_so(body_schema):
    node = {**ref("Name"), "maxLength": 3, "description": "Short."}
    assert body_schema(node, Name={"type": "string"})[0] == {"type": "string", "description": "Short."}
    found = body_schema(node, version="3.1.0", Name={"type": "string"})[0]
    assert found == {"type": "string", "maxLength": 3, "description": "Short."}


def test_a_dynamic_reference_finds_its_anchor(body_schema):
    tree = {"$dynamicAnchor": "node", "type": "object", "properties": {"next": {"$dynamicRef": "#node"}}}
    found, definitions = body_schema(ref("Tree"), version="3.1.0", Tree=tree)
    assert found == own("Tree")
    assert definitions["Tree"]["properties"]["next"] == own("Tree")
