#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
A proxy on loopback in front of an S3 server, which does to requests what
networks and stores do.

  faulty.py [OPTION...] UPSTREAM PORTFILE [COUNTS]

UPSTREAM is http://HOST:PORT.  Its own port is written to PORTFILE.  Requests
are counted in COUNTS, replaced as they come: "GET 3", "LIST 1", "PUT 7",
"all 11", "faults 2" and a line for each kind of fault.

  --seed N --rate R     a share R of the requests suffers a fault, by dice
  --faults A,B,...      which (all that --help lists)
  --rules FILE          read again when it changes; the first line that fits a
                        request counts:
                          FAULT [TIMES] METHOD PATTERN
                        PATTERN is for the path and query, "*" any; TIMES is
                        how often (for ever).  E.g. "status-503 2 PUT *wal*".
  --key ID:SECRET       of UPSTREAM: a request that was changed is signed again
  --region R            others are sent there by 301 (or 400 for --strict)
  --skew S              its clock is S seconds ahead, and it wants requests
                        signed by that clock
  --quirks A,B,...      what some stores do: no-if-none-match (is ignored),
                        refuse-if-none-match (501), no-encoding-type,
                        no-chunked, no-batch (many are not deleted at
                        once), no-delete, object-lock (Content-MD5 is
                        wanted, nothing can be removed)
  --stall S             how long a stall is (3)
  --late S              how long an object is not to be seen (2)
  --certificate FILE    with its key: it speaks TLS itself
  --log FILE            a line for each request as it comes: seconds of a
                        steady clock, method, path and query
"""

import argparse
import datetime
import fnmatch
import hashlib
import hmac
import http.client
import http.server
import os
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

FAULTS = ("delay", "slow", "refuse", "reset", "lost", "cut", "short", "stall",
          "status-500", "status-503", "status-429", "status-403", "slowdown",
          "timeout", "expired", "duplicate", "late")
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# Those of a connection, not of a request.
HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
STATUS = {  # fault: status, code
    "status-500": (500, "InternalError"),
    "status-503": (503, "ServiceUnavailable"),
    "status-429": (429, "TooManyRequests"),
    "status-403": (403, "AccessDenied"),
    "slowdown": (503, "SlowDown"),
    "timeout": (400, "RequestTimeout"),
    "expired": (400, "ExpiredToken"),
}


def arguments():
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__, epilog="Faults: " + " ".join(FAULTS))
    parser.add_argument("upstream")
    parser.add_argument("portfile")
    parser.add_argument("counts", nargs="?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--rules")
    parser.add_argument("--key", default=":")
    parser.add_argument("--region", default="")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--skew", type=float, default=0.0)
    parser.add_argument("--quirks", default="")
    parser.add_argument("--stall", type=float, default=3.0)
    parser.add_argument("--late", type=float, default=2.0)
    parser.add_argument("--certificate")
    parser.add_argument("--log")
    return parser.parse_args()


class Rules:
    """What the file of rules says now; a rule's TIMES counts down while the
    file stays as it is."""

    def __init__(self, path):
        self.path = path
        self.stamp = None
        self.rules = []

    def read(self):
        try:
            stat = os.stat(self.path)
        except FileNotFoundError:
            self.rules, self.stamp = [], None
            return
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp == self.stamp:
            return
        self.stamp, self.rules = stamp, []
        with open(self.path, encoding="ascii") as lines:
            for words in (line.split() for line in lines):
                if len(words) == 3:
                    words.insert(1, "-1")
                if len(words) == 4:
                    self.rules.append([words[0], int(words[1]), *words[2:]])

    def find(self, method, path):
        if not self.path:
            return None
        self.read()
        for rule in self.rules:
            if rule[1] == 0 or rule[2] not in ("*", method):
                continue
            if fnmatch.fnmatchcase(path, rule[3]):
                rule[1] -= 1
                return rule[0]
        return None


class State:
    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.dice = random.Random(args.seed)
        self.faults = [fault for fault in args.faults.split(",") if fault]
        self.rules = Rules(args.rules)
        self.quirks = set(args.quirks.split(","))
        self.counts = {}
        self.hidden = {}  # path: until when
        unknown = set(self.faults) - set(FAULTS)
        if unknown:
            sys.exit(f"faulty.py: no such fault: {unknown}")

    def count(self, *names):
        with self.lock:
            for name in names:
                self.counts[name] = self.counts.get(name, 0) + 1
            if not self.args.counts:
                return
            text = "".join(f"{name} {n}\n"
                           for name, n in sorted(self.counts.items()))
            with open(self.args.counts + ".new", "w",
                      encoding="ascii") as file:
                file.write(text)
            os.rename(self.args.counts + ".new", self.args.counts)

    def note(self, method, path):
        if not self.args.log:
            return
        with self.lock, open(self.args.log, "a", encoding="ascii") as log:
            log.write(f"{time.monotonic():.4f} {method} {path}\n")

    def choose(self, method, path):
        """(fault or None, a number of its own from 0 to 1)"""
        with self.lock:
            fault = self.rules.find(method, path)
            chance = self.dice.random()
            if not fault and self.dice.random() < self.args.rate:
                fault = self.dice.choice(self.faults)
            return (None if fault == "none" else fault), chance

    def hide(self, path):
        with self.lock:
            self.hidden[path] = time.monotonic() + self.args.late

    def is_hidden(self, path):
        with self.lock:
            return self.hidden.get(path, 0) > time.monotonic()

    def hidden_names(self):
        now = time.monotonic()
        with self.lock:
            return [path for path, until in self.hidden.items() if until > now]


class Hangup(Exception):
    """The connection is done for."""


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(args, method, target, headers, region):
    """Signs as the owner of --key would, by the right clock."""
    key_id, secret = args.key.split(":", 1)
    now = datetime.datetime.now(datetime.timezone.utc)
    when = now.strftime("%Y%m%dT%H%M%SZ")
    headers["x-amz-date"] = when
    headers.pop("authorization", None)
    names = sorted(name for name in headers
                   if name in ("host", "content-md5")
                   or name.startswith("x-amz-"))
    path, _, query = target.partition("?")
    query = "&".join(sorted(part if "=" in part else part + "="
                            for part in query.split("&") if part))
    request = "\n".join((
        method, path, query,
        "".join(f"{name}:{headers[name].strip()}\n" for name in names),
        ";".join(names), headers.get("x-amz-content-sha256", "")))
    scope = f"{when[:8]}/{region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", when, scope,
                      hashlib.sha256(request.encode()).hexdigest()))
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = digest(key, part)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, "
        f"SignedHeaders={';'.join(names)}, "
        f"Signature={digest(key, text).hex()}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None
    upstream = None

    def log_message(self, *_):
        pass

    # Towards the client.

    def date_time_string(self, timestamp=None):
        now = time.time() if timestamp is None else timestamp
        return super().date_time_string(now + self.state.args.skew)

    def hang_up(self, is_reset=False):
        if is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
        self.close_connection = True
        raise Hangup

    def refuse(self, status, code, more="", headers=()):
        """An error as S3 says it.  What was not read of the body is not
        waited for."""
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}'
                f"</Code><Message>by faulty.py</Message>{more}<RequestId>F"
                "</RequestId></Error>").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        if not self.has_read:
            self.send_header("Connection", "close")
            self.close_connection = True
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_body(self, share=1.0):
        """Of what comes, this share."""
        size = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(int(size * share))
        if share == 1.0:
            self.has_read = True
            if len(body) < size:
                self.hang_up()
        return body

    def give(self, answer, share=1.0, length=None):
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP | {"content-length", "date"}:
                self.send_header(name, value)
        self.send_header("Date", self.date_time_string())
        # An answer to HEAD tells the length of what it does not have.
        told = dict((name.lower(), value) for name, value in headers)
        size = told.get("content-length", str(len(body)))
        if status != 204:
            self.send_header("Content-Length",
                             size if length is None else str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:int(len(body) * share)])
        self.wfile.flush()

    # Towards the server.

    def connect(self):
        if not self.upstream:
            url = urllib.parse.urlsplit(self.state.args.upstream)
            self.upstream = http.client.HTTPConnection(url.netloc,
                                                       timeout=60)
        return self.upstream

    def forward(self, body):
        target, headers = self.target, dict(self.sent)
        if self.is_changed:
            sign(self.state.args, self.command, target, headers,
                 "us-east-1")
        for i in range(2):
            connection = self.connect()
            try:
                connection.putrequest(self.command, target, skip_host=True,
                                      skip_accept_encoding=True)
                for name, value in headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body or None)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            except (OSError, http.client.HTTPException):
                self.upstream.close()
                self.upstream = None
                if i:
                    self.hang_up()
        return None

    # What is peculiar about the store.

    def is_peculiar(self):
        """Whether it was answered already."""
        quirks, args = self.state.quirks, self.state.args
        if self.is_misplaced(args) or self.is_untimely(args):
            return True
        if "if-none-match" in self.sent:
            if "refuse-if-none-match" in quirks:
                self.refuse(501, "NotImplemented",
                            "<Header>If-None-Match</Header>")
                return True
            if "no-if-none-match" in quirks:
                del self.sent["if-none-match"]
                self.is_changed = True
        if "no-encoding-type" in quirks and "encoding-type=" in self.target:
            self.target = re.sub(r"([?&])encoding-type=[^&]*&?", r"\1",
                                 self.target).rstrip("?&")
            self.is_changed = True
        return self.is_forbidden(quirks)

    def is_forbidden(self, quirks):
        is_chunked = ("aws-chunked" in self.sent.get("content-encoding", "")
                      or self.sent.get("x-amz-content-sha256",
                                       "").startswith("STREAMING-")
                      or "transfer-encoding" in self.sent)
        is_removal = (self.command == "DELETE" and
                      "uploadId=" not in self.target)
        is_batch = self.command == "POST" and \
            re.search(r"[?&]delete(=|&|$)", self.target)
        if "no-chunked" in quirks and is_chunked or \
                "no-batch" in quirks and is_batch:
            self.refuse(501, "NotImplemented")
        elif quirks & {"no-delete", "object-lock"} and is_removal:
            self.refuse(403, "AccessDenied")
        elif quirks & {"no-delete", "object-lock"} and is_batch:
            self.refuse_each(self.read_body().decode())
        elif ("object-lock" in quirks and self.command == "PUT" and
              "content-md5" not in self.sent and
              not any(name.startswith("x-amz-checksum-")
                      for name in self.sent)):
            self.refuse(400, "InvalidRequest")
        else:
            return False
        return True

    def refuse_each(self, asked):
        names = re.findall(r"<Key>(.*?)</Key>", asked, re.DOTALL)
        body = (f"<DeleteResult {NS}>" + "".join(
            f"<Error><Key>{name}</Key><Code>AccessDenied</Code><Message>no"
            "</Message></Error>" for name in names) + "</DeleteResult>")
        self.give((200, [("Content-Type", "application/xml")],
                   body.encode()))

    def is_misplaced(self, args):
        if not args.region:
            return False
        auth = self.sent.get("authorization", "")
        scope = re.search(r"Credential=[^/]*/\d*/([^/]*)/", auth)
        self.is_changed = True
        if not scope or scope[1] == args.region:
            return False
        here = [("x-amz-bucket-region", args.region)]
        if args.strict:
            self.refuse(400, "AuthorizationHeaderMalformed",
                        f"<Region>{args.region}</Region>", here)
        else:
            self.refuse(301, "PermanentRedirect", "", here)
        return True

    def is_untimely(self, args):
        if not args.skew:
            return False
        self.is_changed = True
        try:
            when = datetime.datetime.strptime(
                self.sent.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
        except ValueError:
            return False
        when = when.replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(when - time.time() - args.skew) < 900:
            return False
        self.refuse(403, "RequestTimeTooSkewed")
        return True

    # What happens to it.

    def suffer(self, fault, chance):
        """Faults that keep it from the server."""
        state = self.state
        if fault == "delay":
            time.sleep(0.3 * chance)
        elif fault == "slow":
            time.sleep(state.args.stall)
        elif fault == "refuse":
            self.hang_up()
        elif fault == "reset":
            self.read_body(0.9 * chance)
            self.hang_up(is_reset=True)
        elif fault in STATUS:
            if chance < 0.5:
                self.read_body()
            self.refuse(*STATUS[fault])
            return True
        elif fault == "stall" and self.command in ("PUT", "POST"):
            self.read_body(0.9 * chance)
            time.sleep(state.args.stall)
            self.hang_up()
        return False

    def serve(self):
        self.has_read = False
        self.is_changed = False
        self.target = self.path
        self.sent = {name.lower(): value
                     for name, value in self.headers.items()
                     if name.lower() not in HOP - {"transfer-encoding"}}
        self.state.note(self.command, self.path)
        fault, chance = self.state.choose(self.command, self.path)
        self.state.count("LIST" if "list-type=2" in self.path
                         else self.command, "all",
                         *(["faults", fault] if fault else []))
        if self.suffer(fault, chance) or self.is_peculiar():
            return
        path = self.path.partition("?")[0]
        if self.command in ("GET", "HEAD") and self.state.is_hidden(path):
            self.has_read = True
            self.refuse(404, "NoSuchKey")
            return
        body = self.read_body()
        if fault == "duplicate" and self.command != "POST":
            self.forward(body)
        answer = self.forward(body)
        if fault == "late" and self.command == "PUT" and \
                answer[0] == 200 and "uploadId" not in self.path:
            self.state.hide(path)
        self.deliver(answer, fault, chance)

    def deliver(self, answer, fault, chance):
        """Faults on the way back."""
        status, headers, body = answer
        if fault == "lost":
            self.hang_up(is_reset=chance < 0.5)
        if fault in ("cut", "stall"):
            self.give(answer, share=0.9 * chance)
            if fault == "stall":
                time.sleep(self.state.args.stall)
            self.hang_up(is_reset=chance < 0.3)
        if fault == "short" and status in (200, 206):
            # Whole, as far as HTTP can tell.
            share = 0.9 * chance
            self.close_connection = True
            self.give(answer, share, length=int(len(body) * share))
            return
        if b"<ListBucketResult" in body[:400]:
            body = self.without_hidden(body)
            self.give((status, headers, body), length=len(body))
        else:
            self.give(answer)

    def without_hidden(self, body):
        for path in self.state.hidden_names():
            name = urllib.parse.unquote(path)
            parts = re.split(rb"(<Contents>.*?</Contents>)", body,
                             flags=re.DOTALL)
            body = b"".join(
                part for part in parts
                if not (part.startswith(b"<Contents>") and self.is_about(
                    part, name)))
        return body

    @staticmethod
    def is_about(part, name):
        key = re.search(rb"<Key>(.*?)</Key>", part, re.DOTALL)
        key = urllib.parse.unquote(key[1].decode()) if key else ""
        return bool(key) and name.endswith("/" + key)

    def handle_one(self):
        try:
            self.serve()
        except (Hangup, ConnectionError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one

    def finish(self):
        if self.upstream:
            self.upstream.close()
        try:
            super().finish()
        except OSError:
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        kind = sys.exc_info()[0]
        if kind and not issubclass(kind, (ConnectionError, TimeoutError,
                                          ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    args = arguments()
    Handler.state = State(args)
    server = Server(("127.0.0.1", 0), Handler)
    if args.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.certificate)
        # The handshake is made where it is first read.
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    with open(args.portfile + ".new", "w", encoding="ascii") as file:
        file.write(str(server.server_address[1]))
    os.rename(args.portfile + ".new", args.portfile)
    server.serve_forever()


main()
