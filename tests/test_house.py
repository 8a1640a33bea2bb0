"""The rules of the house: what a reader may rely on in every file."""

import ast
import gc
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in (ROOT / "core/toolhaft", *ROOT.glob("plugins/*/src"))
    for path in folder.rglob("*.py")
    if "templates" not in path.parts
)


@pytest.fixture(scope="module")
def trees():
    """The parsed sources: read by the first test that asks, not by every worker that collects tests."""
    gc.disable()  # a million nodes, none of them garbage: looking through them again and again takes longest
    try:
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    finally:
        gc.freeze()
        gc.enable()


RULED = (
    ast.ClassDef,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Call,
    ast.Import,
    ast.ImportFrom,
    ast.ExceptHandler,
)
"""The kinds of node that some rule is about."""


@pytest.fixture(scope="module")
def nodes(trees):
    """Every node that some rule is about, with its file: one walk for all rules."""
    return [
        (path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, RULED)
    ]


LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONG_FILES: dict[str, str] = {}
"""Files beyond the guide value, each with its reason."""
LONG_FUNCTIONS: dict[str, str] = {}
"""Functions beyond the guide value, each with its reason."""

BANNED_WORDS = {"utils", "util", "helpers", "helper", "manager", "handler", "misc", "common"}
BANNED_CALLS = {
    "eval": "runs text as code",
    "exec": "runs text as code",
    "yaml.load": "makes any object; use the safe loader",
    "yaml.unsafe_load": "makes any object",
    "asyncio.wait_for": "can swallow a cancellation on Python 3.11; use asyncio.timeout",
    "torch.load": "runs what a pickle says; use safetensors",
    "os.system": "goes through a shell",
    "os.popen": "goes through a shell",
}
BANNED_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle"}
BROAD_EXCEPTS = {
    "core/toolhaft/tools/execute.py",
    "core/toolhaft/hooks/registry.py",
    "core/toolhaft/runs/batch.py",
}
"""Where foreign code is called, and whatever it raises must not end the rest."""
HANDED_OVER = {
    "core/toolhaft/tools/threads.py": "what a function raises in its thread is raised to whoever awaits it",
    "core/toolhaft/hooks/registry.py": "what a plugin raises at import is the verdict on it",
}
"""Where a ``BaseException`` is caught and handed over instead of raised again."""


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def functions(tree, inside=""):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{inside}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, inside)


def length(node):
    """Count the lines of a function, its docstring left out: that is never too long."""
    lines = node.end_lineno - node.lineno + 1
    first = node.body[0]
    return lines - (first.end_lineno - first.lineno + 1 if ast.get_docstring(node) else 0)


def test_there_is_something_to_check():
    assert len(SOURCES) > 50


def test_files_are_short():
    long = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    beyond = {name: lines for name, lines in long.items() if lines > LONGEST_FILE and name not in LONG_FILES}
    assert beyond == {}, f"split them, or give the reason in LONG_FILES: {beyond}"
    assert {name for name in LONG_FILES if long.get(name, 0) <= LONGEST_FILE} == set(), "no longer needed"


def test_functions_are_short(trees):
    long = {
        f"{name_of(path)}:{name}": length(node)
        for path, tree in trees.items()
        for name, node in functions(tree)
    }
    beyond = {
        name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION and name not in LONG_FUNCTIONS
    }
    assert beyond == {}, f"split them, or give the reason in LONG_FUNCTIONS: {beyond}"
    unneeded = {name for name in LONG_FUNCTIONS if long.get(name, 0) <= LONGEST_FUNCTION}
    assert unneeded == set(), "no longer needed"


def test_every_exception_to_a_rule_has_a_reason():
    for reasons in (LONG_FILES, LONG_FUNCTIONS, HANDED_OVER):
        assert all(len(reason.split()) > 3 for reason in reasons.values())


def words(name):
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_names_say_what_a_thing_is(nodes):
    found = [name_of(path) for path in SOURCES if words(path.stem) & BANNED_WORDS]
    for path, node in nodes:
        named = isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if named and words(node.name) & BANNED_WORDS:
            found.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert found == []


def dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def test_nothing_dangerous_is_called(nodes):
    found = []
    for path, node in nodes:
        if isinstance(node, ast.Call):
            called = dotted(node.func)
            if called in BANNED_CALLS:
                found.append(f"{name_of(path)}:{node.lineno} {called}: {BANNED_CALLS[called]}")
            found += [
                f"{name_of(path)}:{node.lineno} {keyword.arg}="
                for keyword in node.keywords
                if keyword.arg in ("shell", "trust_remote_code")
                and getattr(keyword.value, "value", None) is not False
            ]
        elif isinstance(node, ast.Import):
            found += [
                f"{name_of(path)}:{node.lineno} {name.name}"
                for name in node.names
                if name.name.split(".")[0] in BANNED_MODULES
            ]
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").split(".")[0] in BANNED_MODULES:
                found.append(f"{name_of(path)}:{node.lineno} {node.module}")
            if node.module == "asyncio" and any(name.name == "wait_for" for name in node.names):
                found.append(f"{name_of(path)}:{node.lineno} wait_for")
    assert found == []


def catches_everything(kind):
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or dotted(each).split(".")[-1] == "Exception" for each in kinds)


def test_broad_excepts_stand_in_three_files(nodes):
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path, node in nodes
        if isinstance(node, ast.ExceptHandler) and catches_everything(node.type)
    ]
    assert [place for place in found if place.rsplit(":", 1)[0] not in BROAD_EXCEPTS] == []


def test_base_exceptions_are_passed_on(nodes):
    """Whoever catches ``BaseException`` raises it again, or hands it to whoever waits."""
    found = []
    for path, node in nodes:
        if isinstance(node, ast.ExceptHandler) and node.type and dotted(node.type) == "BaseException":
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            if not raises and name_of(path) not in HANDED_OVER:
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


def module_of(path):
    parts = list(path.relative_to(ROOT).parts)
    parts = parts[1:] if parts[0] == "core" else parts[3:]
    parts[-1] = parts[-1].removesuffix(".py")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_at_once(tree):
    """Modules that are imported as soon as this one is: not in functions, not for type checkers alone."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            waiting += [*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]


def test_no_module_imports_itself_by_way_of_others(trees):
    modules = {module_of(path): tree for path, tree in trees.items()}
    imports = {
        name: {other for other in imported_at_once(tree) if other in modules}
        for name, tree in modules.items()
    }
    for name in imports:  # a package's own parts may be imported by it, and find it under way
        imports[name] = {other for other in imports[name] if not name.startswith(f"{other}.")}
    done: set[str] = set()

    def walk(name, path):
        if name in path:
            raise AssertionError(" -> ".join([*path[path.index(name) :], name]))
        if name not in done:
            for other in sorted(imports[name]):
                walk(other, [*path, name])
            done.add(name)

    for name in imports:
        walk(name, [])


def is_public(name):
    return not name.startswith("_")


def documented_things(tree, inside=""):
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and is_public(node.name):
            yield f"{inside}{node.name}", node
            yield from documented_things(node, f"{inside}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_public(node.name):
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            if not any(name in ("overload", "typing.overload", "override") for name in decorators):
                yield f"{inside}{node.name}", node


def test_everything_public_has_a_docstring(trees):
    found = []
    for path, tree in trees.items():
        if not ast.get_docstring(tree):
            found.append(name_of(path))
        if any(part.startswith("_") and part != "__init__.py" for part in path.parts[-2:]):
            continue
        for name, node in documented_things(tree):
            if not ast.get_docstring(node):
                found.append(f"{name_of(path)}:{node.lineno} {name}")
    assert found == []


def test_no_work_is_left_lying_about():
    """No notes to oneself in comments."""
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = []
    for path in SOURCES:
        if not marks.search(path.read_text(encoding="utf-8")):
            continue  # telling comments from strings takes its time
        with tokenize.open(path) as file:
            found += [
                f"{name_of(path)}:{token.start[0]} {token.string[:80]}"
                for token in tokenize.generate_tokens(file.readline)
                if token.type == tokenize.COMMENT and marks.search(token.string)
            ]
    assert found == []
