#!/bin/bash
# SPDX-License-Identifier: MIT
#
# --help, manual and completion name the same commands and options, and help
# goes to stdout, in 80 columns, errors to stderr.

. "${top_srcdir:-.}/test/lib/functions.sh"

man=$top_srcdir/man

# The completion as bash runs it: completes WORD... (the last one is open).
complete_words()
{
	bash -c '
		. "$1"
		shift
		compopt() { :; }
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		run=_${1//-/_}
		"$run" "$1" "${COMP_WORDS[COMP_CWORD]}" \
			"${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"
	' complete "$top_srcdir/tools/lsvfs.bash" "$@" | sort
}

# options_of COMMAND...: as its help names them.
options_of()
{
	"$@" -help 2>err >out || fail "$*: exit $?"
	[ ! -s err ] || fail "$*: says on stderr: $(cat err)"
	[ -s out ] || fail "$*: no help"
	! grep -E '.{81}' out || fail "$*: help is wider than 80 columns"
	sed -nE 's/^  (-[a-z-]+).*/\1/p' out | sort
}

# options_in_manual FILE: those of its lists.
options_in_manual()
{
	sed -nE 's/^\.It Fl ([a-z-]+).*/-\1/p' "$1" | sort -u
}

# options_of_section FILE COMMAND: those of the command's own section.
options_of_section()
{
	awk -v "command=$2" '/^\.S[sh] / { inside = $0 == ".Ss Cm " command }
		inside' "$1" >section
	options_in_manual section
}

same_list()
{
	diff "$1" "$2" >&2 || fail "$3"
}

# lsvfs-restore
options_of "$LSVFS_RESTORE" >help
[ "$(wc -l <help)" -gt 10 ] || fail "few options in the help: $(cat help)"
complete_words lsvfs-restore - >completion
options_in_manual "$man/lsvfs-restore.1" >manual
same_list help completion 'completion of lsvfs-restore is not its help'
same_list help manual 'lsvfs-restore(1) has other options than the help'

# lsvfs
"$LSVFS" help | sed -nE 's/^  ([a-z]+) .*/\1/p' | sort >commands
[ "$(wc -l <commands)" -gt 3 ] || fail "few commands: $(cat commands)"
complete_words lsvfs '' >completion
same_list commands completion 'completion of lsvfs has other commands'
grep -vxE 'help|version' commands >with_options
while read -r command; do
	options_of "$LSVFS" "$command" >help
	complete_words lsvfs "$command" - >completion
	same_list help completion "completion of lsvfs $command is not its help"
	# lsvfs restore is lsvfs-restore, and its manual is that one's.
	if [ "$command" = restore ]; then
		options_in_manual "$man/lsvfs-restore.1" >manual
	else
		options_of_section "$man/lsvfs.1" "$command" >manual
	fi
	same_list help manual "lsvfs $command has other options than its manual"
done <with_options
sed -nE 's/^\.(It|Ss) Cm ([a-z]+).*/\2/p' "$man/lsvfs.1" | sort -u >manual
same_list commands manual 'lsvfs(1) has other commands than the help'

# ...and it has one subcommand.
[ "$(complete_words lsvfs config '')" = check ] ||
	fail 'completion of lsvfs config is not check'

# What follows an option is its value.
[ "$(complete_words lsvfs-restore -integrity-check q)" = quick ] ||
	fail 'no value of -integrity-check is offered'
[ -z "$(complete_words lsvfs-restore -txid -)" ] ||
	fail 'an option is offered where a number is due'

# help COMMAND is COMMAND -help.
while read -r command; do
	"$LSVFS" "$command" -help >expected
	"$LSVFS" help "$command" >out || fail "help $command: exit $?"
	same_list expected out "lsvfs help $command is not its -help"
	[ "$(complete_words lsvfs help "$command")" = "$command" ] ||
		fail "completion of lsvfs help has no $command"
done <with_options

# Names are not abbreviated: what they seem to say may be another option.
while IFS='|' read -r option words; do
	for program in "$LSVFS_RESTORE" "$LSVFS restore"; do
		echo mine >keep.db
		# shellcheck disable=SC2086 # a program and its command
		expect_exit 2 $program $option -o keep.db nosuch >out 2>err
		[ ! -s out ] || fail "$option: printed $(cat out)"
		grep -q -- "^error: ${option%% *}: no such option$words, see" \
			err || fail "$option: said $(cat err)"
		[ "$(cat keep.db)" = mine ] || fail "$option: overwritten"
	done
done <<'EOF'
-f| (in full: -force)
--forc| (in full: -force)
-he| (in full: -help)
-ti=2026-01-31T23:59:59Z| (in full: -timestamp)
-txi 1| (in full: -txid)
-if| (in full: -if-db-not-exists or -if-replica-exists)
-hx|
EOF
expect_exit 2 "$LSVFS_RESTORE" -txi 2>err
grep -q '^error: -txi: no such option (in full: -txid)' err ||
	fail "-txi: said $(cat err)"
while read -r command option; do
	# shellcheck disable=SC2086 # an option and its value
	! "$LSVFS" "$command" $option nosuch >out 2>err || fail "took $option"
	grep -q -- "^error: ${option%% *}: no such option (in full: -.*)" err ||
		fail "$command $option: said $(cat err)"
done <<'EOF'
replicate -e true
sync -time 1s
sync -take
status -js
status -max 1s
databases -js
config -conf nosuch
generations -repl file
snapshots -js
wal -gen 0123456789abcdef
EOF

# An error is said on stderr, with the way to the help.
expect_exit 2 "$LSVFS_RESTORE" -no-such-option >out 2>err
[ ! -s out ] || fail "an error went to stdout: $(cat out)"
grep -q -- '-no-such-option' err || fail "the error does not name it: $(cat err)"
expect_exit 2 "$LSVFS" no-such-command >out 2>err
[ ! -s out ] || fail "an error went to stdout: $(cat out)"
grep -q 'no-such-command' err || fail "the error does not name it: $(cat err)"
