"""Why the house does not start, each with its own exit code and one sentence for a person."""

from __future__ import annotations

from typing import ClassVar


class HouseRefusedError(Exception):
    """Root: the house cannot start or go on. The text says what happened and what to do."""

    exit_code: ClassVar[int] = 1


class BadSettingError(HouseRefusedError):
    """A setting of the operator makes no sense."""

    exit_code = 2


class PortTakenError(HouseRefusedError):
    """Another program listens on the port of the house, or the port may not be used."""

    exit_code = 3


class NoPermissionError(HouseRefusedError):
    """The data folder cannot be written."""

    exit_code = 4


class NoSpaceError(HouseRefusedError):
    """The disk of the data folder is full or nearly so."""

    exit_code = 5


class AlreadyRunningError(HouseRefusedError):
    """Another house runs in the same data folder."""

    exit_code = 6


class ProgramMissingError(HouseRefusedError):
    """A program the house is made of is not installed."""

    exit_code = 7


class PythonTooOldError(HouseRefusedError):
    """This Python is older than the code needs."""

    exit_code = 8


class UnsuitableProcessorError(HouseRefusedError):
    """MongoDB does not run on this machine's processor."""

    exit_code = 9
