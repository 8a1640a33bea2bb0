"""The data that everything else passes around: frozen, slotted, and JSON both ways.

``to_json`` and ``from_json`` work on every type here. Records that stand alone in a file carry
``format``; a newer one than this version knows is refused.
"""

from toolhaft.types.codec import FORMAT, from_json, from_value, to_json, to_value
from toolhaft.types.comparison import ArmResult, Comparison, Pairing, Proportion
from toolhaft.types.content import (
    Artifact,
    ArtifactPart,
    Derivation,
    ErrorInfo,
    Exchange,
    JSONPart,
    Observation,
    Part,
    Provenance,
    TextPart,
)
from toolhaft.types.event import (
    CallFinished,
    CallStarted,
    Event,
    RolloutFinished,
    RolloutStarted,
    StepFinished,
    TextDelta,
    ToolsRetrieved,
)
from toolhaft.types.message import Completion, Finish, Message, Origin, Role, Usage
from toolhaft.types.prediction import Prediction
from toolhaft.types.secret import SecretRef
from toolhaft.types.task import Budget, Gold, Score, Task
from toolhaft.types.tool import Effect, Scored, ToolCall, ToolSpec
from toolhaft.types.trajectory import Status, Step, StepStatus, Trajectory

__all__ = [
    "FORMAT",
    "ArmResult",
    "Artifact",
    "ArtifactPart",
    "Budget",
    "CallFinished",
    "CallStarted",
    "Comparison",
    "Completion",
    "Derivation",
    "Effect",
    "ErrorInfo",
    "Event",
    "Exchange",
    "Finish",
    "Gold",
    "JSONPart",
    "Message",
    "Observation",
    "Origin",
    "Pairing",
    "Part",
    "Prediction",
    "Proportion",
    "Provenance",
    "Role",
    "RolloutFinished",
    "RolloutStarted",
    "Score",
    "Scored",
    "SecretRef",
    "Status",
    "Step",
    "StepFinished",
    "StepStatus",
    "Task",
    "TextDelta",
    "TextPart",
    "ToolCall",
    "ToolSpec",
    "ToolsRetrieved",
    "Trajectory",
    "Usage",
    "from_json",
    "from_value",
    "to_json",
    "to_value",
]
