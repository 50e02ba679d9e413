"""Datasheet → its parameters, each with value, unit, condition and page. After D2S-FLOW (Chen et al. 2025)."""
