"""The style table, read backwards: raw text, still percent-encoded, to the values it may stand for."""

import re
from urllib.parse import unquote, unquote_plus

from .schemas import SCALARS
from .values import Text

OLD_LABELS = ((3, 0, 0), (3, 0, 1), (3, 0, 2), (3, 0, 3), (3, 1, 0))
"""Versions whose table separates items of a label by dots although they are not exploded."""


class Reader:
    """Reads values by style and schema.

    Args:
        schemas: Answers about schemas.
        version: Of the document.
    """

    def __init__(self, schemas, version):
        self.schemas = schemas
        self.version = version

    def read_path(self, field, raw):
        """Return the readings of a path parameter's raw text."""
        if field.style == "matrix":
            return self._read_matrix(field, raw)
        if field.style == "label":
            if not raw.startswith("."):
                return []
            raw = raw[1:]
            if field.explode:
                return self.read_flat(field, raw, ".", pairs="=", decode=unquote)
            found = self.read_flat(field, raw, ",", decode=unquote)
            if self.version in OLD_LABELS and "," not in raw:
                found += self.read_flat(field, raw, ".", decode=unquote)
            return found
        if field.style in ("spaceDelimited", "pipeDelimited", "tabDelimited"):
            return self.read_delimited(field, raw)
        pairs = "=" if field.explode else ""
        return self.read_flat(field, raw, ",", pairs=pairs, decode=unquote)

    def _read_matrix(self, field, raw):
        if not raw.startswith(";"):
            return []
        pieces = [piece.partition("=") for piece in raw[1:].split(";")]
        kinds = self.schemas.kinds(field.schema)
        found = []
        named = [value for name, _, value in pieces if unquote(name) == field.name]
        if len(pieces) == len(named):
            if field.explode:
                if "array" in kinds:
                    found.append([self._item(field.schema, unquote(text), n) for n, text in enumerate(named)])
                if len(named) == 1 and kinds & SCALARS:
                    found.append(Text(unquote(named[0]), kinds & SCALARS))
                return found
            if len(named) == 1:
                found += self.read_flat(field, named[0], ",", decode=unquote)
        if field.explode and "object" in kinds:
            found.append(self._object(field.schema, [(unquote(n), unquote(v)) for n, _, v in pieces]))
        return found

    def read_flat(self, field, raw, delimiter, *, pairs="", decode):
        """Read one text as scalar, as list, and as object, whichever the schema allows.

        Args:
            pairs: What stands between name and value of an exploded object; empty: they alternate.
            decode: Undoes percent-encoding, after the text was split.
        """
        kinds = self.schemas.kinds(field.schema)
        found = []
        if kinds & SCALARS:
            found.append(Text(decode(raw), kinds & SCALARS))
        pieces = raw.split(delimiter) if raw else []
        if "array" in kinds:
            found.append([self._item(field.schema, decode(text), n) for n, text in enumerate(pieces)])
            if not raw:
                found.append([self._item(field.schema, "", 0)])
        if "object" in kinds:
            if pairs:
                cut = [piece.partition(pairs) for piece in pieces]
                named = [(name, value) for name, sign, value in cut if sign]
                whole = len(named) == len(pieces)
            else:
                named = list(zip(pieces[::2], pieces[1::2], strict=False))
                whole = len(pieces) % 2 == 0
            if whole:
                named = [(decode(name), decode(value)) for name, value in named]
                found.append(self._object(field.schema, named))
        return found

    def read_delimited(self, field, raw):
        """Read spaces, tabs or pipes, which RFC 3986 has percent-encoded, raw where a client left them so."""
        if field.style == "tabDelimited":
            raw = re.sub("%09", "\t", raw)
            return self.read_flat(field, raw, "\t", decode=unquote_plus)
        if field.style == "spaceDelimited":
            raw = raw.replace("%20", " ").replace("+", " ")
            return self.read_flat(field, raw, " ", decode=unquote)
        if "|" not in raw:
            raw = re.sub("%7[cC]", "|", raw)
        return self.read_flat(field, raw, "|", decode=unquote_plus)

    def read_pairs(self, field, pairs, decode=unquote_plus):
        """Read a query or form field from its raw pairs; an exploded object gets its own names.

        Args:
            pairs: Raw name and value of the pairs that belong to the field, in their order.
        """
        kinds = self.schemas.kinds(field.schema)
        if field.style == "deepObject":
            return self._read_deep(field, [(decode(name), decode(value)) for name, value in pairs])
        if field.style != "form" and not field.explode:
            return self.read_delimited(field, pairs[0][1]) if len(pairs) == 1 else []
        if not field.explode:
            return self.read_flat(field, pairs[0][1], ",", decode=decode) if len(pairs) == 1 else []
        found = []
        own = [value for name, value in pairs if decode(name) == field.name]
        if own and len(own) == len(pairs):
            if len(own) == 1 and kinds & SCALARS:
                found.append(Text(decode(own[0]), kinds & SCALARS))
            if "array" in kinds:
                found.append([self._item(field.schema, decode(text), n) for n, text in enumerate(own)])
            if field.style in ("spaceDelimited", "pipeDelimited") and len(own) == 1:
                found += self.read_delimited(field, own[0])
        if "object" in kinds:
            found.append(self._object(field.schema, [(decode(n), decode(v)) for n, v in pairs]))
        return found

    def _read_deep(self, field, pairs):
        """Read ``name[a][b]=v``; lists as repeated names, ``[]`` or numbers, which the table leaves open."""
        tree = {}
        for name, value in pairs:
            if name == field.name:
                if self.schemas.kinds(field.schema) & SCALARS and len(pairs) == 1:
                    return [Text(value, self.schemas.kinds(field.schema) & SCALARS)]
                tree.setdefault("", []).append(value)
                continue
            keys = [key[:-1] if key.endswith("]") else None for key in _brackets(name, field.name)]
            if None in keys:
                return []
            node = tree
            for key in keys[:-1]:
                node = node.setdefault(key, {})
                if not isinstance(node, dict):
                    return []
            last = node.setdefault(keys[-1], [])
            if not isinstance(last, list):
                return []
            last.append(value)
        return self._grown(field.schema, tree)

    def _grown(self, schema, node):
        """Return the readings of a tree of bracketed names."""
        kinds = self.schemas.kinds(schema)
        found = []
        if isinstance(node, list):
            if len(node) == 1:
                found.append(Text(node[0], kinds))
            if "array" in kinds:
                found.append([self._item(schema, text, n) for n, text in enumerate(node)])
            return found
        if "array" in kinds and node and all(key == "" or key.isdigit() for key in node):
            ordered = sorted(node.items(), key=lambda pair: int(pair[0] or 0))
            items = []
            for key, value in ordered:
                if key == "" and isinstance(value, list):
                    items += [self._item(schema, text, n) for n, text in enumerate(value)]
                else:
                    items.append(self._first(self.schemas.items(schema, len(items)), value))
            found.append(items)
        if "object" in kinds:
            found.append(
                {name: self._first(self.schemas.property(schema, name), one) for name, one in node.items()}
            )
        return found

    def _first(self, schema, node):
        found = self._grown(schema, node)
        if isinstance(node, list) and len(node) == 1 and len(found) == 2:
            return Either(found)
        return found[0] if found else Either(())

    def _item(self, schema, text, position):
        return Text(text, self.schemas.kinds(self.schemas.items(schema, position)))

    def _object(self, schema, pairs):
        found = {}
        for name, text in pairs:
            one = self.schemas.property(schema, name)
            kinds = self.schemas.kinds(one)
            if name in found:
                earlier = found[name]
                earlier = earlier if isinstance(earlier, list) else [earlier]
                found[name] = [*earlier, self._item(one, text, len(earlier))]
            else:
                found[name] = Text(text, kinds)
        return found


class Either(Text):
    """Several readings of one node, all of them allowed."""

    def __init__(self, found):
        super().__init__("")
        object.__setattr__(self, "found", tuple(found))

    def readings(self):
        """Return the readings, with texts typed one by one."""
        from .values import typed

        found = []
        for one in self.found:
            found += one.readings() if isinstance(one, Text) else [typed(one)]
        return found


def _brackets(name, start):
    """Return ``a]``, ``b]`` of ``name[a][b]``."""
    return name[len(start) + 1 :].split("[") if name.startswith(f"{start}[") else [""]
