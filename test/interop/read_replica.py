#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads what lsvfs writes, by lsvfs-format(5) and nothing else.

    read_replica.py replica ROOT OUT [--txid N] [--time NS]
    read_replica.py local FOLDER

The first restores a replica, the second verifies a local folder and says what
is in it.  Only the standard library and the tools lz4 and zstd; anything that
is not as the manual says ends with a message and status 1.
"""

import argparse
import json
import os
import re
import struct
import subprocess
import sys
from collections import namedtuple

M32 = (1 << 32) - 1
M64 = (1 << 64) - 1

Commit = namedtuple("Commit", "end txid time page_hash checksum pages")
Table = namedtuple("Table", "generation index offset txid lineage commits")


class Damage(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Damage(what)


# ---- xxHash, after https://github.com/Cyan4973/xxHash/blob/dev/doc

P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
       0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")


def rotl(x, n):
    return (x << n | x >> (64 - n)) & M64


def xxh64(data):
    def step(acc, word):
        return rotl((acc + word * P64[1]) & M64, 31) * P64[0] & M64

    n = len(data)
    at = 0
    if n >= 32:
        acc = [(P64[0] + P64[1]) & M64, P64[1], 0, -P64[0] & M64]
        while at + 32 <= n:
            words = struct.unpack_from("<4Q", data, at)
            acc = [step(a, w) for a, w in zip(acc, words)]
            at += 32
        h = sum(rotl(a, r) for a, r in zip(acc, (1, 7, 12, 18))) & M64
        for a in acc:
            h = ((h ^ step(0, a)) * P64[0] + P64[3]) & M64
    else:
        h = P64[4]
    h = (h + n) & M64
    while at + 8 <= n:
        word, = struct.unpack_from("<Q", data, at)
        h = (rotl(h ^ step(0, word), 27) * P64[0] + P64[3]) & M64
        at += 8
    if at + 4 <= n:
        word, = struct.unpack_from("<I", data, at)
        h = (rotl(h ^ word * P64[0] & M64, 23) * P64[1] + P64[2]) & M64
        at += 4
    for byte in data[at:]:
        h = rotl(h ^ byte * P64[4] & M64, 11) * P64[0] & M64
    h = (h ^ h >> 33) * P64[1] & M64
    h = (h ^ h >> 29) * P64[2] & M64
    return h ^ h >> 32


def xxh3_64(data, seed):
    """Of more than 240 bytes: pages are at least 512."""
    n = len(data)
    words = struct.unpack("<24Q", SECRET)
    secret = struct.pack("<24Q", *(
        (w - seed if i % 2 else w + seed) & M64 for i, w in enumerate(words)))
    keys = [struct.unpack_from("<8Q", secret, 8 * i) for i in range(17)]
    acc = [P32_3, P64[0], P64[1], P64[2], P64[3], P32_2, P64[4], P32_1]

    def accumulate(at, key):
        stripe = struct.unpack_from("<8Q", data, at)
        for i in range(8):
            mixed = stripe[i] ^ key[i]
            acc[i ^ 1] = acc[i ^ 1] + stripe[i] & M64
            acc[i] = acc[i] + (mixed & M32) * (mixed >> 32) & M64

    for stripe in range((n - 1) // 64):
        accumulate(64 * stripe, keys[stripe % 16])
        if stripe % 16 == 15:
            for i in range(8):
                acc[i] = (acc[i] ^ acc[i] >> 47 ^ keys[16][i]) * P32_1 & M64
    accumulate(n - 64, struct.unpack_from("<8Q", secret, 192 - 64 - 7))
    h = n * P64[0] & M64
    key = struct.unpack_from("<8Q", secret, 11)
    for i in range(0, 8, 2):
        product = (acc[i] ^ key[i]) * (acc[i + 1] ^ key[i + 1])
        h = (h + (product & M64 ^ product >> 64)) & M64
    h = (h ^ h >> 37) * 0x165667919E3779F9 & M64
    return h ^ h >> 32


def crc32c(data):
    crc = M32
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ M32


def page_hash(database, page_size):
    total = 0
    for at in range(0, len(database), page_size):
        number = at // page_size + 1
        if number != 0x40000000 // page_size + 1:
            total ^= xxh3_64(database[at:at + page_size], number)
    return total


# ---- A commit, a table, a WAL

def read_commit(data, at):
    end, txid, time, digest, c0, c1, pages, zero = struct.unpack_from(
        "<QQqQIIII", data, at)
    check(zero == 0, "a record's last field is not 0")
    return Commit(end, txid, time, digest, (c0, c1), pages)


def read_table(data):
    check(data[:8] == b"LSVFSCT1" and len(data) >= 88, "no commit table")
    digest, size, magic = struct.unpack("<QI4s", data[-16:])
    check(magic == b"LSVE" and size == len(data), "a table's size")
    check(digest == xxh64(data[:-16]), "a table's checksum")
    (version, header_size, record_size, count, generation, index, _, offset,
     txid) = struct.unpack_from("<IIIIQIIQQ", data, 8)
    check(version == 1, "a table of version %d" % version)
    check(header_size >= 72 and record_size >= 48 and count >= 1 and
          header_size + count * record_size + 16 == size, "a table's sizes")
    commits = [read_commit(data, header_size + i * record_size)
               for i in range(count)]
    for i, commit in enumerate(commits):
        check(commit.txid == txid + i and commit.pages > 0, "a table's txids")
    return Table(generation, index, offset, txid, data[56:72], commits)


def wal_checksum(data, s0, s1):
    words = iter(struct.unpack("<%dI" % (len(data) // 4), data))
    for x0, x1 in zip(words, words):
        s0 = s0 + x0 + s1 & M32
        s1 = s1 + x1 + s0 & M32
    return s0, s1


class Wal:
    """The chain of one index, part by part."""

    def __init__(self, generation, index):
        self.index = index
        self.salts = ((generation >> 32) + index & M32, generation & M32)
        self.page_size = 0
        self.sum = (0, 0)
        self.offset = 0

    def header(self, data):
        (magic, version, self.page_size, sequence, *salts, s0,
         s1) = struct.unpack_from(">8I", data)
        self.sum = wal_checksum(data[:24], 0, 0)
        check(magic == 0x377F0682 and version == 3007000, "a WAL's magic")
        check(sequence == self.index, "a WAL's checkpoint sequence")
        check(tuple(salts) == self.salts, "a WAL's salts")
        check(self.sum == (s0, s1), "a WAL header's checksum")
        self.offset = 32

    def frames(self, data):
        """Yields (page number, database pages, page, end)."""
        at = 0
        if self.offset == 0:
            check(len(data) >= 32, "a WAL's header is cut")
            self.header(data[:32])
            at = 32
        frame_size = 24 + self.page_size
        check((len(data) - at) % frame_size == 0, "a frame is cut")
        for at in range(at, len(data), frame_size):
            number, pages, *salts, s0, s1 = struct.unpack_from(">6I", data, at)
            page = data[at + 24:at + frame_size]
            self.sum = wal_checksum(data[at:at + 8] + page, *self.sum)
            check(tuple(salts) == self.salts, "a frame's salts")
            check(self.sum == (s0, s1), "a frame's checksum")
            self.offset += frame_size
            yield number, pages, page, self.offset


def walk(wal, data, commits):
    """The frames of whole commits: yields a list for each."""
    expected = iter(commits)
    frames = []
    for frame in wal.frames(data):
        frames.append(frame)
        if frame[1] == 0:
            continue
        commit = next(expected, None)
        check(commit is not None, "a commit without a record")
        check(commit.end == frame[3], "a record's end")
        check(commit.pages == frame[1], "a record's pages")
        check(commit.checksum == wal.sum, "a record's checksum")
        yield commit, frames
        frames = []
    check(not frames and next(expected, None) is None, "a commit is cut")


# ---- The replica

OBJECT = re.compile(
    r"generations/([0-9a-f]{16})/(?:snapshots/([0-9a-f]{8})\.snapshot|"
    r"wal/([0-9a-f]{8})_([0-9a-f]{8})\.wal)\.(lz4|zst)$")


class Object:
    def __init__(self, root, name, match):
        generation, snapshot, index, offset, self.codec = match.groups()
        self.path = os.path.join(root, name)
        self.is_snapshot = snapshot is not None
        self.generation = int(generation, 16)
        self.index = int(snapshot or index, 16)
        self.offset = int(offset or "0", 16)
        self.table = None
        self.damage = None

    def split(self, data):
        """Where the data frame ends and the skippable frame begins."""
        size, magic = struct.unpack("<I4s", data[-8:])
        check(magic == b"LSVE", "the end of %s" % self.path)
        cut = len(data) - size - 8
        check(cut > 0 and data[cut:cut + 8] ==
              b"\x50\x2a\x4d\x18" + struct.pack("<I", size),
              "the skippable frame of %s" % self.path)
        return cut

    def read_table(self):
        with open(self.path, "rb") as file:
            data = file.read()
        self.table = read_table(data[self.split(data) + 8:])
        name = (self.generation, self.index, self.offset)
        check(self.table[:3] == name, "%s is another object" % self.path)
        if self.is_snapshot:
            commit = self.table.commits[0]
            check(len(self.table.commits) == 1 and commit.end == 0 and
                  commit.checksum == (0, 0), "the record of %s" % self.path)

    def read(self):
        with open(self.path, "rb") as file:
            data = file.read()
        if self.codec == "lz4":
            self.check_lz4_frame(data, self.split(data))
        tool = {"lz4": ["lz4", "-dc"], "zst": ["zstd", "-dcq"]}[self.codec]
        done = subprocess.run(tool, input=data, capture_output=True)
        check(done.returncode == 0, "%s refuses %s" % (tool[0], self.path))
        return done.stdout

    def check_lz4_frame(self, data, end):
        check(data[:7] == bytes.fromhex("04224d186470b9"),
              "the first bytes of %s" % self.path)
        at = 7
        while True:
            size, = struct.unpack_from("<I", data, at)
            at += 4
            if size == 0:
                break
            check(size & 0x7FFFFFFF <= 4 << 20, "a block of %s" % self.path)
            at += size & 0x7FFFFFFF
        check(at + 4 == end, "something behind the data of %s" % self.path)


def list_replica(root):
    objects = []
    for folder, _, files in os.walk(os.path.join(root, "generations")):
        for file in files:
            name = os.path.relpath(os.path.join(folder, file), root)
            match = OBJECT.match(name)
            if match:
                objects.append(Object(root, name, match))
    return sorted(objects, key=lambda o: (o.generation, o.index,
                                          not o.is_snapshot, o.offset))


def is_within(commit, limit):
    return commit.txid <= limit.txid and commit.time <= limit.time


def choose(objects, limit):
    """The objects from the snapshot on, newer snapshots among them."""
    best = start = None
    for i, o in enumerate(objects):
        try:
            o.read_table()
        except Damage as damage:
            if o.is_snapshot:
                raise
            # Of a segment it matters only if it is needed.
            o.damage = damage
            continue
        if not is_within(o.table.commits[0], limit):
            continue
        if o.is_snapshot:
            start = i
        if start is None or objects[start].generation != o.generation:
            continue
        newest = max(c.time for c in o.table.commits if is_within(c, limit))
        if best is None or newest >= best[0]:
            best = (newest, start)
    check(best is not None, "nothing to restore")
    generation = objects[best[1]].generation
    return [o for o in objects[best[1]:] if o.generation == generation]


def apply(database, frames, page_size):
    for number, _, page, _ in frames:
        at = (number - 1) * page_size
        if len(database) < at:
            database.extend(bytes(at - len(database)))
        database[at:at + page_size] = page


def check_next(o, wal, last, txid, args):
    """What is behind the last object used goes on where that one ends."""
    if last.txid == args.txid or last.txid < txid:
        return
    if o.is_snapshot:
        check(o.table.txid == txid, "what is before %s" % o.path)
        return
    begin = wal.offset if wal and wal.index == o.index else 0
    check(o.offset == begin and o.table.txid == txid + 1,
          "what is before %s" % o.path)


def restore(args):
    chain = choose(list_replica(args.root), args)
    snapshot = chain[0]
    last = snapshot.table.commits[0]
    database = bytearray(snapshot.read())
    page_size = len(database) // last.pages
    check(page_size * last.pages == len(database), "the snapshot's size")
    check(page_hash(database, page_size) == last.page_hash,
          "the snapshot's page hash")
    wal = None
    txid, index = last.txid, snapshot.index - 1
    for o in chain[1:]:
        if o.damage:
            raise o.damage
        if not is_within(o.table.commits[0], args):
            check_next(o, wal, last, txid, args)
            break
        if wal is None or o.index != index:
            index += 1
            wal = Wal(o.generation, index)
        check((o.index, o.offset) == (index, wal.offset) and
              o.table.txid == txid + 1, "what is before %s" % o.path)
        check(o.table.lineage == snapshot.table.lineage,
              "the lineage of %s" % o.path)
        for commit, frames in walk(wal, o.read(), o.table.commits):
            if is_within(commit, args):
                check(wal.page_size == page_size, "a WAL's page size")
                apply(database, frames, page_size)
                last = commit
        txid = o.table.commits[-1].txid
    size = last.pages * page_size
    database = (database + bytes(max(0, size - len(database))))[:size]
    check(page_hash(database, page_size) == last.page_hash,
          "the page hash of the result")
    with open(args.out, "wb") as file:
        file.write(database)
    print("txid %d time %d" % (last.txid, last.time))


# ---- The local folder

def read_file(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def read_records(data):
    records = []
    for at in range(0, len(data) - 79, 80):
        crc, = struct.unpack_from("<I", data, at + 76)
        if crc != crc32c(data[at:at + 76]):
            break
        frame, = struct.unpack_from("<I", data, at + 48)
        records.append((read_commit(data, at), frame, data[at + 52:at + 76]))
    return records


def read_shadow(folder, generation, index):
    stem = os.path.join(folder, "wal", "%08x" % index)
    commits = [r[0] for r in read_records(read_file(stem + ".commits"))]
    check(commits and commits[0].end == 0, "the base of %s" % stem)
    data = read_file(stem + ".wal")
    wal = Wal(generation, index)
    for _ in walk(wal, data[:max(commits[-1].end, 32)], commits[1:]):
        pass
    for before, after in zip(commits, commits[1:]):
        check(after.txid == before.txid + 1, "the txids of %s" % stem)
    return commits, wal.page_size


def read_position(data, at):
    generation, offset, index, zero = struct.unpack_from("<QQII", data, at)
    check(zero == 0, "a position's last field is not 0")
    return "%016x/%08x:%08x" % (generation, index, offset)


def read_replicas(data):
    for at in range(128, len(data) - 4, 1024):
        name, = struct.unpack_from("<Q", data, at)
        if name == 0:
            continue
        txid, time, size, since, taken, index, has = struct.unpack_from(
            "<QqQQqII", data, at + 32)
        label, url, error = (
            text.rstrip(b"\0").decode()
            for text in struct.unpack_from("32s256s600s", data, at + 88))
        yield {"name_hash": "%016x" % name, "txid": txid, "time": time,
               "shipped": read_position(data, at + 8), "error": error,
               "name": label, "url": url,
               "snapshot": {"index": index, "size": size, "since": since,
                            "time": taken} if has else None}


def read_state(data):
    magic, version, size = struct.unpack_from("<8sII", data)
    check((magic, version, size) == (b"LSVFSST1", 2, len(data)),
          "the head of state")
    check(struct.unpack("<I", data[-4:])[0] == crc32c(data[:-4]),
          "the checksum of state")
    epoch, generation = struct.unpack_from("<QQ", data, 16)
    device, inode, size, modified, changed = struct.unpack_from("<QQQqq",
                                                                data, 48)
    return {"epoch": epoch, "generation": "%016x" % generation,
            "lineage": data[32:48].hex(), "inode": inode, "size": size,
            "device": device, "modified": modified, "changed": changed,
            "boot": data[88:104].hex(), "position": read_position(data, 104),
            "replicas": list(read_replicas(data))}


def read_pagehash(data):
    magic, version, page_size, index, pages, offset = struct.unpack_from(
        "<8sIIIIQ", data)
    check((magic, version) == (b"LSVFSPH1", 1), "the head of pagehash")
    total = 0
    for value in struct.unpack_from("<%dQ" % pages, data, 32):
        total ^= value
    return {"page_size": page_size, "index": index, "pages": pages,
            "offset": offset, "sum": total}


def read_coord(data):
    magic, version, least, size, pid, epoch = struct.unpack_from("<8sIIIIQ",
                                                                 data)
    check((magic, size, len(data)) == (b"LSVFSCRD", 4096, 4096) and
          version >= 1 and least <= 1, "the head of coord")
    salt0, salt1, frame, index, generation, offset, txid, time = \
        struct.unpack_from("<IIIIQQQq", data, 72)
    count, = struct.unpack_from("<I", data, 768)
    stamps = []
    for number in range(max(1, count - 63), count + 1):
        *_, got, when = struct.unpack_from("<6Iq", data,
                                           1024 + (number - 1) % 64 * 32)
        check(got == number, "the number of a stamp")
        stamps.append(when)
    return {"epoch": epoch, "leader": pid, "frame": frame, "txid": txid,
            "salts": [salt0, salt1], "time": time, "stamps": len(stamps),
            "position": "%016x/%08x:%08x" % (generation, index, offset)}


def read_local(args):
    text = read_file(args.folder, "generation")
    check(re.fullmatch(rb"[0-9a-f]{16}\n", text), "the file generation")
    generation = int(text, 16)
    folder = os.path.join(args.folder, "generations", text.decode().strip())
    check(os.path.exists(os.path.join(folder, "lock")), "no file lock")
    indexes = sorted(int(f[:8], 16) for f in os.listdir(folder + "/wal")
                     if re.fullmatch("[0-9a-f]{8}\\.commits", f))
    said = {"generation": text.decode().strip(), "indexes": {}}
    for index in indexes:
        commits, page_size = read_shadow(folder, generation, index)
        said["indexes"]["%08x" % index] = {
            "page_size": page_size, "commits": len(commits) - 1,
            "end": commits[-1].end, "txid": commits[-1].txid,
            "pages": commits[-1].pages, "page_hash": commits[-1].page_hash}
    for name, read in (("state", read_state), ("pagehash", read_pagehash),
                       ("coord", read_coord)):
        if os.path.exists(os.path.join(args.folder, name)):
            said[name] = read(read_file(args.folder, name))
    json.dump(said, sys.stdout, indent=2)
    print()


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    replica = commands.add_parser("replica")
    replica.add_argument("root")
    replica.add_argument("out")
    replica.add_argument("--txid", type=int, default=M64)
    replica.add_argument("--time", type=int, default=M64)
    replica.set_defaults(run=restore)
    local = commands.add_parser("local")
    local.add_argument("folder")
    local.set_defaults(run=read_local)
    args = parser.parse_args()
    try:
        args.run(args)
    except Damage as damage:
        sys.exit("read_replica.py: not as the manual says: %s" % damage)
    except (struct.error, IndexError) as error:
        sys.exit("read_replica.py: too short: %s" % error)


if __name__ == "__main__":
    main()
