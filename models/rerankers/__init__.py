"""Pairs of texts to scores."""
