#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
As much of a store as a replica needs, in memory, on loopback:

  store.py PORTFILE LOG BARRIER

It writes its port to PORTFILE and a line for each request to LOG.  The first
BARRIER parts of an upload are answered only when all of them are on their way:
at once, or never.
"""

import http.server
import os
import re
import sys
import threading
import urllib.parse

portfile, log_path, barrier = sys.argv[1], sys.argv[2], int(sys.argv[3])
objects, parts = {}, {}
lock = threading.Lock()
all_there = threading.Barrier(barrier)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, *words):
        with lock, open(log_path, "a", encoding="ascii") as log:
            log.write(" ".join(map(str, words)) + "\n")

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, True))
        n = int(self.headers.get("Content-Length") or 0)
        return urllib.parse.unquote(url.path), query, self.rfile.read(n)

    def do_PUT(self):
        path, query, body = self.read()
        name = self.headers.get("x-amz-storage-class", "-")
        if "partNumber" in query:
            number = int(query["partNumber"])
            self.say("part", number, len(body))
            if number <= barrier:
                all_there.wait()
            parts[number] = body
            self.answer(200, ETag=f'"{number}"')
            return
        self.say("put", name)
        if path in objects and self.headers.get("If-None-Match"):
            self.answer(412)
            return
        objects[path] = body
        self.answer(200, ETag='"0"')

    def do_POST(self):
        path, query, body = self.read()
        if "uploads" in query:
            self.say("upload", self.headers.get("x-amz-storage-class", "-"))
            self.answer(200, b"<InitiateMultipartUploadResult><UploadId>1"
                             b"</UploadId></InitiateMultipartUploadResult>")
            return
        listed = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>\"(\d+)\"",
                            body.decode())
        if [int(n) for n, _ in listed] != sorted(parts) or any(
                n != tag for n, tag in listed):
            self.say("wrong", listed)
        objects[path] = b"".join(parts[n] for n in sorted(parts))
        self.say("complete", len(parts))
        self.answer(200, b"<CompleteMultipartUploadResult><ETag>1</ETag>"
                         b"</CompleteMultipartUploadResult>")

    def do_HEAD(self):
        path, _, _ = self.read()
        found = objects.get(path)
        self.answer(404 if found is None else 200, found or b"")

    def do_GET(self):
        path, query, _ = self.read()
        if "list-type" in query:
            self.list(path, query.get("prefix", ""))
            return
        body = objects.get(path)
        if body is None:
            self.answer(404)
            return
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not match:
            self.answer(200, body)
            return
        first, last = match.groups()
        if not first:
            first, last = max(0, len(body) - int(last)), len(body) - 1
        first, last = int(first), min(int(last or len(body)), len(body) - 1)
        self.answer(206, body[first:last + 1],
                    Content_Range=f"bytes {first}-{last}/{len(body)}")

    def list(self, bucket, prefix):
        root = bucket.rstrip("/") + "/"
        found = "".join(
            f"<Contents><Key>{path[len(root):]}</Key><Size>{len(body)}</Size>"
            "<LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
            for path, body in sorted(objects.items())
            if path.startswith(root + prefix))
        self.answer(200, f"<ListBucketResult>{found}<IsTruncated>false"
                         "</IsTruncated></ListBucketResult>".encode())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(portfile + ".new", "w", encoding="ascii") as file:
    file.write(f"{server.server_port}\n")
os.rename(portfile + ".new", portfile)
server.serve_forever()
