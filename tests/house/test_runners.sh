# The test runners count what they are told, and take silence, a crash and an empty list for failures.
. "$(dirname "$0")/claims.sh"
units=$top/tests/run_units
tool=$top/tests/run_tool
unset TRAWL_TOTALS

# program NAME STATUS TEXT: a stand-in for a cmocka program.
program()
{
	printf '#!/bin/sh\ncat <<"END"\n%s\nEND\nexit %d\n' "$3" "$2" >"$tmp/$1"
	chmod +x "$tmp/$1"
}

program good 0 '[==========] Running 12 test(s).
[  PASSED  ] 12 test(s).'
program groups 0 '[==========] Running 2 test(s).
[  PASSED  ] 2 test(s).
[==========] tests: Running 3 test(s).
noise without a newline[  PASSED  ] 3 test(s).'
program skipping 0 '[==========] Running 3 test(s).
[ RUN      ] avx512_agrees
[  SKIPPED ] avx512_agrees
[  PASSED  ] 2 test(s).
[  SKIPPED ] tests: 1 test(s), listed below:
[  SKIPPED ] avx512_agrees

 1 SKIPPED TEST(S)'
program failing 2 '[==========] Running 3 test(s).
[  FAILED  ] it_works
[  PASSED  ] 1 test(s).
[  FAILED  ] tests: 2 test(s), listed below:
[  FAILED  ] it_works
[  FAILED  ] it_does

 2 FAILED TEST(S)'
program cut 0 '[==========] Running 3 test(s).
[ RUN      ] exits_early'
program silent 0 ''
program lying 3 '[==========] Running 1 test(s).
[  PASSED  ] 1 test(s).'

claim "run_units passes a good program" "$units" "$tmp/good"
claim "run_units sums over groups and programs" says "17 passed, 0 failed, 0 skipped" "$units" "$tmp/good" "$tmp/groups"
claim "run_units counts skips" says "2 passed, 0 failed, 1 skipped" "$units" "$tmp/skipping"
claim "run_units shows skips" says "[  SKIPPED ] avx512_agrees" "$units" "$tmp/skipping"
claim "run_units fails with a failing program" fails "$units" "$tmp/good" "$tmp/failing"
claim "run_units counts each failure" says "13 passed, 2 failed, 0 skipped" "$units" "$tmp/good" "$tmp/failing"
claim "run_units shows what a failing program printed" says "it_does" "$units" "$tmp/failing"
claim "run_units takes a program that stops midway for a failure" fails "$units" "$tmp/cut"
claim "run_units takes silence for a failure" fails "$units" "$tmp/silent"
claim "run_units takes a bad exit status for a failure" says "1 passed, 1 failed" "$units" "$tmp/lying"
claim "run_units takes a missing program for a failure" fails "$units" "$tmp/absent"
claim "run_units takes an empty list for a failure" fails "$units"
printf '#!/bin/sh\nexec sleep 300\n' >"$tmp/hanging" && chmod +x "$tmp/hanging"
claim "run_units ends a hanging program" fails env TRAWL_TEST_SECONDS=1 "$units" "$tmp/hanging"
printf '#!/bin/sh\nsleep 1\necho "$0" >>"%s/ends"\n' "$tmp" | tee "$tmp/slow1" >"$tmp/slow2" && chmod +x "$tmp"/slow?
printf '#!/bin/sh\necho "$0" >>"%s/ends"\n' "$tmp" >"$tmp/fast" && chmod +x "$tmp/fast"
TRAWL_TEST_JOBS=2 "$units" "$tmp/slow1" "$tmp/fast" "$tmp/slow2" >"$tmp/out" 2>&1
claim "run_units runs programs side by side" says "fast" head -n 1 "$tmp/ends"
claim "and tells of them in the order in which they were named" \
	test "$(awk '/^FAIL/ { printf "%s ", $2 }' "$tmp/out")" = "slow1: fast: slow2: "
TRAWL_TOTALS=$tmp/totals "$units" "$tmp/good" "$tmp/failing" "$tmp/skipping" >"$tmp/out" 2>&1
claim "run_units appends its totals for ./test" says "15 2 1" cat "$tmp/totals"

printf 'echo "ok - a"; echo "ok - b # SKIP no disk"; echo "ok - c"' >"$tmp/good.sh"
printf 'echo "ok - a"; echo "not ok - b"' >"$tmp/failing.sh"
printf 'echo nothing' >"$tmp/silent.sh"
printf 'echo "ok - a"; exit 7' >"$tmp/cut.sh"
printf 'echo "ok - $(test -x "$TRAWL" -o "${TRAWL#/}" != "$TRAWL" && echo absolute)"' >"$tmp/where.sh"
claim "run_tool counts claims and skips" says "2 passed, 0 failed, 1 skipped" "$tool" "$tmp/good.sh"
claim "run_tool shows skips" says "ok - b # SKIP no disk" "$tool" "$tmp/good.sh"
claim "run_tool fails with a claim that does not hold" fails "$tool" "$tmp/good.sh" "$tmp/failing.sh"
claim "run_tool takes a script without claims for a failure" fails "$tool" "$tmp/silent.sh"
claim "run_tool takes a bad exit status for a failure" says "1 passed, 1 failed" "$tool" "$tmp/cut.sh"
claim "run_tool names the tool by an absolute path" says "1 passed" "$tool" "$tmp/where.sh"
