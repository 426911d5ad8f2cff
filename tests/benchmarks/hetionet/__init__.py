"""Hetionet v1.0 as a second domain: its own schema folder, and an importer of its TSV files."""
