#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
asleep.py SECONDS <MEM, and on descriptor 3 what its threads wait in

Whether a process sleeps for that long unless somebody calls it.  MEM is its
/proc/PID/mem; descriptor 3 has a line of /proc/PID/task/TID/syscall for each
of its threads.  A thread may wait for ever, for its standard input, or with a
timer that is due later.  (A parent opens these files: no other process of the
same user may, everywhere.)
"""

import os
import platform
import struct
import sys
import time

FUTEX_WAITV = 449
FUTEX_CLOCK_REALTIME = 256
CALLS = {"x86_64": (0, 202), "aarch64": (63, 98)}  # read, futex

seconds = float(sys.argv[1])
READ, FUTEX = CALLS[platform.machine()]


def sleeps(line):
    words = line.split()
    if not words[0].isdigit():  # "running"
        return False
    call, args = int(words[0]), [int(word, 16) for word in words[1:7]]
    if call == READ:
        return args[0] == 0
    if call not in (FUTEX, FUTEX_WAITV):
        return False
    if args[3] == 0:
        return True
    # Both are given a moment, not a duration.
    is_real = call == FUTEX and args[1] & FUTEX_CLOCK_REALTIME
    now = time.time() if is_real else time.monotonic()
    due, ns = struct.unpack("qq", os.pread(0, 16, args[3]))
    return due + ns / 1e9 > now + seconds


with open(3, encoding="ascii") as lines:
    threads = lines.readlines()
sys.exit(not threads or not all(map(sleeps, threads)))
