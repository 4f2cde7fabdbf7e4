# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# How tests get liblsvfs.so into programs; after functions.sh.

: "${top_srcdir:?}"

: "${CC:=cc}"
# What tests compile: as the library was, so that one sanitizer serves both.
read -r -a compile <<<"$CC ${SANITIZER:+-fsanitize=$SANITIZER -g} -Wall"

sanitizer_runtime=
case $SANITIZER in
*address*)
	sanitizer_runtime=$($CC -print-file-name=libasan.so)
	# Python, PHP and Node never give everything back.
	export ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
	;;
esac

# Programs that were not built for it cannot run under ThreadSanitizer.
not_under_tsan()
{
	case $SANITIZER in
	*thread*) skip "under ThreadSanitizer only linked programs run" ;;
	esac
}

# preload COMMAND...: with us preloaded.
preload()
{
	LD_PRELOAD=${sanitizer_runtime:+$sanitizer_runtime }$LIBLSVFS "$@"
}

# unloaded COMMAND...: without us, but able to load us.
unloaded()
{
	LD_PRELOAD=$sanitizer_runtime "$@"
}

# compile_way PROGRAM [FLAG...]: way.c.
compile_way()
{
	local program=$1
	shift

	"${compile[@]}" -o "$program" "$top_srcdir/test/cli/way.c" "$@"
}

# prints EXPECTED COMMAND...: fail unless its stdout is that, and it succeeds.
prints()
{
	local expected=$1 got
	shift

	got=$("$@") || fail "exit $?: $*"
	[ "$got" = "$expected" ] ||
		fail "printed '$got', expected '$expected': $*"
}

# What the tests of the ways in do to a database, through any language.
# shellcheck disable=SC2034 # by them
way_sql="create table t (id integer primary key, x text);
insert into t (x) values ('one'), ('two');
begin;
insert into t (x) with recursive n (i) as
  (select 1 union all select i + 1 from n where i < 500)
  select hex(randomblob(50)) from n;
commit;
update t set x = 'three' where id % 7 = 0;
delete from t where id % 5 = 0"
way_rows=402

# round_trip DB COMMAND...: COMMAND writes DB and prints $way_rows and nothing
# else; the database is destroyed, restored from $PWD/backup/DB, and the same:
# its bytes as a checkpointed copy's, its content as .sha3sum sees it.
# $before_loss: run before it is destroyed, with the database as argument.
before_loss=:
round_trip()
{
	local db=$1 got
	shift

	got=$(LSVFS_REPLICA_URL=$PWD/backup/%f "$@" 2>err) ||
		fail "exit $?: $*: $(cat err)"
	[ "$got" = "$way_rows" ] || fail "printed '$got': $*"
	[ ! -s err ] || fail "said '$(cat err)': $*"
	rm -rf kept
	mkdir kept
	cp "$db"* kept/
	LSVFS_REPLICA_URL=$PWD/backup/$db $before_loss "$db" ||
		fail "exit $?: $before_loss $db"
	sqlite3 "kept/$db" 'pragma wal_checkpoint(truncate)' '.sha3sum' >sum
	rm -rf "$db" "$db-wal" "$db-shm" ".$db-litestream"
	"$LSVFS_RESTORE" -o "$db" "$PWD/backup/$db" >restore.log 2>&1 ||
		fail "lsvfs-restore: exit $?: $(cat restore.log)"
	same_file "kept/$db" "$db"
	sqlite3 "$db" 'pragma integrity_check' .sha3sum >restored
	{
		echo ok
		tail -n 1 sum
	} >expected
	same_file expected restored
}
