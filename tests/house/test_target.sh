# Builds that could not work stop, and say why; kernels that the processor lacks are refused; others are not run by accident.
. "$(dirname "$0")/claims.sh"
cc=${CC:-cc}
unset TRAWL_KERNEL

# compile FLAG...: base/cpu.c as the Makefile does it, with flags of the user's.
compile()
{
	make -C "$top" --no-print-directory -s BUILD="$tmp/build" CC="$cc" CFLAGS="-O1 $*" "$tmp/build/base/cpu.c.o"
}

# refused WHY TEXT FLAG...: no object, and TEXT is told.
refused()
{
	local why=$1 text=$2
	shift 2
	rm -rf "$tmp/build"
	claim "$why is refused while it compiles" says "$text" compile "$@"
	claim "and leaves no object" test ! -e "$tmp/build/base/cpu.c.o"
}
claim "the usual flags compile" compile
refused "-ffast-math" "as IEEE 754 has them" -ffast-math
refused "-Ofast" "as IEEE 754 has them" -Ofast
refused "a part of it" "as IEEE 754 has them" -ffinite-math-only
refused "another byte order" "big-endian" -U__BYTE_ORDER__ -D__BYTE_ORDER__=__ORDER_BIG_ENDIAN__ -Wno-builtin-macro-redefined
refused "a 32-bit target" "64-bit" -U__SIZEOF_POINTER__ -D__SIZEOF_POINTER__=4 -Wno-builtin-macro-redefined
claim "a build by hand is told of the flag that it must give" \
	says "-ffp-contract=off" $cc -std=c11 -D_GNU_SOURCE -I"$top" -I"$top/include" -fsyntax-only "$top/base/cpu.c"
claim "flags of x86-64 are not given to compilers for other machines" bash -c "
	printf '#!/bin/sh\necho riscv64-linux-gnu\n' >'$tmp/cc' && chmod +x '$tmp/cc' &&
	! make -n -C '$top' BUILD='$tmp/none' CC='$tmp/cc' '$tmp/none/searcher/kernel_avx512.c.o' | grep -e -mavx"

# ---- kernels by name ----

printf '{"id":"a","text":"rain in spain"}\n' >"$tmp/one.jsonl"
index=$tmp/one.trawl
"$TRAWL" index -q "$index" "$tmp/one.jsonl" >/dev/null 2>&1

# is_error TEXT COMMAND...: exit status 2, and TEXT on standard error.
is_error()
{
	local text=$1
	shift
	"$@" >"$tmp/.output" 2>&1
	local status=$?
	grep -F -e "$text" "$tmp/.output" && [ $status -eq 2 ] || { echo "exit status $status" && cat "$tmp/.output" && return 1; }
}

claim "a kernel that is none is an error of search" \
	is_error "TRAWL_KERNEL is 'mmx'" env TRAWL_KERNEL=mmx "$TRAWL" search "$index" rain
claim "and of index" is_error "TRAWL_KERNEL is 'mmx'" env TRAWL_KERNEL=mmx "$TRAWL" index "$tmp/new.trawl" "$tmp/one.jsonl"
claim "and leaves no index" test ! -e "$tmp/new.trawl"
claim "and of check" is_error "TRAWL_KERNEL is 'mmx'" env TRAWL_KERNEL=mmx "$TRAWL" check "$index"
claim "and of salvage" is_error "TRAWL_KERNEL is 'mmx'" env TRAWL_KERNEL=mmx "$TRAWL" salvage "$index" "$tmp/new.trawl"
claim "and of compact" is_error "TRAWL_KERNEL is 'mmx'" env TRAWL_KERNEL=mmx "$TRAWL" compact "$index"
claim "the scalar kernel is there everywhere" env TRAWL_KERNEL=scalar "$TRAWL" search "$index" rain
claim "an empty name is none" env TRAWL_KERNEL= "$TRAWL" search "$index" rain

# ---- lesser processors ----

# on PROCESSOR COMMAND...: run by an emulator, with what that processor has.
on()
{
	local processor=$1
	shift
	"$emulator" -cpu "$processor" "$@" 2> >(grep -v 'warning: TCG' >&2)
}

emulator=$(command -v qemu-x86_64 || command -v qemu-x86_64-static)
why=
if [ "$(uname -m)" != x86_64 ]; then
	why="not an x86-64"
elif [ -z "$emulator" ]; then
	why="there is no qemu-x86_64"
elif nm "$TRAWL" 2>/dev/null | grep '__[at]san_init\|__ubsan_handle' >/dev/null; then
	why="a sanitizer build"
elif [[ ${CFLAGS-} == *-march=* ]]; then
	why="built for one processor"
fi
if [ -n "$why" ]; then
	skip "processors without AVX2 or AVX-512 search, and refuse the kernels that they lack" "$why"
else
	claim "a processor without AVX2 uses the scalar kernel" says "(scalar kernels)" on Nehalem "$TRAWL" --version
	claim "and indexes" on Nehalem "$TRAWL" index -q "$tmp/old.trawl" "$top/samples/news"
	claim "and searches" on Nehalem "$TRAWL" search --json "$tmp/old.trawl" 'inspectors +"children’s services" -football'
	claim "and refuses avx2" is_error "cannot run; its best is scalar" env TRAWL_KERNEL=avx2 \
		"$emulator" -cpu Nehalem "$TRAWL" search "$index" rain
	claim "and avx512" is_error "cannot run; its best is scalar" env TRAWL_KERNEL=avx512 \
		"$emulator" -cpu Nehalem "$TRAWL" search "$index" rain
	claim "a processor with AVX2 uses that kernel" says "(avx2 kernels)" on Haswell "$TRAWL" --version
	claim "and searches" on Haswell "$TRAWL" search --json "$tmp/old.trawl" 'inspectors +"children’s services" -football'
	claim "and refuses avx512" is_error "cannot run; its best is avx2" env TRAWL_KERNEL=avx512 \
		"$emulator" -cpu Haswell "$TRAWL" search "$index" rain
	claim "and takes scalar" says "(scalar kernels)" env TRAWL_KERNEL=scalar "$emulator" -cpu Haswell "$TRAWL" --version
fi
