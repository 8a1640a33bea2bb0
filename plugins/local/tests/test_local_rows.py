"""Training rows: what the template writes of them is read back as the same calls."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolhaft.generators.rows import call_row
from toolhaft.testing import tool_spec
from toolhaft.types import Gold, Task, ToolCall
from toolhaft_local.calls import read_answer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(
    ["</tool_call>", "<tool_call>{}", "<|im_end|>", "[TOOL_CALLS]", "{{ x }}", '"}}', "```"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CALLS = st.lists(
    st.tuples(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True),
        st.dictionaries(TEXT, VALUES, max_size=3),
    ),
    min_size=1,
    max_size=3,
)


@pytest.fixture(scope="module")
def tokenizer(tiny):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(tiny), local_files_only=True)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=CALLS)
def test_calls_of_a_row_are_read_back_from_its_rendering(tokenizer, made):
    calls = tuple(
        ToolCall(id=f"gold-{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(made)
    )
    task = Task(id="t", instruction="Do it.", gold=Gold(tools=(), calls=calls))
    row = call_row(task, [tool_spec("f")])
    shown = tokenizer.apply_chat_template(row["messages"], tools=row["tools"], tokenize=False)
    turn = shown.partition("<|im_start|>assistant\n")[2].strip().removesuffix("<|im_end|>")
    read = [(call.name, call.parsed.arguments) for call in read_answer(turn, offered=True).calls]
    assert read == made
