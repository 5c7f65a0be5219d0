"""The scan: one MIDI file's bytes -> the facts of a song, or a named reason why not.

Pure functions of bytes: nothing here opens a file, reads the clock, or talks to a database (job.py, which binds the
scan to the run ledger, is the exception). Whatever the bytes are, a scan ends, in time and memory linear in their size.
"""
