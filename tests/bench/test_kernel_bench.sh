#!/usr/bin/env bash
# `kernel_bench`: every kernel of the machine is measured, and all put out the same.
. "$(dirname "$0")/../cli/lib.sh"

bench=${BUILD:-$(dirname "$TRAWL")}/kernel_bench
if [ ! -x "$bench" ]; then
	skip "kernel_bench_measures_every_kernel" "kernel_bench is not built"
	finish
fi
mkdir tmp
export TMPDIR=$work/tmp

run "$bench" --quick
exits 0 && silent && out_matches '^seed 1; 1048576 documents of [0-9.]+ tokens; [0-9]+ rounds, '
claim "a_quick_run_finds_all_kernels_equal_and_tells_the_seed"
for kernel in scalar avx2 avx512; do
	[ "$(grep -cE "^$kernel: (measured|not on this machine)\$" .out)" = 1 ]
	claim "the_${kernel}_kernel_is_listed"
done
out_matches '^scalar: measured$'
claim "the_scalar_kernel_is_always_measured"
for operation in sparse_list_decode block_mask score_block measure_block popcount find_bounds add_bounds \
	select_sums at_least "at_least, top 10" "at_least, top 1000" "top_push, top 10" "union, count" "union, top 10"; do
	out_matches "^$operation +(-|1/[0-9+/]+) +[0-9]+ [a-z]+ +[0-9]+[.][0-9]+ +[0-9]+[.][0-9]+ "
	claim "the_table_has_a_figure_for: $operation"
done
[ "$(awk '$1 == "score_block" { print $2, $3 }' .out | tr '\n' ' ')" = "1/128 8192 1/32 32768 1/8 131072 1/2 524288 " ]
claim "the_lists_have_the_densities_told"
out_has "0.2 ns a decoded integer, 1.1-1.5 ns a posting"
claim "the_limits_stand_by_the_figures"
[ -z "$(ls -A tmp)" ]
claim "no_temporary_file_is_left"

if have python3 "json_names_every_kernel_of_the_machine"; then
	run "$bench" --quick --json --seed 12 --rounds 2
	exits 0 && silent
	claim "json_is_written_without_complaint"
	cat >check.py <<'END'
import json
run = json.load(open(".out"))
figures = run["figures"]
assert run["seed"] == 12 and run["rounds"] == 2 and run["documents"] == 1 << 20, "options"
assert set(run["kernels"]) == {"scalar", "avx2", "avx512"}, "names"
here = [name for name, state in run["kernels"].items() if state == "measured"]
assert "scalar" in here, "scalar"
for figure in figures:
    for name in run["kernels"]:
        wanted = name == "scalar" if figure["same_code"] else name in here
        assert (figure[name] is not None) == wanted, (name, figure)
        if wanted:
            assert 0 < figure[name]["best_ns"] <= figure[name]["median_ns"], (name, figure)
            assert figure[name]["same_output"] is True, (name, figure)
assert any(not figure["same_code"] for figure in figures), "no kernel at all"
END
	python3 check.py 2>.err
	claim "json_names_every_kernel_of_the_machine"
	flags=$(sed -n 's/^flags[[:space:]]*: / /p' /proc/cpuinfo 2>/dev/null | head -n 1)
	case "$flags " in
	*" avx2 "*" bmi2 "*) [ "$(python3 -c 'import json; print(json.load(open(".out"))["kernels"]["avx2"])')" = measured ]
		claim "a_machine_with_avx2_is_measured_with_avx2" ;;
	*) skip "a_machine_with_avx2_is_measured_with_avx2" "this machine has no AVX2" ;;
	esac
fi

run env TMPDIR=nowhere "$bench" --quick
exits 2 && err_lines 1 && err_has "nowhere/" && [ ! -s .out ]
claim "a_temporary_folder_that_is_missing_is_named"
for arguments in "--rounds 0" "--rounds x" "--rounds" "--seed -1" "--seed 99999999999999999999" "--no-such" "more"; do
	run "$bench" $arguments
	exits 2 && err_lines 1 && err_has "--help" && [ ! -s .out ]
	claim "wrong_usage_is_told: kernel_bench $arguments"
done
run "$bench" --help
exits 0 && silent && out_has "kernel_bench --quick"
claim "help_teaches_by_example"
if [ -e /dev/full ]; then
	"$bench" --quick --rounds 1 >/dev/full 2>.err
	status=$?
	exits 2 && err_has "standard output"
	claim "figures_that_could_not_be_written_are_an_error"
fi
finish
