"""The error rates that every test here is built for."""

# The share of false alarms that a test may give, and how often a real gap is to be found.
LEVEL = 0.05
POWER = 0.8
