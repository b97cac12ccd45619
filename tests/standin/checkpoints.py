"""The model repositories: tiny models of the real architectures, in the file formats of the real ones."""

from __future__ import annotations

from tests.standin.decoders import build_gemma, build_qwen
from tests.standin.encoders import build_bert, build_deberta
from tests.standin.repository import Repository
from tests.standin.weights import Files

BERT = "google-bert/bert-base-uncased"
DEBERTA = "microsoft/deberta-v3-base"
QWEN_SMALL = "Qwen/Qwen2-0.5B-Instruct"
QWEN_LARGE = "Qwen/Qwen2-1.5B-Instruct"
GEMMA = "google/gemma-2-2b-it"
REVISIONS = {
    BERT: "86b5e0934494bd15c9632b12f734a8a67f723594",
    DEBERTA: "8ccc9b6f36199bec6961081d44eb72fb3f7353f3",
    QWEN_SMALL: "c540970f9e29518b1d8f06ab8b24cba66ad77b6d",
    QWEN_LARGE: "ba1cf1846d7df0a0591d6c00649f57e798519da8",
    GEMMA: "299a8560bedf22ed1c72a8a11e7dce4a7f9f51f8",
}


def build_models() -> list[Repository]:
    """Return the five model repositories of the full profile."""
    files = {
        BERT: build_bert(),
        DEBERTA: build_deberta(),
        QWEN_SMALL: build_qwen(hidden_size=32, seed=3),
        QWEN_LARGE: build_qwen(hidden_size=48, seed=4),
        GEMMA: build_gemma(),
    }
    return [
        Repository(name, REVISIONS[name], _card(name) | found, gated=name == GEMMA)
        for name, found in files.items()
    ]


def _card(name: str) -> Files:
    return {".gitattributes": b"*.bin filter=lfs\n", "README.md": f"# A stand-in for {name}\n".encode()}
