#!/bin/bash
# SPDX-License-Identifier: MIT
#
# lsvfs status of several databases, as metrics, and again and again; its exit
# status is the worst one's.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3 python3

for name in one two; do
	sqlite3 $name.db 'PRAGMA journal_mode=wal; CREATE TABLE t(x)' >/dev/null
	"$LSVFS" sync -replica-url "$PWD/backup/$name" $name.db ||
		fail "$name is not synced"
done

# Every metric has its help and type before its samples, once, and is in the
# manual; every sample is a number.
"$LSVFS" status -prometheus one.db two.db >metrics || fail "exit $?"
python3 - metrics "$top_srcdir/man/lsvfs.1" <<'END' || fail "$(cat metrics)"
import re, sys
manual = open(sys.argv[2]).read()
types, samples = {}, []
for line in open(sys.argv[1]):
    if line.startswith('# HELP '):
        name = line.split()[2]
        assert name in manual, 'not in the manual: ' + name
    elif line.startswith('# TYPE '):
        _, _, name, kind = line.split()
        assert name not in types and kind in ('gauge', 'counter'), line
        types[name] = kind
    else:
        name, labels, value = re.fullmatch(
            r'(\w+)\{((?:\w+="[^"]*",?)+)\} ([-+.e0-9]+)\n', line).groups()
        assert name == list(types)[-1], line
        samples.append((name, labels, float(value)))
assert len(types) == 13, types
for name in types:
    assert sum(s[0] == name for s in samples) == 2, name
value = lambda name: [s[2] for s in samples if s[0] == name]
assert value('lsvfs_status') == [0, 0]
assert value('lsvfs_replica_lag_seconds') == [0, 0]
assert all(n == 8192 for n in value('litestream_db_size'))
assert all(n > 1.7e9 for n in value('lsvfs_replica_time_seconds'))
END

# A name that the format must escape.
cp one.db 'a "quoted" \name.db'
expect_exit 3 "$LSVFS" status -prometheus 'a "quoted" \name.db' >metrics
grep -qF 'a \"quoted\" \\name.db"' metrics || fail "$(cat metrics)"

# The worst counts; one object a line.
sqlite3 plain.db 'CREATE TABLE t(x)'
expect_exit 2 "$LSVFS" status -json one.db plain.db nowhere.db >json
[ "$(wc -l <json)" = 3 ] || fail "$(cat json)"
expect_exit 3 "$LSVFS" status one.db nowhere.db >text
expect_exit 0 "$LSVFS" status one.db two.db >text
[ "$(grep -c '^database' text)" = 2 ] || fail "$(cat text)"

# Those of the configuration file.
cat >lsvfs.yml <<END
dbs:
- path: $PWD/one.db
  replicas: [{path: $PWD/backup/one}]
- path: $PWD/two.db
  replicas: [{path: $PWD/backup/two}]
END
"$LSVFS" status -config lsvfs.yml >by_config || fail "exit $?"
same_file text by_config

# Again and again, without colours where there is no terminal.
watched()
{
	[ "$(grep -c '^database' watch.out)" -ge 2 ]
}
background "$LSVFS" status -watch one.db >watch.out
eventually 60 watched
if grep -q $'\033' watch.out; then
	fail 'colours in a file'
fi

expect_exit 3 "$LSVFS" status -json -prometheus one.db 2>err
grep -q 'exclude each other' err || fail "$(cat err)"
