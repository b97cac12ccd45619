"""What goes wrong on a task: which texts, for whom, of what kind, and whether the gold label is to blame."""
