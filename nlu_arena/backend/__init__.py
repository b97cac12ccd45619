"""The numerical engine: the only code that imports torch, transformers, peft and datasets."""
