#!/bin/bash
# SPDX-License-Identifier: MIT
#
# check-floors.sh [ROOT]: no include climbs, and each library has one door.
#
#	  tools/
#	    |  \
#	    |   vfs/
#	    v     v
#	  restore/  ship/              (these two never meet)
#	       \   /     \
#	      store/     spool/        (nor do these)
#	        |          |
#	      format/      |
#	          \        |
#	            wal/ <-'
#	             |
#	            base/
#
# A file includes from its own floor or from one that the drawing leads down
# to.  A header of neither our tree nor libc needs a line in the table of
# doors below: what is not known is refused.

set -eu -o pipefail

cd "${1:-$(dirname "$0")/..}"

# floor: the floors it may look into, beside its own
declare -A below=(
	[base]=''
	[wal]='base'
	[format]='wal base'
	[store]='format wal base'
	[spool]='wal base'
	[ship]='store spool format wal base'
	[restore]='store format wal base'
	[vfs]='ship store spool format wal base'
	[tools]='vfs restore ship store spool format wal base'
)

# header of a library: the files that may include it (patterns)
doors=(
	'curl/* replica/store/http.c'
	'openssl/* replica/store/digest.c'
	'expat.h replica/store/s3_xml.c'
	'expat.h replica/store/sts_xml.c'
	'jansson.h replica/store/credential_json.c'
	'jansson.h replica/format/note.c'
	'jansson.h tools/json.c'
	'zstd*.h replica/format/coder_zstd.c'
	'lz4*.h replica/format/coder_lz4.c'
	'yaml.h replica/ship/config_document.[ch]'
	'xxhash.h replica/wal/pagehash.c'
	'nmmintrin.h replica/base/crc32c.c'
	'sqlite3*.h vfs/*'
	'sqlite3*.h replica/restore/verify.c'
)

libc='arpa/*|asm/*|linux/*|net/*|netinet/*|sys/*|assert.h|byteswap.h|ctype.h|
dirent.h|dlfcn.h|elf.h|endian.h|err.h|errno.h|fcntl.h|fnmatch.h|ftw.h|getopt.h|
glob.h|grp.h|inttypes.h|libgen.h|limits.h|link.h|locale.h|malloc.h|math.h|
netdb.h|poll.h|pthread.h|pwd.h|sched.h|semaphore.h|setjmp.h|signal.h|spawn.h|
stdalign.h|stdarg.h|stdatomic.h|stdbool.h|stddef.h|stdint.h|stdio.h|stdlib.h|
stdnoreturn.h|string.h|strings.h|sysexits.h|syslog.h|termios.h|time.h|ucontext.h|
unistd.h|utime.h'
libc=${libc//$'\n'/}

n_files=0
n_bad=0

bad()
{
	printf '%s: %s\n' "$1" "$2" >&2
	n_bad=$((n_bad + 1))
}

# floor_of PATH: sets $floor
floor_of()
{
	floor=${1#replica/}
	floor=${floor%%/*}
}

# "x.h" in our tree
check_ours()
{
	local where=$1 from=$2 name=$3 floor

	if [ ! -e "$name" ]; then
		bad "$where" "\"$name\" is not a path from the top of the tree"
		return
	fi
	floor_of "$name"
	[[ " $from ${below[$from]} " == *" $floor "* ]] ||
		bad "$where" "$from/ may not look into $floor/: \"$name\""
}

# <x.h> of libc or a library
check_library()
{
	local where=$1 file=$2 name=$3 door open=

	# shellcheck disable=SC2053 # the right sides are patterns
	[[ $name == @($libc) ]] && return
	for door in "${doors[@]}"; do
		# shellcheck disable=SC2053
		[[ $name == ${door% *} ]] || continue
		open="$open ${door#* }"
		# shellcheck disable=SC2053
		[[ $file == ${door#* } ]] && return
	done
	if [ -n "$open" ]; then
		bad "$where" "<$name> has its door in$open"
	else
		bad "$where" "<$name> has no door in test/check-floors.sh"
	fi
}

while IFS= read -r -d '' file; do
	floor_of "$file"
	from=$floor
	n_files=$((n_files + 1))
	if [ -z "${below[$from]+known}" ]; then
		bad "$file" "'$from' is not a floor"
		continue
	fi
	while IFS=: read -r line text; do
		where=$file:$line
		if [[ $text =~ include[[:space:]]*\"([^\"]*)\" ]]; then
			check_ours "$where" "$from" "${BASH_REMATCH[1]}"
		elif [[ $text =~ include[[:space:]]*\<([^\>]*)\> ]]; then
			check_library "$where" "$file" "${BASH_REMATCH[1]}"
		else
			bad "$where" 'an include that cannot be read'
		fi
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' "$file" || :)
done < <(find replica vfs tools -name '*.[ch]' -print0 2>/dev/null | sort -z)

[ "$n_files" -gt 0 ] || bad "$PWD" 'no source to check'
[ "$n_bad" = 0 ] || exit 1
echo "floors: $n_files files"
