"""A model in a folder: answers, streams, stops, shares, and takes part in rollouts."""

import asyncio
import dataclasses
import json
import subprocess
import sys

import pytest

from toolhaft import Agent
from toolhaft.errors import ModelError
from toolhaft.hooks import Registry
from toolhaft.testing import CannedTool, tool_spec
from toolhaft.types import Message, ToolCall
from toolhaft_local.model import LocalModel

pytestmark = pytest.mark.slow

ASKED = (Message(role="system", text="Be brief."), Message(role="user", text="Umbrella in Oslo?"))
TOOLS = (tool_spec("weather"),)


@pytest.fixture(scope="session")
def model(tiny):
    """One model that several tests share, as several rollouts do."""
    return LocalModel(str(tiny), max_tokens=40, temperature=1.0)


def said(completion):
    """Return a completion without what differs from one run to the next: its ids and its seconds."""
    calls = tuple(dataclasses.replace(call, id="") for call in completion.calls)
    usage = dataclasses.replace(completion.usage, seconds=0)
    return dataclasses.replace(completion, calls=calls, usage=usage)


@pytest.mark.anyio
async def test_the_same_seed_says_the_same_and_another_something_else(model, tiny):
    first = await model.complete(ASKED, TOOLS, seed=7)
    assert said(await model.complete(ASKED, TOOLS, seed=7)) == said(first)
    assert said(
        await LocalModel(str(tiny), max_tokens=40, temperature=1.0, seed=7).complete(ASKED, TOOLS)
    ) == said(first)
    assert (await model.complete(ASKED, TOOLS, seed=8)).text != first.text


@pytest.mark.anyio
async def test_greedy_needs_no_seed(tiny):
    model = LocalModel(str(tiny), max_tokens=12)
    first, second = await model.complete(ASKED, seed=1), await model.complete(ASKED, seed=2)
    assert said(first) == said(second)
    almost_greedy = LocalModel(str(tiny), max_tokens=12, temperature=1.0, top_p=1e-9)
    assert said(await almost_greedy.complete(ASKED, seed=3)) == said(first)


@pytest.mark.anyio
@pytest.mark.parametrize("constrained", ["auto", "calls", "off"])
@pytest.mark.parametrize("seed", range(4))
async def test_streaming_says_what_is_said_without(model, tiny, seed, constrained):
    model = LocalModel(str(tiny), max_tokens=60, temperature=1.0, constrained=constrained)
    pieces = []
    streamed = await model.complete(ASKED, TOOLS, seed=seed, on_delta=pieces.append)
    assert "".join(pieces) == streamed.text
    assert said(streamed) == said(await model.complete(ASKED, TOOLS, seed=seed))
    assert constrained == "calls" or len(pieces) > 3


@pytest.mark.anyio
async def test_usage_is_counted_in_the_models_tokens(model):
    loaded, prompter = model._open()
    completion = await model.complete(ASKED, TOOLS, seed=1, max_tokens=5)
    assert completion.usage.input_tokens == len(prompter.prompt(ASKED, TOOLS, ()))
    assert completion.usage.output_tokens == 5
    assert completion.usage.model_calls == 1
    assert completion.usage.seconds > 0
    assert completion.finish == "length"
    assert completion.origin == "model"
    assert loaded.context == 8192


@pytest.mark.anyio
async def test_an_answer_may_end_by_itself(tiny):
    model = LocalModel(str(tiny), max_tokens=4_000, temperature=1.0)
    completion = await model.complete(ASKED, seed=0)
    assert completion.finish == "stop"
    assert "<|im_end|>" not in completion.text


@pytest.mark.anyio
async def test_a_call_that_the_limit_cuts_is_malformed_and_not_completed(tiny):
    model = LocalModel(str(tiny), max_tokens=12, temperature=1.0, constrained="calls")
    completion = await model.complete(ASKED, TOOLS, seed=0)
    (call,) = completion.calls
    assert completion.finish == "length"
    assert call.problem
    assert call.arguments == {}


@pytest.mark.anyio
async def test_a_prompt_that_is_too_long_is_refused_with_its_length(tmp_path):
    from toolhaft_local.tiny import write_tiny_model

    model = LocalModel(str(write_tiny_model(tmp_path / "short", context=64, hidden=16, layers=1)))
    with pytest.raises(
        ModelError, match=r"the prompt is (\d+) tokens long and the model reads 64: (\d+) too many"
    ):
        await model.complete([Message(role="user", text="word " * 100)])
    completion = await model.complete([Message(role="user", text="hi")], max_tokens=1_000)
    assert completion.usage.input_tokens + completion.usage.output_tokens <= 64


@pytest.mark.anyio
async def test_a_question_that_is_taken_back_ends_between_two_tokens(tiny):
    model = LocalModel(str(tiny), max_tokens=100_000, temperature=1.0, constrained="calls")
    endless = (
        tool_spec(
            "say",
            parameters={
                "type": "object",
                "properties": {"t": {"type": "string", "minLength": 9_000}},
                "required": ["t"],
            },
        ),
    )
    task = asyncio.create_task(model.complete(ASKED, endless))
    await asyncio.sleep(0.3)
    waiting = asyncio.create_task(model.complete(ASKED, TOOLS))
    await asyncio.sleep(0.1)
    for each in (task, waiting):
        each.cancel()
        with pytest.raises(asyncio.CancelledError):
            await each
    async with asyncio.timeout(5):
        assert (await model.complete(ASKED, TOOLS, max_tokens=3)).usage.output_tokens == 3


@pytest.mark.anyio
async def test_questions_at_once_are_answered_as_one_after_the_other(model):
    alone = [said(await model.complete(ASKED, TOOLS, seed=seed)) for seed in range(6)]
    together = await asyncio.gather(*(model.complete(ASKED, TOOLS, seed=seed) for seed in range(6)))
    assert [said(completion) for completion in together] == alone


@pytest.mark.anyio
async def test_what_was_tried_is_told(model):
    _, prompter = model._open()
    avoid = (ToolCall(id="1", name="weather", arguments={"city": "Bergen"}),)
    prompt = prompter._tokenizer.decode(prompter.prompt(ASKED, TOOLS, avoid))
    assert 'weather({"city":"Bergen"})' in prompt
    assert "Do something else now" in prompt


@pytest.mark.anyio
async def test_closing_lets_go_of_the_weights_and_the_next_question_loads_them(tiny):
    model = LocalModel(str(tiny), max_tokens=3)
    first = await model.complete(ASKED)
    await model.close()
    assert model._loaded is None
    assert said(await model.complete(ASKED)) == said(first)


@pytest.mark.anyio
async def test_what_a_listener_raises_does_not_hang_the_answer(model):
    seen = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))

    def listen(piece):
        raise ZeroDivisionError

    completion = await model.complete(ASKED, seed=1, on_delta=listen)
    asyncio.get_running_loop().set_exception_handler(None)
    assert completion.text
    assert seen


@pytest.mark.anyio
@pytest.mark.parametrize("planner", ["react", "dfsdt"])
async def test_a_random_model_goes_through_a_whole_rollout(tiny, planner):
    model = LocalModel(str(tiny), max_tokens=600, temperature=1.0, constrained="calls")
    tool = CannedTool(tool_spec("weather"), {"forecast": "rain"})
    agent = Agent([tool], model=model, planner=planner, budget={"model_calls": 3}, allow="read", seed=5)
    run = await agent.run("Umbrella in Oslo?")
    observations = run.trajectory.observations()
    assert any(not observation.failed for observation in observations)
    assert run.trajectory.status in ("budget", "loop")
    assert run.trajectory.usage.output_tokens > 0


def test_the_registry_makes_it_without_torch(tiny):
    code = (
        "import sys; from toolhaft.hooks import Registry;"
        f"model = Registry.load().model('hf:{tiny}', max_tokens=5); print(model.name);"
        "print([name for name in ('torch', 'transformers', 'numpy', 'llguidance') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [f"hf:{tiny}", "[]"]


def test_the_shell_lists_and_runs_it(tiny, tmp_path):
    (tmp_path / "tools.py").write_text(
        "from toolhaft import tool\n\n\n@tool(effect='read')\ndef weather(city: str) -> str:\n"
        '    """Weather of a city."""\n    return "rain"\n'
    )

    def shell(*words):
        return subprocess.run(
            [sys.executable, "-m", "toolhaft", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )

    assert "hf" in shell("models", "list").stdout
    words = ("run", "Rain in Oslo?", "--tools", "tools.py", "--model", f"hf:{tiny}", "--json")
    done = shell(*words, "--budget", "model_calls=2")
    assert done.returncode in (0, 3), done.stdout
    record = json.loads((tmp_path / json.loads(done.stdout)["record"]).read_text().splitlines()[0])
    assert f"hf:{tiny}" in json.dumps(record)
    assert json.dumps(record).count('"output_tokens": 0') == 0
    refused = shell(*words[:-2], "hf:nowhere/at-all")
    assert refused.returncode == 2
    assert "never downloaded" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_registry_knows_its_settings(tiny):
    registry = Registry.load()
    with pytest.raises(Exception, match="takes no setting 'temprature'"):
        registry.model(f"hf:{tiny}", temprature=1)
