"""What can go wrong with MIDI files for reasons the user can mend: one clear sentence, what is wrong, what to do."""


class SourceError(Exception):
    """The source as a whole cannot be listed or read. The message is shown as it is, without a traceback."""


class ObjectUnreadable(Exception):
    """One object of a source cannot be read; the others can."""
