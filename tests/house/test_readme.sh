# The README's C example compiles and runs, and its links lead somewhere.
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
claim "the links of README and CONTRIBUTING lead to files" links_lead_somewhere
