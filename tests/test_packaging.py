"""The distributions: in step with each other, and whole when they are built and installed."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import toolhaft
from toolhaft.settings import bundled_specs, load_settings

ROOT = Path(__file__).resolve().parent.parent
CORE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGINS = {path.parent.name: path for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))}
SERIES = ".".join(toolhaft.__version__.split(".")[:2])


def test_the_core_has_one_version():
    assert CORE["project"]["version"] == toolhaft.__version__


def test_every_entry_point_and_script_of_the_core_is_there():
    targets = [*CORE["project"]["entry-points"]["toolhaft"].values(), *CORE["project"]["scripts"].values()]
    for target in targets:
        module, _, name = target.partition(":")
        path = ROOT / "core" / (module.replace(".", "/") + ".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not name or name in {getattr(node, "name", "") for node in tree.body}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_one_word_in_four_places_and_in_step_with_the_core(name):
    project = tomllib.loads(PLUGINS[name].read_text(encoding="utf-8"))["project"]
    assert project["name"] == f"toolhaft-{name}"
    assert project["entry-points"]["toolhaft"] == {name: f"toolhaft_{name}.plugin"}
    assert project["version"] == toolhaft.__version__
    assert f"toolhaft=={SERIES}.*" in project["dependencies"]
    assert project["requires-python"] == CORE["project"]["requires-python"]
    folder = PLUGINS[name].parent
    assert (folder / "src" / f"toolhaft_{name}" / "plugin.py").is_file()
    assert (folder / "src" / f"toolhaft_{name}" / "py.typed").is_file()
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# toolhaft-{name}\n")
    assert list((folder / "tests").glob("test_*.py"))


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_an_extra_and_in_the_development_set(name):
    extras = CORE["project"]["optional-dependencies"]
    own = tomllib.loads(PLUGINS[name].read_text(encoding="utf-8"))["project"].get("optional-dependencies", {})
    assert set(own) <= {"onnx", "qdrant", "torch"}
    first = f"[{next(iter(own))}]" if own else ""  # the lightest that works stands first
    assert extras[name] == [f"toolhaft-{name}{first}=={SERIES}.*"]
    whole = f"[{','.join(own)}]" if own else ""
    developed = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert f"-e plugins/{name}{whole}" in developed


def test_the_extra_all_takes_in_every_other():
    extras = CORE["project"]["optional-dependencies"]
    (wanted,) = extras["all"]
    named = re.fullmatch(r"toolhaft\[(.*)\]", wanted)[1].split(",")
    assert sorted(named) == sorted(set(extras) - {"all"})


def test_the_core_depends_on_nothing_heavy():
    heavy = {"numpy", "torch", "transformers", "scipy", "pandas", "starlette", "uvicorn"}
    names = {re.match(r"[\w.-]+", each)[0].lower() for each in CORE["project"]["dependencies"]}
    assert not names & heavy


def test_bundled_specs_are_found_in_the_repository_and_where_the_environment_says(tmp_path):
    assert bundled_specs(load_settings({})) == ROOT / "tool_specs"
    chosen = load_settings({"TOOLHAFT_TOOL_SPECS": str(tmp_path)})
    assert bundled_specs(chosen) == tmp_path
    with pytest.raises(toolhaft.ToolhaftError, match="the bundled tool specs are missing"):
        bundled_specs(load_settings({"TOOLHAFT_TOOL_SPECS": str(tmp_path / "no")}))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Build the wheels of the core and of every plugin, without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "-w", str(folder), "."]
    run([*command, *(f"./plugins/{name}" for name in PLUGINS)], cwd=ROOT)
    return {path.name.split("-")[0]: path for path in folder.glob("*.whl")}


def run(command, **options):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_environment(folder, *built):
    """Make an environment with the given wheels, and the libraries of this one behind them."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", f"--python={python}", "install", "-q", "--no-deps", "--no-index"]
    run([*command, "--disable-pip-version-check", *map(str, built)])
    (site,) = folder.glob("lib/python*/site-packages")
    behind = folder / "libraries"
    behind.mkdir()
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if not entry.name.startswith(("toolhaft", "_editable")):  # the editable installs stay out
            (behind / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{behind}\n")
    return folder / "bin"


@pytest.mark.packaging
@pytest.mark.slow
def test_wheels_hold_the_package_its_types_and_its_data(wheels):
    assert sorted(wheels) == ["toolhaft", *(f"toolhaft_{name}" for name in PLUGINS)]
    held = set(zipfile.ZipFile(wheels["toolhaft"]).namelist())
    tracked = run(["git", "ls-files", "core/toolhaft", "tool_specs"], cwd=ROOT).splitlines()
    expected = {name.removeprefix("core/") for name in tracked if name.startswith("core/")}
    expected |= {f"toolhaft/{name}" for name in tracked if name.startswith("tool_specs/")}
    assert expected <= held
    foreign = {name.split("/")[0] for name in held} - {
        "toolhaft",
        f"toolhaft-{toolhaft.__version__}.dist-info",
    }
    assert not foreign
    assert not [name for name in held if "test" in name.split("/")[1] and "testing" not in name]
    for name in PLUGINS:
        held = zipfile.ZipFile(wheels[f"toolhaft_{name}"]).namelist()
        assert f"toolhaft_{name}/plugin.py" in held
        assert {each.split("/")[0].split("-")[0] for each in held} == {f"toolhaft_{name}"}


@pytest.mark.packaging
@pytest.mark.slow
def test_the_core_works_alone_and_with_its_plugins_once_installed(wheels, tmp_path):
    alone = make_environment(tmp_path / "alone", wheels["toolhaft"])
    where = "import toolhaft, toolhaft.settings as s; print(toolhaft.__file__); print(s.bundled_specs())"
    package, specs = run([alone / "python", "-c", where], cwd=tmp_path).splitlines()
    assert package.startswith(str(tmp_path))
    assert Path(specs) == Path(package).parent / "tool_specs"
    listed = run([alone / "toolhaft", "plugins", "list"], cwd=tmp_path)
    assert f"toolhaft {toolhaft.__version__}" in listed
    every = make_environment(tmp_path / "all", *wheels.values())
    listed = run([every / "toolhaft", "plugins", "list"], cwd=tmp_path)
    assert "FAILED" not in listed
    assert all(f"toolhaft-{name} {toolhaft.__version__}" in listed for name in PLUGINS)


@pytest.mark.packaging
@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_works_beside_the_core_alone(wheels, tmp_path, name):
    place = make_environment(tmp_path / "place", wheels["toolhaft"], wheels[f"toolhaft_{name}"])
    listed = run([place / "toolhaft", "plugins", "list"], cwd=tmp_path)
    assert f"toolhaft-{name} {toolhaft.__version__}" in listed
    assert "FAILED" not in listed
    assert not [other for other in PLUGINS if other != name and f"toolhaft-{other} " in listed]
    findings = json.loads(run([place / "toolhaft", "plugins", "check", name, "--json"], cwd=tmp_path))
    # A model that is a folder cannot be made without one: the check says so, as a warning.
    assert findings["healthy"]
    assert {found["check"] for found in findings["findings"][name]} <= {"factory"}
