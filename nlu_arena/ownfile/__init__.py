"""A person's own files as a task: rows, labels, splits, words, and the manifest that keeps them."""
