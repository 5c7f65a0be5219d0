"""What can go wrong for reasons the user can mend: one clear sentence, what is wrong and what to do."""


class JobError(Exception):
    """The job cannot go on. The message is shown as it is, without a traceback."""
