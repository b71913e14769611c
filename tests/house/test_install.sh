# make install puts a tool, a library and its pkg-config file that work from there; make uninstall takes them away.
. "$(dirname "$0")/claims.sh"
cc=${CC:-cc}
cflags=(-std=c11 -Wall -Wextra -Werror ${CFLAGS:-})
root=$tmp/root
prefix=/opt/trawl
installed=$root$prefix

run_make()
{
	make -C "$top" --no-print-directory -s BUILD="$build" DESTDIR="$root" PREFIX=$prefix "$@"
}

claim "make install succeeds" run_make install
claim "and says that ldconfig is still to be run" says "once root has run ldconfig" run_make install
for file in bin/trawl include/trawl.h lib/libtrawl.a lib/libtrawl.so lib/libtrawl.so.0 lib/pkgconfig/trawl.pc \
	share/man/man1/trawl.1; do
	claim "installs $file" test -s "$installed/$file"
done
claim "the installed tool runs" "$installed/bin/trawl" --version

export PKG_CONFIG_PATH=$installed/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
cat >"$tmp/hello.c" <<'END'
#include <stdio.h>
#include <trawl.h>

int main(void)
{
	trawl_index *index = NULL;
	trawl_error error;
	int status = trawl_open(&index, "no-such-file.trawl", &error);
	trawl_close(index);
	printf("%s %s\n", trawl_version(), trawl_status_name(status));
	return status == TRAWL_ENOTFOUND && error.text[0] ? 0 : 1;
}
END
version=$(sed -n 's/^#define TRAWL_VERSION "\(.*\)"/\1/p' "$top/include/trawl.h")
claim "pkg-config knows the version" says "$version" pkg-config --modversion trawl
claim "a program builds against the installed shared library" \
	$cc "${cflags[@]}" "$tmp/hello.c" $(pkg-config --cflags --libs trawl) -o "$tmp/hello"
claim "and runs with it" says "$version not found" env LD_LIBRARY_PATH="$installed/lib" "$tmp/hello"
claim "and asks for the soname" says "libtrawl.so.0" readelf -d "$tmp/hello"
# The static library by name, as -ltrawl prefers the shared one beside it; the rest is what pkg-config says.
static=$(pkg-config --static --libs trawl | sed "s|-ltrawl|$installed/lib/libtrawl.a|")
claim "a program builds against the installed static library" \
	$cc "${cflags[@]}" $(pkg-config --cflags trawl) "$tmp/hello.c" $static -o "$tmp/hello-static"
claim "and runs alone" says "$version not found" "$tmp/hello-static"
claim "the header stands alone in C++" \
	${CXX:-c++} -std=c++17 -Wall -Wextra -Werror -fsyntax-only -x c++ "$installed/include/trawl.h"

claim "make uninstall succeeds" run_make uninstall
claim "make uninstall leaves no file" test -z "$(find "$root" ! -type d)"
claim "and no folder" test ! -e "$installed"

root= prefix=$tmp/home
claim "without DESTDIR it installs, too" run_make install
claim "and says how programs find the library where the loader does not look" \
	says "-Wl,-rpath,$prefix/lib" run_make install
program=$tmp/home/hello
claim "which is true" bash -c "
	PKG_CONFIG_SYSROOT_DIR= PKG_CONFIG_PATH='$prefix/lib/pkgconfig' &&
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR &&
	$cc ${cflags[*]} '$tmp/hello.c' \$(pkg-config --cflags --libs trawl) -Wl,-rpath,'$prefix/lib' -o '$program' && '$program'"
: >"$prefix/lib/other.so"
claim "make uninstall succeeds there" run_make uninstall
claim "and leaves what others put there" test "$(cd "$prefix" && find . -type f | sort | xargs)" = "./hello ./lib/other.so"
claim "a name with a space is refused, before anything is written" bash -c "
	make -C '$top' --no-print-directory -s BUILD='$build' DESTDIR='$tmp/a b' PREFIX=/x install 2>&1 | grep -F 'spaces in names' &&
	[ ! -e '$tmp/a' ] && [ ! -e '$tmp/a b' ]"
