"""Tiny encoders in the file formats of the real ones."""

from __future__ import annotations

import io

from tests.standin import vocabularies
from tests.standin.vocabularies import to_json
from tests.standin.weights import SPREAD, Files, write_safetensors


def build_bert() -> Files:
    """Return BERT: a pretraining checkpoint whose layer norms still have their first names."""
    import torch
    from transformers import BertConfig, BertForPreTraining

    files = vocabularies.build_bert_files()
    config = {
        "architectures": ["BertForMaskedLM"],
        "attention_probs_dropout_prob": 0.1,
        "gradient_checkpointing": False,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 32,
        "initializer_range": SPREAD / 2,
        "intermediate_size": 64,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "bert",
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "transformers_version": "4.6.0.dev0",
        "type_vocab_size": 2,
        "use_cache": True,
        "vocab_size": vocabularies.count_ids(files),
    }
    torch.manual_seed(1)
    whole = BertForPreTraining(BertConfig(**config)).state_dict()
    tied = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias")
    names = {name: _first_name(name) for name in whole if name not in tied and "position_ids" not in name}
    other = ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "rust_model.ot", "model.onnx")
    nested = (
        "coreml/fill-mask/float32_model.mlpackage/Data/com.apple.CoreML/model.mlmodel",
        "onnx/model.onnx",
    )
    weights = write_safetensors({names[name]: whole[name] for name in names})
    return {"config.json": to_json(config), "model.safetensors": weights} | files | _unwanted(*other, *nested)


def _first_name(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def build_deberta() -> Files:
    """Return DeBERTa: a float16 pickle of a pretraining checkpoint, and a bare SentencePiece model."""
    import sentencepiece
    import torch
    from transformers import DebertaV2Config, DebertaV2Model

    files = vocabularies.build_deberta_files()
    pieces = sentencepiece.SentencePieceProcessor(model_proto=files["spm.model"])
    # More rows than pieces, as in the real one: [MASK] is added behind the last piece.
    rows = pieces.get_piece_size() + 100
    config = {
        "model_type": "deberta-v2",
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 32,
        "initializer_range": SPREAD / 2,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "relative_attention": True,
        "position_buckets": 256,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
        "layer_norm_eps": 1e-7,
        "max_relative_positions": -1,
        "position_biased_input": False,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "type_vocab_size": 0,
        "vocab_size": rows,
    }
    torch.manual_seed(2)
    encoder = DebertaV2Model(DebertaV2Config(**config)).state_dict()
    state = {f"deberta.{name}": weight for name, weight in encoder.items()} | {
        "lm_predictions.lm_head.bias": torch.zeros(rows),
        "mask_predictions.classifier.weight": torch.randn(1, 32),
        "mask_predictions.classifier.bias": torch.zeros(1),
    }
    for head in ("lm_predictions.lm_head", "mask_predictions"):
        state |= {f"{head}.dense.weight": torch.randn(32, 32), f"{head}.dense.bias": torch.zeros(32)}
        state |= {f"{head}.LayerNorm.weight": torch.ones(32), f"{head}.LayerNorm.bias": torch.zeros(32)}
    buffer = io.BytesIO()
    torch.save({name: weight.half() for name, weight in state.items()}, buffer)
    other = _unwanted("pytorch_model.generator.bin", "rust_model.ot", "tf_model.h5", "generator_config.json")
    return {"config.json": to_json(config), "pytorch_model.bin": buffer.getvalue()} | files | other


def _unwanted(*names: str) -> Files:
    """Return weights for other programs, which nobody here should fetch."""
    return {name: f"not for you: {name}\n".encode() * 64 for name in names}
