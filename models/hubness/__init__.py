"""Neighbours to fairer neighbours: corrections for hubs."""
