"""The service: the library's graph over HTTP."""
