"""XML bodies read back by the ``xml`` objects of their schema."""

from xml.parsers import expat

from .values import Text

DEPTH = 40


class Element:
    """One element: namespace and local name, attributes, text and children."""

    def __init__(self, name, attributes):
        self.name = name
        self.attributes = attributes
        self.children = []
        self.text = ""


def parse_xml(data):
    """Parse bytes into elements whose names are ``namespace}local``; entities are refused.

    Raises:
        ValueError: It is not well-formed.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    stack = [Element("", {})]

    def start(name, attributes):
        element = Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name):
        stack.pop()

    def text(data):
        stack[-1].text += data

    def refuse(*_):
        raise ValueError("entities are not for requests")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"not XML: {error}") from None
    return stack[0].children[0]


def local(name):
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def read_xml(schemas, schema, data):
    """Return the value of a document by its schema.

    Raises:
        ValueError: It is not XML, or nests too deeply.
    """
    element = parse_xml(data)
    return _value(schemas, schema, element, 0)


def _xml(schemas, schema):
    found = {}
    for part in schemas.parts(schema):
        if isinstance(part.get("xml"), dict):
            found = {**part["xml"], **found}
    return found


def _value(schemas, schema, element, depth):
    if depth > DEPTH:
        raise ValueError("too deep")
    kinds = schemas.kinds(schema)
    if "array" in kinds and "object" not in kinds:
        return _items(schemas, schema, element.children, depth)
    if "object" in kinds and (element.children or element.attributes or not kinds & {"string", "integer"}):
        return _object(schemas, schema, element, depth)
    return Text(element.text, kinds)


def _items(schemas, schema, children, depth):
    return [_value(schemas, schemas.items(schema, n), child, depth + 1) for n, child in enumerate(children)]


def _object(schemas, schema, element, depth):
    found = {}
    used = set()
    for name in schemas.names(schema):
        one = schemas.property(schema, name)
        xml = _xml(schemas, one)
        wire = xml.get("name") or name
        node_type = xml.get("nodeType")
        if xml.get("attribute") is True or node_type == "attribute":
            for key, value in element.attributes.items():
                if local(key) == local_of(wire):
                    used.add(key)
                    found[name] = Text(value, schemas.kinds(one))
            continue
        if node_type in ("text", "cdata"):
            found[name] = Text(element.text, schemas.kinds(one))
            continue
        kinds = schemas.kinds(one)
        if "array" in kinds and "object" not in kinds:
            item_xml = _xml(schemas, schemas.items(one))
            wrapped = xml.get("wrapped") is True or node_type == "element"
            # the name of an array that is not wrapped counts for nothing: its items are what stands there
            wire = wire if wrapped else item_xml.get("name") or name
            mine = [child for child in element.children if local(child.name) == local_of(wire)]
            used.update(map(id, mine))
            if wrapped and mine:
                found[name] = _items(schemas, one, mine[0].children, depth + 1)
            elif mine:
                found[name] = _items(schemas, one, mine, depth + 1)
            continue
        mine = [child for child in element.children if local(child.name) == local_of(wire)]
        used.update(map(id, mine))
        if len(mine) == 1:
            found[name] = _value(schemas, one, mine[0], depth + 1)
        elif mine:
            found[name] = _items(schemas, one, mine, depth + 1)
    for child in element.children:
        if id(child) not in used:
            name = local(child.name)
            value = _value(schemas, schemas.property(schema, name), child, depth + 1)
            if name in found:
                earlier = found[name] if isinstance(found[name], list) else [found[name]]
                found[name] = [*earlier, value]
            else:
                found[name] = value
    return found


def local_of(name):
    """Return a declared name without a prefix."""
    return str(name).rpartition(":")[2]
