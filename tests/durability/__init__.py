"""Proof that nothing acknowledged is lost; ``python -m tests.durability --help`` says how to run the long form."""
