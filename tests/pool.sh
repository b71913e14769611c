# pool.sh - for run_units and run_tool: run tests side by side, and tell of them in the order in which they were named.

# pool RUN TELL ITEM...: "RUN ITEM FOLDER" for each, as many at a time as there are processors (or TRAWL_TEST_JOBS), in the
# background, with a new folder of its own; and "TELL ITEM FOLDER SECONDS", one after the other, of those that are done.
pool()
{
	local run=$1 tell=$2 jobs=${TRAWL_TEST_JOBS:-$(nproc)} next=0 told=0 running=0 folders folder
	shift 2
	local items=("$@")
	folders=$(mktemp -d) || return 1
	# Also when it is interrupted.
	trap 'kill $(jobs -p) 2>/dev/null; rm -rf "'"$folders"'"' EXIT
	while [ $told -lt $# ]; do
		while [ $next -lt $# ] && [ $running -lt "$jobs" ]; do
			folder=$folders/$next
			mkdir "$folder"
			{
				local started=$SECONDS
				"$run" "${items[next]}" "$folder"
				echo $((SECONDS - started)) >"$folder/.seconds"
				mv "$folder/.seconds" "$folder/seconds"
			} &
			next=$((next + 1)) running=$((running + 1))
		done
		wait -n
		running=$((running - 1))
		while [ $told -lt $next ] && [ -e "$folders/$told/seconds" ]; do
			"$tell" "${items[told]}" "$folders/$told" "$(cat "$folders/$told/seconds")"
			rm -rf "${folders:?}/$told"
			told=$((told + 1))
		done
	done
}
