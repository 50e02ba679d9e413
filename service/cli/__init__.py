"""`cognomen`: prepare, import, build, normalize, evaluate, describe, serve."""

from service.cli.main import app, main

__all__ = ["app", "main"]
