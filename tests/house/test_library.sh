# What the library shows to the outside, and what the tool takes from it.
. "$(dirname "$0")/claims.sh"
so=$build/libtrawl.so

# defined FILE...: external symbols that object files or an archive define.
defined()
{
	nm --defined-only -g "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u
}

# objects FOLDER...: those of the sources that are there now. Build folders also keep what was made from others, and for benches.
objects()
{
	local folder source
	for folder; do
		for source in "$top/$folder"/*.c "$top/$folder"/*.cc; do
			[ ! -e "$source" ] || echo "$build/${source#"$top/"}.o"
		done
	done
}

only_ours()
{
	nm -D --defined-only "$so" | awk '$3 !~ /^trawl_/ { print "exported: " $3; bad = 1 } END { exit bad || NR == 0 }'
}

# Every function that the header declares is exported, and nothing else is.
header_and_exports_agree()
{
	sed -n 's/^TRAWL_API [^(]*\(trawl_[a-z_0-9]*\)(.*/\1/p' "$top/include/trawl.h" | sort -u >"$tmp/declared"
	nm -D --defined-only "$so" | awk '{ print $3 }' | sort -u >"$tmp/exported"
	diff "$tmp/declared" "$tmp/exported"
}

# Of the symbols the library defines, the tool's objects may use those of the header.
tool_uses_public_names_only()
{
	defined "$build/libtrawl.a" | grep -v '^trawl_' >"$tmp/private"
	[ -s "$tmp/private" ] || return 1
	objects cli bench >"$tmp/objects"
	[ -s "$tmp/objects" ] || return 1
	xargs nm -u <"$tmp/objects" | awk 'NF == 2 { print $2 }' | sort -u | comm -12 - "$tmp/private" >"$tmp/leaks"
	[ ! -s "$tmp/leaks" ] || { cat "$tmp/leaks" && return 1; }
}

# A public name must not be defined twice, by the tool and by the library.
tool_defines_no_library_names()
{
	xargs nm --defined-only -g <"$tmp/objects" | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/tool"
	defined "$build/libtrawl.a" | comm -12 - "$tmp/tool" >"$tmp/twice"
	[ ! -s "$tmp/twice" ] || { cat "$tmp/twice" && return 1; }
}

# Only kernel files may hold wide instructions: the other files must run on any x86-64.
kernels_keep_to_their_files()
{
	objects base tokenizer input store segment indexer query searcher checker | grep -v _avx >"$tmp/plain"
	[ -s "$tmp/plain" ] || return 1
	local object bad=0
	while read -r object; do
		objdump -d --no-show-raw-insn "$object" | grep '%[yz]mm' >/dev/null && { echo "$object" && bad=1; }
	done <"$tmp/plain"
	return $bad
}

claim "libtrawl.so exports nothing but trawl_ names" only_ours
claim "libtrawl.so exports what trawl.h declares, all of it" header_and_exports_agree
claim "libtrawl.so has a soname" says "libtrawl.so.0" bash -c "readelf -d '$so' | grep SONAME"
claim "the tool uses public names of the library only" tool_uses_public_names_only
claim "the tool defines no name of the library" tool_defines_no_library_names
claim "the library prints nothing and exits never: no such call in it" \
	bash -c "! nm -u '$build/libtrawl.a' | grep -wE 'U (exit|_exit|abort|printf|puts|perror|stdout|stderr|__printf_chk|__fprintf_chk)'"
if [ "$(uname -m)" != x86_64 ]; then
	skip "wide instructions stay in the kernel files" "not an x86-64"
elif nm "$build/libtrawl.a" 2>/dev/null | grep __asan_ >/dev/null; then
	skip "wide instructions stay in the kernel files" "a sanitizer build"
elif [[ ${CFLAGS-} == *-march=* ]]; then
	skip "wide instructions stay in the kernel files" "built for one processor"
else
	claim "wide instructions stay in the kernel files" kernels_keep_to_their_files
fi
