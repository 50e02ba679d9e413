"""The meaning: concepts, mentions, decisions. Knows no HTTP."""
