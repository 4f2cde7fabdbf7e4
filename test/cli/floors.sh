#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-floors.sh passes the tree as it is and sees each kind of fault that it
# is there for.

. "${top_srcdir:-.}/test/lib/functions.sh"

check=$top_srcdir/test/check-floors.sh

"$check" "$top_srcdir"

# plant FILE LINE MESSAGE: the check must name the file and say MESSAGE.
plant()
{
	rm -rf tree
	mkdir tree
	for folder in replica vfs tools; do
		[ ! -d "$top_srcdir/$folder" ] ||
			cp -R "$top_srcdir/$folder" tree/
	done
	chmod -R u+w tree
	mkdir -p "$(dirname "tree/$1")"
	printf '%s\n' "$2" >>"tree/$1"
	expect_exit 1 "$check" tree 2>err
	grep -F "$1:" err | grep -qF "$3" || fail "$1: $2: $(cat err)"
}

# upward
plant replica/wal/pos.c '#include "replica/spool/shadow.h"' \
	'wal/ may not look into spool/'
plant replica/base/log.h '#  include "vfs/lsvfs.h"' \
	'base/ may not look into vfs/'
plant replica/ship/config.c '#include "vfs/lsvfs.h"' \
	'ship/ may not look into vfs/'
# across
plant replica/store/new.c '#include "replica/spool/shadow.h"' \
	'store/ may not look into spool/'
plant replica/restore/new.c '#include "replica/ship/config.h"' \
	'restore/ may not look into ship/'
# by another path, so that it would not be seen
plant replica/wal/pos.c '#include "../spool/shadow.h"' \
	'is not a path from the top of the tree'
plant replica/wal/pos.c '#include SPOOL' 'cannot be read'
# through a wall
plant replica/wal/frame.c '#include <xxhash.h>' \
	'has its door in replica/wal/pagehash.c'
plant replica/ship/new.c '#include <sqlite3.h>' 'has its door in vfs/*'
plant replica/store/new.c '#include <libxml/parser.h>' 'has no door'
# a new floor
plant replica/cellar/new.c '#include <stdio.h>' "'cellar' is not a floor"

# Nothing to check is a fault, too: a check that sees no file passes all.
mkdir empty
expect_exit 1 "$check" empty
