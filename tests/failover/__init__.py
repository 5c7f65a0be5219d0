"""Faults at the database's primary under a writing client, and the ledger that says what became of each write.

writer.py runs in the cluster, on its own; the rest runs here and reaches the cluster by kubectl. Nothing is judged by
what the database says about itself: an acknowledgement is recorded where it was received.
"""
