# The README's C example compiles and runs, the output that it shows is true, and its links
# lead somewhere.
. "$(dirname "$0")/claims.sh"
cc=${CC:-cc}

# example COMPILER STANDARD LIBRARY...: the C example of the README, compiled with all warnings and linked.
example()
{
	local compiler=$1 standard=$2
	shift 2
	awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$top/README.md" >"$tmp/example.c"
	rm -f "$tmp/example"
	[ -s "$tmp/example.c" ] &&
		$compiler -std=$standard -Wall -Wextra -Wpedantic -Werror ${CFLAGS:-} -I"$top/include" "$tmp/example.c" -x none "$@" \
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
for standard in c99 c11 c17; do
	claim "the example of the README compiles as $standard" example "$cc" $standard "$build/libtrawl.a" $libs
done
for standard in c++11 c++17; do
	claim "and as $standard" example "${CXX:-c++} -x c++" $standard "$build/libtrawl.a" $libs
done
claim "and is linked with the shared library" example "$cc" c11 -L"$build" -ltrawl
claim "and runs with it" fails env LD_LIBRARY_PATH="$build" bash -c "cd '$tmp' && ./example"
claim "and tells what is wrong" says "no such index: news.trawl" env LD_LIBRARY_PATH="$build" bash -c "cd '$tmp' && ./example"
claim "and with the shared library as C++" example "${CXX:-c++} -x c++" c++17 -L"$build" -ltrawl
claim "and with the static one" example "$cc" c11 "$build/libtrawl.a" $libs
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
