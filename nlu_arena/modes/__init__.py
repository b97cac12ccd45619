"""How a model is asked to do a task: one module for each way."""
