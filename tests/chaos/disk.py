"""A small disk of its own, for a database: it can be filled, and it can stop answering for a while.

An ext4 file system in a file, mounted by a loop device in a mount namespace of this process: the mount ends with this
process and its children. It is filled by a file that takes all that is left. Slowness comes from freezing the file
system (`fsfreeze`): every write and fsync waits until it is thawed; reads go on. A child freezes and thaws, so that it
is thawed even if this process is killed. Needs root, `mkfs.ext4` and loop devices.
"""

import ctypes
import errno
import os
import subprocess
from contextlib import suppress
from typing import Final

from tests.servers.process import new_folder, unprivileged

MEGABYTE: Final = 1 << 20
_CHUNKS: Final = (16 * MEGABYTE, MEGABYTE, 4096)
_CLONE_NEWNS: Final = 0x20000
_FREEZE: Final = 'fsfreeze --freeze "$1" && { sleep "$2"; fsfreeze --unfreeze "$1"; }'


class SmallDisk:
    """A mounted file system of so many megabytes. `path` is its root."""

    def __init__(self, megabytes: int) -> None:
        self._folder = new_folder("disk")
        self.path = self._folder / "mounted"
        self.path.mkdir()
        image = self._folder / "image"
        with image.open("wb") as file:
            file.truncate(megabytes * MEGABYTE)
        _leave_namespace()
        # Nothing is reserved for root: full is full for every account.
        _run("mkfs.ext4", "-q", "-F", "-m", "0", image)
        _run("mount", "-o", "loop", image, self.path)
        if (account := unprivileged()) is not None:
            for place in (self._folder, self.path):
                os.chown(place, account.uid, account.gid)
        self._ballast = self.path / "ballast"

    @property
    def free(self) -> int:
        """Bytes that are left."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Take all that is left. Repeat it while something else frees space."""
        with self._ballast.open("ab") as file:
            for chunk in _CHUNKS:
                while _allocated(file.fileno(), chunk):
                    pass

    def empty(self) -> None:
        """Give back what `fill` has taken."""
        self._ballast.unlink(missing_ok=True)

    def freeze(self, seconds: float) -> None:
        """Answer no write for so long."""
        _run("/bin/sh", "-c", _FREEZE, "freeze", self.path, seconds)

    def close(self) -> None:
        """Unmount and remove it. What used it must have ended."""
        _run("umount", "--lazy", self.path)
        (self._folder / "image").unlink()
        self.path.rmdir()
        self._folder.rmdir()


def _allocated(descriptor: int, size: int) -> bool:
    with suppress(InterruptedError):
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
    return True


def _leave_namespace() -> None:
    """Give this thread and the processes that it starts a mount namespace of their own. Raises OSError without root."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        code = ctypes.get_errno()
        raise OSError(code, f"faults of disks need root: {os.strerror(code)}")
    _run("mount", "--make-rprivate", "/")


def _run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)
