"""The commands: `app` and one module for each; nothing here computes."""
