# lib.sh - for the tests of the tool: `run` it, look at what came, make a `claim`, and `finish`.
set -u
TRAWL=$(realpath -m "${TRAWL:-build/trawl}")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset NO_COLOR TRAWL_KERNEL
export LC_ALL=C.UTF-8 TERM=xterm
# A sanitizer's report must not look like an exit code of the tool.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=199" UBSAN_OPTIONS="${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}exitcode=199"
failures=0 status=0

# run COMMAND...: its exit code in $status, its output in the files .out and .err. Standard input is the caller's.
run()
{
	timeout 120 "$@" >.out 2>.err
	status=$?
}

trawl()
{
	run "$TRAWL" "$@"
}

exits() { [ "$status" -eq "$1" ]; }
out_has() { grep -qF -e "$1" .out; }
err_has() { grep -qF -e "$1" .err; }
out_matches() { grep -qE -e "$1" .out; }
err_matches() { grep -qE -e "$1" .err; }
out_lines() { [ "$(wc -l <.out)" -eq "$1" ]; }
err_lines() { [ "$(wc -l <.err)" -eq "$1" ]; }
silent() { [ ! -s .err ]; }

# claim TEXT: whether the command before it succeeded.
claim()
{
	if [ $? -eq 0 ]; then
		echo "ok - $1"
		return
	fi
	echo "not ok - $1"
	failures=$((failures + 1))
	echo "    exit status $status"
	head -c 2000 .out 2>/dev/null | sed 's/^/    out: /'
	head -c 2000 .err 2>/dev/null | sed 's/^/    err: /'
}

skip()
{
	echo "ok - $1 # SKIP $2"
}

# have PROGRAM CLAIM: whether it is there; if not, the claim is skipped. script(1) also needs a terminal that can be made.
have()
{
	if [ "$1" = script ] && command -v script >/dev/null && ! script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
		skip "$2" "no terminal can be made here"
		return 1
	fi
	command -v "$1" >/dev/null && return 0
	skip "$2" "there is no $1"
	return 1
}

finish()
{
	exit $((failures > 0))
}

# Five documents in news.jsonl, indexed as news.trawl when asked for.
make_news()
{
	cat >news.jsonl <<'END'
{"id":"n1","title":"Rain in Spain","text":"The rain in Spain stays mainly in the plain. Farmers were pleased."}
{"id":"n2","title":"Drought","text":"No rain fell in the south. The plain was dry.","year":1999,"tags":["dry","hot"]}
{"id":"n3","title":"Harvest","text":"Farmers harvested wheat on the plain. The harvesting took weeks."}
{"id":"n4","title":"","text":"A document without a title tells of olives."}
{"id":"n 5","title":"Café","text":"Das Café öffnet um zehn. Naïve guests wait. 東京 is far."}
END
	[ "${1-}" = indexed ] || return 0
	trawl index -q news.trawl news.jsonl || true
	[ "$status" -eq 0 ] || echo "    the news could not be indexed: $(cat .err)"
}

# eventually COMMAND...: whether it succeeds within a minute.
eventually()
{
	for _ in $(seq 600); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
