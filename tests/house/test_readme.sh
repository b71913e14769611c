# The README's C example compiles and runs, the output that it shows is true, and its links
# lead somewhere.
. "$(dirname "$0")/claims.sh"
cc=${CC:-cc}

example()
{
	awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$top/README.md" >"$tmp/example.c"
	[ -s "$tmp/example.c" ] &&
		$cc -std=c11 -Wall -Wextra -Werror ${CFLAGS:-} -I"$top/include" "$tmp/example.c" "$build/libtrawl.a" $libs \
			-o "$tmp/example"
}

links_lead_somewhere()
{
	local bad=0 link
	for link in $(grep -ohE '\]\([^)#]+\)' "$top/README.md" "$top/CONTRIBUTING.md" | sed 's/^](\(.*\))$/\1/' | grep -v :); do
		[ -e "$top/$link" ] || { echo "$link" && bad=1; }
	done
	return $bad
}

libs=$(sed -n 's/^LIBS *:= *//p' "$top/Makefile")
claim "the C example of the README compiles" example
"$TRAWL" index "$tmp/news.trawl" "$top/samples/news" >"$tmp/out" 2>&1
claim "and finds in the samples what it looks for" bash -c "cd '$tmp' && ./example | grep -q ."
# Each search of the first console block, run again where the block's first command put its index.
shown_searches_are_true()
{
	awk '/^```console$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$top/README.md" >"$tmp/shown"
	trawl()
	{
		"$TRAWL" "$@"
	}
	(cd "$tmp" && while IFS= read -r line; do
		[[ $line == '$ trawl search '* ]] && echo "$line" && eval "${line#'$ '}" </dev/null
	done <"$tmp/shown") >"$tmp/true"
	grep -q '^[0-9]' "$tmp/true" && sed -n '/^\$ trawl search/,$p' "$tmp/shown" | diff - "$tmp/true"
}

ln -s "$top/samples" "$tmp/samples"
(cd "$tmp" && rm -f news.trawl && "$TRAWL" index news.trawl samples/news) >"$tmp/out" 2>&1
claim "the searches that the README shows give what it shows" shown_searches_are_true
claim "the README has no blank left to fill in" bash -c "! grep -n '@[A-Z]*@' '$top/README.md'"
claim "the links of README and CONTRIBUTING lead to files" links_lead_somewhere
