# Sourced by the tests of this folder: claims are lines "ok - ...", "not ok - ...", "ok - ... # SKIP why".
set -uo pipefail
top=${TRAWL_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${BUILD:-$top/build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# claim TEXT COMMAND...: the claim holds when the command succeeds; what it printed is shown otherwise.
claim()
{
	local text=$1
	shift
	if "$@" >"$tmp/.said" 2>&1; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		sed 's/^/  /' "$tmp/.said"
	fi
}

# fails COMMAND...: with exit status 1, not by accident.
fails()
{
	"$@"
	local status=$?
	[ $status -eq 1 ] || { echo "exit status $status, not 1" && return 1; }
}

# says TEXT COMMAND...: the command's output, whatever its exit status, has a line with TEXT.
says()
{
	local text=$1
	shift
	"$@" >"$tmp/.output" 2>&1
	grep -qF -e "$text" "$tmp/.output" || { cat "$tmp/.output" && return 1; }
}

skip()
{
	echo "ok - $1 # SKIP $2"
}
