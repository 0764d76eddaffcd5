"""Prints the folder in which the tests' databases lie: in memory where there is room, else where temporary files do.

    TMPDIR=$(python scripts/memory_disk.py) pytest

A test makes a database and throws it away, a thousand times in a run. On ext4 that is slow: for five seconds it walks
round the inodes of each file that was deleted. Proofs of durability are run on a disk (`make proof`).
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  the memory file system of Linux; what is made in it has names of its own
FREE_MIN_BYTES = 6 * 2**30
"""A run was seen to take 2 GiB at most; the rest is for whoever else needs memory."""


def room(folder: Path) -> bool:
    """Whether a folder is there, can be written, and has enough room in it and in memory."""
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < FREE_MIN_BYTES:
        return False
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024 >= FREE_MIN_BYTES


def main() -> int:
    """Prints the folder."""
    print(MEMORY if room(MEMORY) else tempfile.gettempdir())
    return 0


if __name__ == "__main__":
    sys.exit(main())
