"""Benchmarks: each runs its peers beside us and prints ratios from one run, on one machine."""
