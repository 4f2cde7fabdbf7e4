#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The services that give credentials, on loopback, as they are documented:

  STS        POST /sts              AssumeRole (its signature is verified),
                                    AssumeRoleWithWebIdentity
  ECS, EKS   GET  /container/...    with the Authorization token, if any
  IMDSv2     PUT  /latest/api/token, GET /latest/meta-data/iam/...

standin.py PORTFILE LOG [NAME=VALUE...]: listens on 127.0.0.1, writes its port
to PORTFILE and a line for each request to LOG ("IMDS token", "STS AssumeRole
<role> by <key>", ...).  A file named as LOG with ".set" behind is read at each
request: lines NAME=VALUE, which change how it behaves:

  lifetime=S    of what it gives, seconds (3600)
  fail=STATUS   everything is answered so
  fail_first=N  only the first N requests, with fail's status
  garbage=1     everything is answered so
  token=T       what a container must send
  role=NAME     of the machine ("": none)
"""

import datetime
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import urllib.parse

# Who may take a role, and by which secret: this one, and whoever got a role
# here.
KEYS = {"AKIDBASE": "base-secret+/="}
TOKENS = {}
WEB_TOKEN = "web-identity-token"
IMDS_TOKEN = "imds-session-token"

portfile, log_path = sys.argv[1], sys.argv[2]
lock = threading.Lock()
count = {"requests": 0, "given": 0}


def settings():
    found = dict(word.split("=", 1) for word in sys.argv[3:])
    try:
        with open(log_path + ".set", encoding="ascii") as lines:
            found.update(line.strip().split("=", 1) for line in lines)
    except FileNotFoundError:
        pass
    return found


def expiration(setting):
    lifetime = float(setting.get("lifetime", "3600"))
    then = datetime.datetime.now(datetime.timezone.utc)
    then += datetime.timedelta(seconds=lifetime)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, scope, request, when):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = digest(key, part)
    text = "\n".join(("AWS4-HMAC-SHA256", when, scope,
                      hashlib.sha256(request.encode()).hexdigest()))
    return digest(key, text).hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, line):
        with lock, open(log_path, "a", encoding="ascii") as log:
            log.write(line + "\n")

    def answer(self, status, body, kind="text/plain"):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_failing(self, setting):
        with lock:
            count["requests"] += 1
            n = count["requests"]
        if "garbage" in setting:
            self.answer(200, "<html>welcome</html>")
            return True
        if "fail" not in setting or n > int(setting.get("fail_first", n)):
            return False
        self.say("fail " + setting["fail"])
        self.answer(int(setting["fail"]), "not now")
        return True

    def give(self):
        with lock:
            count["given"] += 1
            return count["given"]

    # The metadata service of a machine.

    def do_PUT(self):
        setting = settings()
        if self.is_failing(setting):
            return
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not ttl.isdigit():
            self.answer(400, "bad request")
            return
        self.say("IMDS token")
        self.answer(200, IMDS_TOKEN)

    def do_GET(self):
        setting = settings()
        if self.is_failing(setting):
            return
        if self.path.startswith("/container"):
            self.container(setting)
        else:
            self.machine(setting)

    def machine(self, setting):
        roles = "/latest/meta-data/iam/security-credentials/"
        role = setting.get("role", "machine-role")
        if self.headers.get("X-aws-ec2-metadata-token") != IMDS_TOKEN:
            self.answer(401, "unauthorized")
        elif self.path == roles and role:
            self.say("IMDS role")
            self.answer(200, role + "\n")
        elif role and self.path == roles + role:
            self.say("IMDS credentials")
            self.credentials(setting, "ASIAMACHINE", "machine-secret",
                             {"Code": "Success", "Type": "AWS-HMAC"})
        else:
            self.say("IMDS none")
            self.answer(404, "not found")

    def container(self, setting):
        token = setting.get("token", "")
        if token and self.headers.get("Authorization") != token:
            self.say("container refused")
            self.answer(401, json.dumps({"code": "AccessDenied",
                                         "message": "wrong token"}))
            return
        self.say("container credentials")
        self.credentials(setting, "ASIACONTAINER", "container-secret",
                         {"RoleArn": "arn:aws:iam::1:role/container"})

    def credentials(self, setting, key_id, secret, more):
        n = self.give()
        more.update({"AccessKeyId": f"{key_id}{n}",
                     "SecretAccessKey": f"{secret}-{n}",
                     "Token": f"session-token-{n}" + "x" * 2000,
                     "Expiration": expiration(setting)})
        self.answer(200, json.dumps(more), "application/json")

    # STS.

    def do_POST(self):
        setting = settings()
        n = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(n).decode()
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        if self.is_failing(setting):
            return
        action = form.get("Action", "")
        if form.get("Version") != "2011-06-15" or self.path != "/sts":
            self.refuse(400, "InvalidAction", "no such action")
        elif action == "AssumeRole":
            self.assume_role(setting, form, body)
        elif action == "AssumeRoleWithWebIdentity":
            self.assume_by_token(setting, form)
        else:
            self.refuse(400, "InvalidAction", "no such action")

    def refuse(self, status, code, message):
        self.say("STS refused " + code)
        self.answer(status, f"""<ErrorResponse
xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>{message}</Message></Error>
<RequestId>1</RequestId></ErrorResponse>""", "text/xml")

    def assume_role(self, setting, form, body):
        auth = self.headers.get("Authorization", "")
        if not auth.startswith("AWS4-HMAC-SHA256 "):
            self.refuse(403, "MissingAuthenticationToken", "not signed")
            return
        parts = dict(part.strip().split("=", 1)
                     for part in auth[len("AWS4-HMAC-SHA256 "):].split(","))
        key_id, scope = parts["Credential"].split("/", 1)
        names = parts["SignedHeaders"].split(";")
        headers = "".join(f"{name}:{self.headers[name].strip()}\n"
                          for name in names)
        request = "\n".join(("POST", self.path, "", headers, ";".join(names),
                             hashlib.sha256(body.encode()).hexdigest()))
        expected = signature(KEYS.get(key_id, ""), scope, request,
                             self.headers["X-Amz-Date"])
        if key_id not in KEYS:
            self.refuse(403, "InvalidClientTokenId", "no such key")
        elif TOKENS.get(key_id) != self.headers.get("X-Amz-Security-Token"):
            self.refuse(403, "InvalidClientTokenId", "not its token")
        elif {"host", "x-amz-date"} - set(names):
            self.refuse(403, "IncompleteSignature", "headers are missing")
        elif parts["Signature"] != expected:
            self.refuse(403, "SignatureDoesNotMatch",
                        f"The canonical string was '{request}'")
        else:
            self.say(f"STS AssumeRole {form['RoleArn']} by {key_id} in "
                     f"{scope} as {form['RoleSessionName']} "
                     f"for {form.get('DurationSeconds', '-')} "
                     f"id {form.get('ExternalId', '-')}")
            self.role(setting, form, "AssumeRole")

    def assume_by_token(self, setting, form):
        if form.get("WebIdentityToken") != WEB_TOKEN:
            self.refuse(400, "InvalidIdentityToken", "not from us")
            return
        self.say(f"STS AssumeRoleWithWebIdentity {form['RoleArn']} "
                 f"as {form['RoleSessionName']}")
        self.role(setting, form, "AssumeRoleWithWebIdentity")

    def role(self, setting, form, action):
        if form["RoleArn"].endswith("/forbidden"):
            self.refuse(403, "AccessDenied", "you may not take that role")
            return
        n = self.give()
        key_id = f"ASIAROLE{n}"
        KEYS[key_id] = f"role-secret-{n}"
        TOKENS[key_id] = f"role-token-{n}"
        self.answer(200, f"""<?xml version="1.0" encoding="UTF-8"?>
<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result>
    <AssumedRoleUser><Arn>{form['RoleArn']}</Arn>
      <AssumedRoleId>X:{form['RoleSessionName']}</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>{key_id}</AccessKeyId>
      <SecretAccessKey>role-secret-{n}</SecretAccessKey>
      <SessionToken>role-token-{n}</SessionToken>
      <Expiration>{expiration(setting)}</Expiration>
    </Credentials>
  </{action}Result>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</{action}Response>""", "text/xml")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(portfile + ".new", "w", encoding="ascii") as file:
    file.write(str(server.server_address[1]))
os.rename(portfile + ".new", portfile)
server.serve_forever()
