"""nlu-arena: fine-tune, prompt or adapt: which model, used how, is best for short-text classification."""
