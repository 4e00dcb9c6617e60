"""Why something local cannot run; each text is one sentence for the person who started it."""


class CannotRunError(Exception):
    """The command ends with status 2 and this text."""


class PortTakenError(CannotRunError):
    """Somebody else listens on the port that was asked for."""


class EmulatorMissingError(CannotRunError):
    """There is no Firestore emulator on this machine, or no Java to run it."""


class ChildFailedError(CannotRunError):
    """A child process ended, or did not answer in time; the text carries the end of what it printed."""
