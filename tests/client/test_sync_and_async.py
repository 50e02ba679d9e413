"""Sync and async offer the same."""

import inspect

from cognomen_client import AsyncClient, Client

RENAMED = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def test_both_clients_have_the_same_methods_with_the_same_parameters_and_words():
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        other = getattr(AsyncClient, RENAMED.get(name, name))
        ours, theirs = list(inspect.signature(method).parameters), list(inspect.signature(other).parameters)
        assert [p for p in theirs if p != "concurrency"] == ours, name
        assert other.__doc__ == method.__doc__, name
