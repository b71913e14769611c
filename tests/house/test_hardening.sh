# What the tool and the library are built with, against mistakes that are still in them: looked up in the files themselves.
. "$(dirname "$0")/claims.sh"
tool=$build/trawl
so=$build/libtrawl.so

# header FILE PATTERN: its program headers, dynamic section and type have a line like that.
header()
{
	readelf -hldW "$1" | grep -E -- "$2"
}

position_independent()
{
	header "$tool" 'Type: +DYN \(Position-Independent' && header "$tool" 'Flags:.* PIE' && header "$so" 'Type: +DYN'
}

# No code is changed while it is loaded, and none lies in memory that can be written to.
code_stays_code()
{
	local file
	for file in "$tool" "$so"; do
		! header "$file" TEXTREL && header "$file" 'GNU_STACK.* RW +' && ! header "$file" 'LOAD.* RWE ' || return 1
	done
}

relocations_are_read_only()
{
	local file
	for file in "$tool" "$so"; do
		header "$file" GNU_RELRO && header "$file" 'BIND_NOW|Flags:.* NOW' || return 1
	done
}

calls()
{
	nm -D --undefined-only "$1" | grep " U $2"
}

stacks_are_protected()
{
	calls "$tool" __stack_chk_fail && calls "$so" __stack_chk_fail
}

# Level 3 cannot be told from the file, so it is read from the command that compiles one.
buffers_are_fortified()
{
	calls "$tool" '__snprintf_chk' && calls "$so" '__snprintf_chk' &&
		make -s -n -C "$top" BUILD="$tmp/none" CFLAGS="-O2 -g" "$tmp/none/base/error.c.o" | grep -- '-D_FORTIFY_SOURCE=3'
}

claim "the tool can be loaded anywhere, and so can the library" position_independent
claim "no memory is both written to and executed" code_stays_code
claim "relocations are done at start, and read-only from then on" relocations_are_read_only
claim "stack frames with buffers are guarded" stacks_are_protected
if nm "$tool" | grep '__[at]san_init\|__ubsan_handle' >/dev/null; then # not -q: nm would fail at the pipe that closes
	skip "buffers are fortified" "not under a sanitizer"
else
	claim "functions that fill buffers check their sizes" buffers_are_fortified
fi
