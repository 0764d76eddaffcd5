"""A disk whose power can be cut: an ext4 file system in a file, on a loop device.

A cut is the file system's own shutdown without a flush of its log (EXT4_IOC_SHUTDOWN with NOLOGFLUSH): from that
moment nothing reaches the disk, and what was not synced is gone when the file system is mounted again.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32) of Linux's include/uapi/linux/fs.h and of ext4."""
_WITHOUT_LOG_FLUSH = 2
UMOUNT_WAIT_S = 20.0


class CannotCut(Exception):
    """This machine has no such disk; the text says what is missing."""


class Disk:
    """A file system in `folder`, mounted at `folder/mounted`."""

    def __init__(self, folder: Path) -> None:
        self.image = folder / "disk.img"
        self.mounted = folder / "mounted"
        self._on = False

    def make(self, size_mib: int) -> None:
        """Makes and mounts it, and proves that a cut takes away what was not synced and leaves what was.

        Raises:
            CannotCut: the machine cannot do it.
        """
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            raise CannotCut("only root can, with mkfs.ext4")
        self.mounted.mkdir(parents=True, exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(size_mib << 20)
        try:
            subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True, capture_output=True)
            self.mount()
            self._tried()
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotCut(f"no loop device, or no shutdown of ext4: {error}") from error
        self.mounted.chmod(0o755)

    def _tried(self) -> None:
        synced, dirty = self.mounted / "synced", self.mounted / "dirty"
        with synced.open("wb") as file:
            file.write(b"synced")
            file.flush()
            os.fsync(file.fileno())
        dirty.write_bytes(b"dirty")
        self.cut()
        self.unmount()
        self.mount()
        if synced.read_bytes() != b"synced" or (dirty.exists() and dirty.read_bytes()):
            raise CannotCut("a cut does not take away what was not synced")
        synced.unlink()

    def mount(self) -> None:
        """Mounts it; the journal is replayed."""
        subprocess.run(["mount", "-o", "loop", self.image, self.mounted], check=True, capture_output=True)
        self._on = True

    def unmount(self) -> None:
        """Unmounts it as soon as nobody uses it."""
        end = time.monotonic() + UMOUNT_WAIT_S
        while (said := subprocess.run(["umount", self.mounted], check=False, capture_output=True)).returncode:
            assert time.monotonic() < end, said.stderr
            time.sleep(0.05)
        self._on = False

    def cut(self) -> None:
        """The power is gone."""
        opened = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(opened, _SHUTDOWN, struct.pack("I", _WITHOUT_LOG_FLUSH))
        finally:
            os.close(opened)

    def copied(self, folder: Path) -> "Disk":
        """A copy of the disk, which is not mounted, nor this one while it is copied."""
        folder.mkdir()
        folder.chmod(0o711)
        copy = Disk(folder)
        copy.mounted.mkdir()
        subprocess.run(["cp", "--sparse=always", self.image, copy.image], check=True)
        return copy

    def remove(self) -> None:
        """Unmounts it if need be, and removes the file."""
        if self._on:
            self.unmount()
        self.image.unlink(missing_ok=True)
