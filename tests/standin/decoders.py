"""Tiny decoders in the file formats of the real ones."""

from __future__ import annotations

from tests.standin import vocabularies
from tests.standin.vocabularies import to_json
from tests.standin.weights import SPREAD, Files, cast, write_safetensors, write_shards


def build_qwen(hidden_size: int, seed: int) -> Files:
    """Return Qwen2: bfloat16, the output tied to the embeddings and not written."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    files = vocabularies.build_qwen_files()
    added = _added_ids(files)
    config = {
        "architectures": ["Qwen2ForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": added["<|endoftext|>"],
        "eos_token_id": added["<|im_end|>"],
        "hidden_act": "silu",
        "hidden_size": hidden_size,
        "initializer_range": SPREAD,
        "intermediate_size": 64,
        "max_position_embeddings": 32768,
        "max_window_layers": 21,
        "model_type": "qwen2",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "sliding_window": 32768,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.40.1",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": vocabularies.count_ids(files) + 29,
    }
    generation = {
        "bos_token_id": added["<|endoftext|>"],
        "pad_token_id": added["<|endoftext|>"],
        "do_sample": True,
        "eos_token_id": [added["<|im_end|>"], added["<|endoftext|>"]],
        "repetition_penalty": 1.1,
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 20,
        "transformers_version": "4.37.0",
    }
    torch.manual_seed(seed)
    weights = write_safetensors(cast(Qwen2ForCausalLM(Qwen2Config(**config))))
    return {
        "LICENSE": b"none\n",
        "config.json": to_json(config),
        "generation_config.json": to_json(generation),
        "model.safetensors": weights,
    } | files


def build_gemma() -> Files:
    """Return Gemma 2: soft caps, a sliding window, two shards with an index."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    files = vocabularies.build_gemma_files()
    config = {
        "architectures": ["Gemma2ForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "attn_logit_softcapping": 50.0,
        "bos_token_id": 2,
        "cache_implementation": "hybrid",
        "eos_token_id": 1,
        "final_logit_softcapping": 30.0,
        "head_dim": 8,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": 32,
        "initializer_range": SPREAD,
        "intermediate_size": 64,
        "max_position_embeddings": 8192,
        "model_type": "gemma2",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "pad_token_id": 0,
        "query_pre_attn_scalar": 8,
        "rms_norm_eps": 1e-06,
        "rope_theta": 10000.0,
        # Shorter than the prompts, as 4096 tokens never are: the window must have something to cut off.
        "sliding_window": 32,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.42.4",
        "use_cache": True,
        "vocab_size": vocabularies.count_ids(files),
    }
    ends = [1, _added_ids(files)["<end_of_turn>"]]
    generation = {"_from_model_config": True, "bos_token_id": 2, "eos_token_id": ends, "pad_token_id": 0}
    torch.manual_seed(5)
    state = cast(Gemma2ForCausalLM(Gemma2Config(**config)))
    return {
        "config.json": to_json(config),
        "generation_config.json": to_json({**generation, "cache_implementation": "hybrid"}),
        **write_shards(state),
    } | files


def _added_ids(files: Files) -> dict[str, int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(files["tokenizer.json"].decode())
    return {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
