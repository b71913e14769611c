# Limits of the surroundings: memory that a control group or ulimit keeps from the process.
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { srand(1); for (i = 0; i < 30000; i++) w[i] = sprintf("%x", int(rand() * 2^40))
	for (l = 0; l < 500; l++) { t[l] = w[int(rand() * 30000)]; for (k = 1; k < 100; k++) t[l] = t[l] " " w[int(rand() * 30000)] }
	for (i = 0; i < 24000; i++) printf "{\"id\":%d,\"text\":\"%s u%d\"}\n", i, t[i * 7 % 500], i }' >many.jsonl

# limited N COMMAND...: in a control group of N MiB.
limited()
{
	echo $(($1 << 20)) >"$group/memory.$limit" || return 1
	shift
	run sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

sanitized=false
nm "$TRAWL" 2>/dev/null | grep __asan_init >/dev/null && sanitized=true
group= limit=
if $sanitized; then
	:
elif [ -w /sys/fs/cgroup/memory/cgroup.procs ] && mkdir "/sys/fs/cgroup/memory/trawl-test-$$" 2>.no; then
	group=/sys/fs/cgroup/memory/trawl-test-$$ limit=limit_in_bytes
elif [ -w /sys/fs/cgroup/cgroup.procs ] && mkdir "/sys/fs/cgroup/trawl-test-$$" 2>.no; then
	group=/sys/fs/cgroup/trawl-test-$$ limit=max
	[ -w "$group/memory.max" ] || { rmdir "$group"; group=; }
fi
if [ -n "$group" ]; then
	# A group goes when the kernel has let go of its last process.
	trap 'for _ in 1 2 3 4 5; do sleep 0.1; rmdir "$group" && break; done 2>/dev/null; rm -rf "$work"' EXIT
	limited 72 "$TRAWL" index small.trawl many.jsonl
	exits 0 && err_has "of the 72M of memory that this process may use (control group)"
	claim "the_usual_memory_follows_the_control_group"
	limited 72 "$TRAWL" index -q small.trawl many.jsonl
	exits 0 && silent
	claim "nothing_is_told_of_it_when_quiet"
	limited 72 "$TRAWL" index --memory 64M other.trawl many.jsonl
	exits 0 && silent
	claim "nor_where_the_memory_is_chosen"
	limited 4000 "$TRAWL" index other.trawl many.jsonl
	exits 0 && silent
	claim "nor_where_there_is_enough"
	for command in "check" "compact" "merge" "search small.trawl u77 --" "export"; do
		set -- $command
		limited 48 "$TRAWL" "$@" small.trawl
		exits 0
		claim "$1_works_in_a_small_control_group"
	done
	limited 48 "$TRAWL" salvage -q small.trawl rescued.trawl
	exits 0
	claim "salvage_works_in_a_small_control_group"
elif $sanitized; then
	skip "the_usual_memory_follows_the_control_group" "the sanitizer's own memory is more than these limits"
else
	skip "the_usual_memory_follows_the_control_group" "it takes the right to make control groups"
fi

"$TRAWL" index -q plain.trawl many.jsonl
if $sanitized; then
	skip "data_may_be_limited" "the sanitizer's own memory is more than these limits"
else
	run sh -c 'ulimit -d 100000 && exec "$@"' - "$TRAWL" index -q data.trawl many.jsonl
	exits 0 && silent
	claim "data_may_be_limited"
	run sh -c 'ulimit -d 100000 && exec "$@"' - "$TRAWL" search data.trawl u77
	exits 0 && silent
	claim "searches_too"
	run sh -c 'ulimit -v 400000 && exec "$@"' - "$TRAWL" index -q space.trawl many.jsonl
	exits 0 && silent
	claim "address_space_may_be_limited"
	run sh -c 'ulimit -v 60000 && exec "$@"' - "$TRAWL" index -q none.trawl many.jsonl
	exits 2 && err_has "address space (ulimit -v); raise that limit" && [ ! -e none.trawl ]
	claim "too_little_address_space_is_named"
	run sh -c 'ulimit -d 6000 && exec "$@"' - "$TRAWL" index -q none.trawl many.jsonl
	exits 2 && err_has "6 MB of data (ulimit -d); raise that limit" && [ ! -e none.trawl ]
	claim "where_memory_runs_out_the_limit_is_named"
	cp plain.trawl one.trawl
	run sh -c 'ulimit -v 40000 && exec "$@"' - "$TRAWL" compact -q one.trawl
	{ exits 0 && silent; } || { exits 2 && err_has "ulimit -v"; }
	claim "where_there_is_no_room_for_a_thread_a_compaction_goes_without_or_names_the_limit"
fi

size=$(($(stat -c %s plain.trawl) / 1024))
seq 200000 | awk '{ printf "{\"id\":%d,\"text\":\"more %d\"}\n", $1, $1 * 7919 }' >more.jsonl
run bash -c 'ulimit -f '$size' && exec "$@"' - "$TRAWL" index -q plain.trawl more.jsonl
exits 2 && err_has "plain.trawl: the file would be larger than this process may make it (ulimit -f)"
claim "a_limit_of_file_sizes_is_named"
run bash -c 'ulimit -f 512 && exec "$@"' - "$TRAWL" copy -q plain.trawl copied.trawl
exits 2 && err_has "larger than this process may make it (ulimit -f); nothing was copied" && [ ! -e copied.trawl ]
claim "so_it_is_by_a_copy"
trawl check -q plain.trawl
exits 0
claim "and_the_index_stays_whole"
run sh -c 'ulimit -n 8 && exec "$@"' - "$TRAWL" index -q plain.trawl more.jsonl
exits 2 && err_has "Too many open files" && ! err_has TMPDIR
claim "a_limit_of_open_files_is_named"
finish
