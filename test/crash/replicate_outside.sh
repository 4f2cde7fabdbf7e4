#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The harnesses of this folder with programs that do not have us, and `lsvfs
# replicate` beside them, which is killed, stopped and ended, too.
#
#	test/crash/replicate_outside.sh [SEEDS [KILLS [SEED]]]

. "${top_srcdir:-.}/test/lib/functions.sh"

n_seeds=${1:-3}
n_kills=${2:-12}
seed=${3:-2}

# A process that a sanitizer slows down may not have copied what its guard kept
# when it is killed: more generations than needed, but no wrong one.
[ -n "$SANITIZER" ] ||
	"$top_builddir/test/crash/oracle" -replicate -seed "$seed" \
		-seeds "$n_seeds" || fail 'oracle'
"$top_builddir/test/crash/kill" -replicate -seed "$seed" -kills "$n_kills" ||
	fail 'kill'
