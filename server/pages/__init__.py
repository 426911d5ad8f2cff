"""The pages that people see, drawn by the server: complete without scripts, better with them."""

from server.pages.rendering import Site

__all__ = ["Site"]
