# ./setup, with a stand-in for the system's package tools: nothing is installed here.
. "$(dirname "$0")/claims.sh"
mkdir "$tmp/bin" "$tmp/bare"

# system INSTALLED: a system on which dpkg-query knows the packages that match the pattern, and apt-get fails.
system()
{
	cat >"$tmp/bin/dpkg-query" <<-END
		#!/bin/bash
		for package; do :; done
		[[ \$package == $1 ]] && printf installed
	END
	printf '#!/bin/sh\necho "$*" >>"%s/called"\nexit 1\n' "$tmp" | tee "$tmp/bin/apt-get" >"$tmp/bin/sudo"
	chmod +x "$tmp/bin"/*
	rm -f "$tmp/called"
}

setup()
{
	PATH=$tmp/bin:$PATH "$top/setup" "$@"
}

system '*'
claim "setup succeeds when nothing is missing" setup
claim "setup --tests succeeds when nothing is missing" setup --tests
claim "and prints nothing" test ! -s "$tmp/.said"
claim "and asks for nothing over the network" test ! -e "$tmp/called"

system '!(libzstd-dev)'
sed -i '1a shopt -s extglob' "$tmp/bin/dpkg-query"
claim "setup fails when apt-get does" fails setup
claim "and names what is missing" says "could not install: libzstd-dev" setup
claim "and asks apt-get for that only" says "install -y --no-install-recommends libzstd-dev" cat "$tmp/called"

system 'no*'
claim "setup asks for the build packages" says "could not install: build-essential" setup
claim "setup does not ask for test packages" bash -c "! grep -q libcmocka-dev '$tmp/called'"
claim "setup --tests does" says libcmocka-dev setup --tests

for command in bash dirname id; do
	ln -s "$(command -v $command)" "$tmp/bare/$command"
done
claim "without apt-get setup names the packages" says "liblmdb-dev" env PATH="$tmp/bare" bash "$top/setup"
claim "and fails" fails env PATH="$tmp/bare" bash "$top/setup"

for script in setup test; do
	"$top/$script" --no-such-option >"$tmp/out" 2>&1
	claim "./$script refuses an unknown option with exit status 2" test $? -eq 2
done
