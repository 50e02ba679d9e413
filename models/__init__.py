"""The numbers: texts to vectors, vectors to neighbours, neighbours to scores. Knows no concepts."""
