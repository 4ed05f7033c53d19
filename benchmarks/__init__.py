"""What we measure, one command each: `python -m benchmarks.NAME`."""
