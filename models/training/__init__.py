"""Fits the other rooms of this floor. Serving never imports it."""
