"""The scan: one MIDI file's bytes -> the facts of a song, or a named reason why not.

Pure functions of bytes: nothing here opens a file, reads the clock, or talks to a database. Whatever the bytes are, a
scan ends, in time and memory linear in their size.
"""
