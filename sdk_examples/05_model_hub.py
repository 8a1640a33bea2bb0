"""Model cards as tools: found by what they do, their call written as code, and code read back."""

import json
import tempfile
from pathlib import Path

from toolhaft import open_catalog
from toolhaft_hub.calls import CallReader

rows = [
    {
        "domain": "Computer Vision Image Classification",
        "framework": "PyTorch",
        "functionality": "Image classification",
        "api_name": "leaf-net",
        "api_call": "torch.hub.load(repo_or_dir='acme/leaves', model='leaf_net', pretrained=True)",
        "performance": {"dataset": "Leaves-9", "accuracy": {"top_1": 81.5}, "Params (M)": 3.2},
        "description": "Tells which tree a leaf is from.",
    }
]
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "cards.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    models = open_catalog(f"hub:{path}")

print(models.report)
facts = models.spec("leaf-net").metadata["hub"]
print(facts["task"], facts["parameters"], facts["metrics"][0]["value"])
code = models.call_sync("leaf-net", pretrained=False)["code"]
print(code.splitlines()[-1])

reader = CallReader((name, models[name].card) for name in models)
call = reader.read("model = torch.hub.load(repo_or_dir='acme/leaves', model='leaf_net', pretrained=True)")
print(call.name, call.arguments)

# prints: 1 imported, 0 degraded, 0 skipped
# prints: image-classification 3200000 81.5
# prints: torch.hub.load(repo_or_dir='acme/leaves', model='leaf_net', pretrained=False)
# prints: leaf-net {'pretrained': True}
