"""How many commands fit on this machine at once: processors and memory, as the kernel and its control groups allow.

In: /proc, /sys/fs/cgroup. Out: numbers. What cannot be read limits nothing but the number of processors.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLAN_MB, PLAN_REGION_MB = 1350, 130
"""What a plan or an apply takes (PSS of Terraform, its providers and Python), and what each further region adds: one
provider process each. Measured with Terraform 1.11.4 and provider 5.100.0 at the peak of a plan: 1,147 to 1,308 MB for
1 region where nothing else runs the provider, so that its file counts in full; 1,768 for two at once. With a provider
for each step, as several regions have it: 1,063 for 1 region, measured likewise; 2,740 for 17 with eight components."""
READ_MB = 300
"""The same of an audit or a scan, which run without Terraform: 274 MB for 17 regions."""

_MB = 1 << 20
_SHARE = 0.8
"""Of the memory that is available: the rest is for what the machine does besides."""


@dataclass(frozen=True)
class Capacity:
    """What may run at the same time."""

    slots: int
    """Commands."""
    memory_mb: int | None = None
    """For all of them together; None: no limit."""

    def fits(self, running: int, used_mb: int, wanted_mb: int) -> bool:
        """Whether one more may start; one alone always may."""
        if running >= self.slots:
            return False
        return running == 0 or self.memory_mb is None or used_mb + wanted_mb <= self.memory_mb


def capacity(jobs: int | None, root: Path = Path("/")) -> Capacity:
    """What this machine can do.

    Args:
        jobs: What --jobs says; then nothing else limits. None: as many as there are processors, and as memory allows.
        root: Where /proc and /sys are.
    """
    if jobs is not None:
        return Capacity(jobs)
    available = available_mb(root)
    return Capacity(processors(root), None if available is None else int(available * _SHARE))


def processors(root: Path = Path("/")) -> int:
    """Processors that this process may use: at least one, at most its control group's quota."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for group in _groups(root, "cpu"):
        quota = None
        with contextlib.suppress(OSError, ValueError):
            most, period = (group / "cpu.max").read_text().split()
            quota = int(most) / int(period)
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            limit = int((group / "cpu.cfs_quota_us").read_text())
            quota = limit / int((group / "cpu.cfs_period_us").read_text()) if limit > 0 else None
        if quota is not None:
            found = min(found, max(1, int(quota)))
    return max(1, found)


def available_mb(root: Path = Path("/")) -> int | None:
    """Memory that is free, or that the control groups leave; None where nothing says it (macOS)."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = (root / "proc/meminfo").read_text().splitlines()
        found.append(int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]) * 1024)
    for group in _groups(root, "memory"):
        for most, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with contextlib.suppress(OSError, ValueError):  # "max": no limit
                limit = int((group / most).read_text())
                # Pages of files count as used, and are given back when somebody needs memory.
                left = limit - int((group / used).read_text()) + _inactive_files(group)
                found.append(max(0, left))
    return min(found) // _MB if found else None


def _inactive_files(group: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in (group / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name in ("inactive_file", "total_inactive_file"):
                return int(value)
    return 0


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Folders of the control groups that this process is in, from its own up: each of them limits.

    https://docs.kernel.org/admin-guide/cgroup-v2.html, https://man7.org/linux/man-pages/man7/cgroups.7.html
    """
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number != "0" and controller not in controllers.split(","):
                continue
            base = root / "sys/fs/cgroup" if number == "0" else root / "sys/fs/cgroup" / controller
            folder = base / path.lstrip("/")
            # In a container, the path may be the host's, and the group's files are where the file system is mounted.
            for step in (folder, *folder.parents):
                if step.is_dir():
                    yield step
                if step == base:
                    break
