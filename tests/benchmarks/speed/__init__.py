"""The speed of this package beside what people would use instead (`python -m tests.benchmarks.speed`)."""
