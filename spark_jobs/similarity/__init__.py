"""The exact most similar songs of each song. The arithmetic is in integers, so that every machine, order and split of
the work gives the same bytes (docs/decisions/similarity.md)."""
