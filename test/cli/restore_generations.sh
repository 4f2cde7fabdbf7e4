#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which of several generations a restore takes: by the times of their commits,
# whatever the times of their files say.

. "${top_srcdir:-.}/test/lib/functions.sh"

requires sqlite3

# generation NAME TIME N WORD: N commits from TIME on, one a second
generation()
{
	rm -f live.db*
	{
		echo 'PRAGMA journal_mode=WAL; CREATE TABLE t(word)'
		echo ".time $2"
		echo .snapshot
		for ((i = 1; i < $3; i++)); do
			echo "INSERT INTO t VALUES('$4$i')"
			echo .segment
		done
	} | "$top_builddir/test/lib/mkreplica" -g "$1" live.db replica
}

old=1111111111111111 middle=9999999999999999 new=5555555555555555
generation $old 2026-01-01T10:00:00Z 10 old
generation $new 2026-01-01T12:00:00Z 10 new
generation $middle 2026-01-01T11:00:00Z 10 middle
# As after a copy that keeps no times.
find replica -type f -exec touch {} +

# takes WORD [OPTION...]: the newest row
takes()
{
	local word=$1
	shift

	rm -rf out.db .out.db-litestream
	"$LSVFS_RESTORE" -o out.db "$@" replica >out.txt
	[ "$(sqlite3 out.db 'SELECT max(rowid), word FROM t')" = "$word" ] ||
		fail "$*: $(sqlite3 out.db 'SELECT max(rowid), word FROM t')"
}

takes '9|new9'
takes '9|old9' -generation $old
takes '9|middle9' -generation $middle
takes '3|new3' -txid 4
takes '3|old3' -txid 4 -generation $old
takes '9|new9' -txid 99 # nobody has it: the last one
takes '2|old2' -timestamp 2026-01-01T10:00:02Z
takes '9|old9' -timestamp 2026-01-01T10:00:09Z
takes '9|old9' -timestamp 2026-01-01T10:59:59.999999999Z
takes '1|middle1' -timestamp 2026-01-01T11:00:01.5Z
takes '9|middle9' -timestamp 2026-01-01T11:59:59Z
takes '1|new1' -timestamp 2026-01-01T14:00:01+02:00
takes '9|new9' -timestamp 2026-01-02T00:00:00Z
takes '9|old9' -timestamp 2026-01-02T00:00:00Z -generation $old

expect_exit 3 "$LSVFS_RESTORE" -o none.db -timestamp 2026-01-01T09:59:59Z \
	replica 2>err.txt
[ "$(grep -c '^restorable: ' err.txt)" = 3 ] || fail "$(cat err.txt)"
grep -q "generation $new: txid 1 (2026-01-01T12:00:00.*) to 10 (2026" err.txt ||
	fail "$(cat err.txt)"
expect_exit 3 "$LSVFS_RESTORE" -o none.db -timestamp 2026-01-01T11:30:00Z \
	-generation $new replica 2>err.txt
[ ! -e none.db ] || fail 'a database after exit 3'

# A txid that only an older generation has is not one that the newest will have
# some day.
young=7777777777777777
generation $young 2026-01-01T13:00:00Z 3 young
expect_exit 3 "$LSVFS_RESTORE" -o none.db -txid 5 replica 2>err.txt
grep -q "generation $young is the newest and ends with txid 3" err.txt ||
	fail "$(cat err.txt)"
[ "$(grep -c '^restorable: ' err.txt)" = 4 ] || fail "$(cat err.txt)"
takes '2|young2' -txid 5 -generation $young
takes '4|old4' -txid 5 -generation $old
rm -r replica/generations/$young

# An older generation is no substitute for the newest one.
rm -r replica/generations/$new/snapshots
expect_exit 4 "$LSVFS_RESTORE" -o none.db replica 2>err.txt
grep -q "damaged generation $new: it has no snapshot" err.txt ||
	fail "$(cat err.txt)"
takes '9|middle9' -timestamp 2026-01-01T11:59:59Z
