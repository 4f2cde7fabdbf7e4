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
