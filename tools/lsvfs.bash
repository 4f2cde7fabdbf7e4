# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Completion of lsvfs and lsvfs-restore for bash; installed as
# $(datadir)/bash-completion/completions/lsvfs, lsvfs-restore beside it.

# The option before the word that is completed decides what it may be.
_lsvfs_value()
{
	case $1 in
	-o | -replica-url | -config)
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		compopt -o filenames
		;;
	-integrity-check)
		mapfile -t COMPREPLY < <(compgen -W 'none quick full' -- "$2")
		;;
	-replica | -timestamp | -txid | -index | -generation | -parallelism | \
		-timeout | -max-lag)
		COMPREPLY=()
		;;
	*)
		return 1
		;;
	esac
}

# _lsvfs_words WORDS WORD: options, or files where no option begins.
_lsvfs_words()
{
	if [[ $2 == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		compopt -o filenames
	fi
}

_lsvfs()
{
	local word=$2 before=$3
	local commands='replicate sync status restore databases config
		generations snapshots wal version help'

	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
		return
	fi
	_lsvfs_value "$before" "$word" && return
	case ${COMP_WORDS[1]} in
	replicate) _lsvfs_words '-config -no-expand-env
		-exec -help' "$word" ;;
	sync)
		_lsvfs_words '-timeout -replica-url -config -no-expand-env
			-takeover -help' "$word"
		;;
	status)
		_lsvfs_words '-json -prometheus -watch -max-lag -config
			-no-expand-env -help' "$word"
		;;
	generations | snapshots)
		_lsvfs_words '-config -no-expand-env -replica -json -help' \
			"$word"
		;;
	databases)
		_lsvfs_words '-config -no-expand-env -json -help' "$word"
		;;
	config)
		_lsvfs_words '-config -no-expand-env -json -help' "$word"
		[[ $word == -* ]] ||
			mapfile -t COMPREPLY < <(compgen -W check -- "$word")
		;;
	restore) _lsvfs_restore "$@" ;;
	help)
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
		;;
	wal)
		_lsvfs_words '-generation -config -no-expand-env -replica -json
			-help' "$word"
		;;
	esac
}

_lsvfs_restore()
{
	local word=$2 before=$3

	_lsvfs_value "$before" "$word" ||
		_lsvfs_words '-o -config -no-expand-env -replica -timestamp
			-txid -index -generation -parallelism -integrity-check -if-db-not-exists
			-if-replica-exists -force -dry-run -json -v -help
			-version' "$word"
}

complete -F _lsvfs lsvfs
complete -F _lsvfs_restore lsvfs-restore
