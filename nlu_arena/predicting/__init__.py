"""Labelling a file of texts with a finished run's model: everything but the model itself."""
