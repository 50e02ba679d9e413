"""Queries to neighbours."""
