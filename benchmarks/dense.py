"""Measure the dense retriever: encoding, searching vectors, and finding tools.

python benchmarks/dense.py [encode] [scan] [find] [--texts N] [--sizes N,N] [--packages DIR] ...

``encode`` compares with sentence-transformers and with bare onnxruntime, the same texts in the same order;
``scan`` compares the search over vectors with faiss and usearch (``--packages`` names a site-packages folder
that has them); ``find`` compares what is found with BM25, on a set of search_sets.py.
Without a name all three run. What is compared is interleaved in one process, on one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

PARTS = ("encode", "scan", "find")
_NO_TORCH = (
    "import sys; from toolhaft_dense.encoder import Encoder; from toolhaft_dense.weights import find_encoder;"
    "Encoder(find_encoder(None)).encode(['a']);"
    "print([name for name in ('torch', 'transformers', 'sentence_transformers') if name in sys.modules])"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--set", default="toolbench", help="of search_sets.py, for find")
    parser.add_argument("--texts", type=int, default=512, help="encoded in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sizes", default="22897,100000", help="vectors; beyond the corpus they are resampled"
    )
    parser.add_argument("--queries", type=int, default=200, help="take the first N")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/toolhaft-bench").expanduser())
    parser.add_argument("--packages", type=Path, help="site-packages that has faiss and usearch")
    chosen = parser.parse_args()
    if chosen.packages:
        sys.path.append(str(chosen.packages))
    parts = chosen.parts or PARTS
    if "encode" in parts:
        import dense_encoding

        dense_encoding.compare(chosen.texts, chosen.rounds)
        done = subprocess.run([sys.executable, "-c", _NO_TORCH], capture_output=True, text=True, check=True)
        print(f"imported while encoding, of torch and transformers: {done.stdout.strip()}")
    if "scan" in parts:
        import dense_vectors

        sizes = [int(size) for size in chosen.sizes.split(",")]
        dense_vectors.compare(sizes, chosen.queries, chosen.cache)
    if "find" in parts:
        import dense_finding

        asyncio.run(dense_finding.compare(chosen.set, chosen.queries))


if __name__ == "__main__":
    main()
