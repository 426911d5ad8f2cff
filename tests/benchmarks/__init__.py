"""Benchmarks of the service against a plain server and the fastest Node server: ``python -m tests.benchmarks``."""
