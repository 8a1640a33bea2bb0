"""XML bodies by the ``xml`` objects of their schemas."""

from xml.etree import ElementTree

import pytest

from toolhaft.errors import InvalidArgumentsError
from toolhaft.openapi.requests.request import build_request
from toolhaft.openapi.requests.wire import XMLShape
from toolhaft.openapi.requests.xml import xml_text

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
NAMES = {"type": "array", "items": TEXT}


def xml(schema, **fields):
    return {**schema, "xml": fields}


def root(properties, **fields):
    return {"type": "object", "xml": {"name": "document", **fields}, "properties": properties}


@pytest.fixture
def sent(built, document):
    """Return the body of a call of an operation that takes XML."""

    def make(schema, value, *, version="3.1.1", **components):
        operation = {"requestBody": {"required": True, "content": {"application/xml": {"schema": schema}}}}
        value_of = document(operation, method="post", version=version, components={"schemas": components})
        _, wire = built(value_of)
        arguments = {wire.body.key: value} if wire.body.key else value
        return build_request(wire, arguments).body.decode()

    return make


PETS = {"animals": ["dog", "cat"]}
OLD = [
    ({"animals": TEXT}, {"animals": "dog"}, "<animals>dog</animals>"),
    ({"animals": NAMES}, PETS, "<animals>dog</animals><animals>cat</animals>"),
    ({"animals": xml(TEXT, name="animal")}, {"animals": "dog"}, "<animal>dog</animal>"),
    (
        {"animals": {"type": "array", "items": xml(TEXT, name="animal")}},
        PETS,
        "<animal>dog</animal><animal>cat</animal>",
    ),
    (
        {"animals": xml({"type": "array", "items": xml(TEXT, name="animal")}, name="aliens")},
        PETS,
        "<animal>dog</animal><animal>cat</animal>",
    ),
    (
        {"animals": xml(NAMES, wrapped=True)},
        PETS,
        "<animals><animals>dog</animals><animals>cat</animals></animals>",
    ),
    (
        {"animals": xml(NAMES, wrapped=True, name="aliens")},
        PETS,
        "<aliens><aliens>dog</aliens><aliens>cat</aliens></aliens>",
    ),
    (
        {"animals": xml({"type": "array", "items": xml(TEXT, name="animal")}, wrapped=True, name="aliens")},
        PETS,
        "<aliens><animal>dog</animal><animal>cat</animal></aliens>",
    ),
    ({"animals": xml(NAMES, wrapped=True)}, {"animals": []}, "<animals/>"),
    (
        {"a": NUMBER, "b": {"type": "boolean"}, "c": {}},
        {"a": 2.0, "b": False, "c": 1.5},
        "<a>2</a><b>false</b><c>1.5</c>",
    ),
    ({"a": {}}, {"a": {"b": {"c": [1, {"d": 2}]}}}, "<a><b><c>1</c><c><d>2</d></c></b></a>"),
    ({"a": TEXT}, {"a": "<&>\"'\r\n"}, "<a>&lt;&amp;&gt;\"'&#13;\n</a>"),
    ({"a": TEXT}, {"a": ""}, "<a/>"),
    ({"a": TEXT, "z": TEXT}, {"z": "1", "a": "2"}, "<a>2</a><z>1</z>"),
    (
        {"map": {"type": "object", "additionalProperties": xml(NUMBER, name="entry")}},
        {"map": {"x": 1}},
        "<map><entry>1</entry></map>",
    ),
]


@pytest.mark.parametrize(("properties", "value", "expected"), OLD)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.1", "3.2.0"])
def test_elements(sent, version, properties, value, expected):
    assert sent(root(properties), value, version=version) == f"<document>{expected}</document>"


ATTRIBUTES = [
    ({"id": xml(NUMBER, attribute=True)}, {"id": 3}, '<document id="3"/>'),
    ({"id": xml(NUMBER, attribute=True, name="key")}, {"id": 3}, '<document key="3"/>'),
    ({"id": xml(TEXT, attribute=True)}, {"id": '"<\n'}, '<document id="&quot;&lt;&#10;"/>'),
    ({"id": xml(NUMBER, attribute=True)}, {"id": None}, "<document/>"),
    ({"id": xml(NAMES, attribute=True)}, {"id": ["a", "b"]}, '<document id="a b"/>'),
    (
        {"id": xml(NUMBER, attribute=True, namespace="urn:x", prefix="p"), "n": TEXT},
        {"id": 3, "n": "y"},
        '<document xmlns:p="urn:x" p:id="3"><n>y</n></document>',
    ),
    (
        {"n": xml(TEXT, namespace="urn:s", prefix="s")},
        {"n": "x"},
        '<document><s:n xmlns:s="urn:s">x</s:n></document>',
    ),
    ({"n": xml(TEXT, namespace="urn:s")}, {"n": "x"}, '<document><n xmlns="urn:s">x</n></document>'),
    ({"n": xml(TEXT, prefix="s")}, {"n": "x"}, "<document><n>x</n></document>"),
]


@pytest.mark.parametrize(("properties", "value", "expected"), ATTRIBUTES)
def test_attributes_and_namespaces(sent, properties, value, expected):
    made = sent(root(properties), value)
    assert made == expected
    ElementTree.fromstring(made)


def test_a_namespace_is_declared_once_where_it_begins(sent):
    own = {"namespace": "urn:s", "prefix": "s"}
    inner = {"type": "object", "xml": own, "properties": {"c": xml(TEXT, **own)}}
    made = sent(root({"b": inner, "d": xml(TEXT, prefix="s")}, **own), {"b": {"c": "x"}, "d": "y"})
    expected = "<s:b><s:c>x</s:c></s:b><s:d>y</s:d>"
    assert made == f'<s:document xmlns:s="urn:s">{expected}</s:document>'


NEW = [
    (
        {"animals": xml({"type": "array", "items": xml(TEXT, name="animal")}, nodeType="element")},
        PETS,
        "<document><animals><animal>dog</animal><animal>cat</animal></animals></document>",
    ),
    (
        {"k": xml(TEXT, nodeType="attribute"), "t": xml(TEXT, nodeType="text")},
        {"k": "Cat", "t": "<F>"},
        '<document k="Cat">&lt;F&gt;</document>',
    ),
    (
        {"c": xml(TEXT, nodeType="cdata")},
        {"c": "<b>]]></b>"},
        "<document><![CDATA[<b>]]]]><![CDATA[></b>]]></document>",
    ),
    (
        {"group": xml({"type": "object", "properties": {"a": TEXT}}, nodeType="none")},
        {"group": {"a": "x"}},
        "<document><a>x</a></document>",
    ),
]


@pytest.mark.parametrize(("properties", "value", "expected"), NEW)
def test_node_types_of_3_2(sent, properties, value, expected):
    assert sent(root(properties), value, version="3.2.0") == expected


def test_a_list_with_attributes_and_text(sent):
    animal = {
        "xml": {"name": "animal"},
        "properties": {"kind": xml(TEXT, nodeType="attribute"), "name": xml(TEXT, nodeType="text")},
    }
    schema = {"type": "array", "xml": {"nodeType": "element", "name": "animals"}, "items": animal}
    made = sent(schema, [{"kind": "Cat", "name": "Fluffy"}, {"kind": "Dog", "name": "Fido"}], version="3.2.0")
    assert made == '<animals><animal kind="Cat">Fluffy</animal><animal kind="Dog">Fido</animal></animals>'


PERSON = {"type": "object", "properties": {"name": TEXT}}
REFERENCES = [
    ("3.1.1", {"$ref": "#/components/schemas/Person"}, {"name": "x"}, "<Person><name>x</name></Person>"),
    (
        "3.1.1",
        root({"owner": {"$ref": "#/components/schemas/Person"}}),
        {"owner": {"name": "x"}},
        "<document><owner><name>x</name></owner></document>",
    ),
    (
        "3.2.0",
        root({"owner": {"$ref": "#/components/schemas/Person"}}),
        {"owner": {"name": "x"}},
        "<document><Person><name>x</name></Person></document>",
    ),
    (
        "3.1.1",
        {"$ref": "#/components/schemas/Person", "xml": {"name": "me"}},
        {"name": "x"},
        "<me><name>x</name></me>",
    ),
    (
        "3.0.3",
        {"allOf": [{"$ref": "#/components/schemas/Person"}], "xml": {"name": "me"}},
        {"name": "x"},
        "<me><name>x</name></me>",
    ),
]


@pytest.mark.parametrize(("version", "schema", "value", "expected"), REFERENCES)
def test_what_is_declared_elsewhere(sent, version, schema, value, expected):
    assert sent(schema, value, version=version, Person=PERSON) == expected


def test_recursion_is_written_as_deep_as_the_value(sent):
    tree = {
        "type": "object",
        "properties": {
            "v": xml(NUMBER, attribute=True),
            "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
    }
    value = {"v": 1, "kids": [{"v": 2, "kids": [{"v": 3}]}, {"v": 4}]}
    made = sent({"$ref": "#/components/schemas/Tree"}, value, Tree=tree)
    assert made == '<Tree v="1"><kids v="2"><kids v="3"/></kids><kids v="4"/></Tree>'


def test_null_is_an_element_that_says_so(sent):
    made = sent(root({"a": {"type": ["string", "null"]}}), {"a": None})
    nil = "{http://www.w3.org/2001/XMLSchema-instance}nil"
    assert ElementTree.fromstring(made).find("a").attrib == {nil: "true"}


def test_a_text_is_taken_for_a_document(sent):
    assert sent(TEXT, "<a/>") == "<a/>"


def test_a_list_alone_has_one_root(sent):
    assert ElementTree.fromstring(sent(NAMES, ["a", "b"])).tag == "root"


@pytest.mark.parametrize("value", [{"a": "\x00"}, {"a": "\ud800"}, {"a b": "x"}, {"<x>": 1}, {"a": {"1": 2}}])
def test_what_xml_cannot_hold_is_refused(sent, value):
    with pytest.raises(InvalidArgumentsError):
        sent({"type": "object", "additionalProperties": True}, value)


def test_a_value_that_is_nested_too_deeply_is_refused():
    value = leaf = {}
    for _ in range(300):
        leaf["a"] = leaf = {}
    with pytest.raises(InvalidArgumentsError, match="deeper"):
        xml_text((XMLShape(),), value)


def test_parts_fields_and_parameters_are_xml_where_they_say_so(built, document):
    item = {"type": "object", "properties": {"id": xml(NUMBER, attribute=True)}, "xml": {"name": "a"}}
    schema = {"type": "object", "properties": {"one": item, "many": {"type": "array", "items": item}}}
    encoding = {name: {"contentType": "application/xml"} for name in ("one", "many")}
    parameter = {"name": "q", "in": "query", "content": {"application/xml": {"schema": item}}}
    for media in ("multipart/form-data", "application/x-www-form-urlencoded"):
        content = {media: {"schema": schema, "encoding": encoding}}
        operation = {"parameters": [parameter], "requestBody": {"required": True, "content": content}}
        _, wire = built(document(operation, method="post"))
        made = build_request(wire, {"one": {"id": 1}, "many": [{"id": 2}, {"id": 3}], "q": {"id": 4}})
        assert made.url.endswith("?q=%3Ca%20id%3D%224%22%2F%3E")
        if media.startswith("multipart"):
            head = b'name="many"\r\nContent-Type: application/xml\r\n\r\n'
            assert made.body.count(b'\r\n\r\n<a id="') == 3
            assert head + b'<a id="3"/>' in made.body
        else:
            assert made.body.startswith(b"one=%3Ca+id%3D%221%22%2F%3E&many=%3Ca+id%3D%222")
