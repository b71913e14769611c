#!/usr/bin/env bash
# trawl delete: by ids and by queries, all at once or not at all.
. "$(dirname "$0")/lib.sh"
make_news indexed

trawl delete news.trawl n1 n2
exits 0 && silent && out_lines 1 && out_has "deleted 2 documents"
claim "the_count_of_deleted_documents_is_told"
trawl search news.trawl rain
exits 1
claim "deleted_documents_are_not_found"
trawl stats --json news.trawl
exits 0 && out_has '"documents":3' && out_has '"generation":2'
claim "several_ids_are_one_commit"
cp news.trawl before
trawl delete news.trawl n1 absent
exits 1 && err_has "no document with the id n1" && err_has "no document with the id absent" &&
	out_has "deleted 0 documents; 2 ids were not there" && cmp -s news.trawl before
claim "ids_that_are_not_there_are_told_with_exit_1_and_nothing_is_written"
trawl delete --json news.trawl n3 absent
exits 0 && out_has '{"deleted":1,"missing":1}'
claim "json_tells_deleted_and_missing"
trawl delete -q news.trawl "n 5" absent
exits 0 && silent && [ ! -s .out ]
claim "quiet_says_nothing"

trawl index -q news.trawl news.jsonl
trawl delete -0 news.trawl - < <(printf 'n1\r\0')
exits 1
claim "an_id_that_ends_in_a_nul_byte_is_taken_to_the_byte"
trawl delete news.trawl n2 - < <(printf 'n1\n\nn 5')
exits 0 && out_has "deleted 3 documents"
claim "ids_come_from_arguments_and_standard_input_the_last_line_without_its_end"

# Ids of any bytes
printf '%s\n' '{"id":"a\u0000b","text":"zero"}' '{"id":"a\u0000B","text":"zero"}' '{"id":"a","text":"zero"}' \
	'{"id":"A","text":"zero"}' '{"id":"a\u0000","text":"zero"}' '{"id":"line\nend","text":"zero"}' >odd.jsonl
trawl index odd.trawl odd.jsonl
exits 0 && out_has "(6 added, 0 replaced"
claim "ids_that_differ_by_a_nul_or_by_case_are_different_documents"
trawl index odd.trawl odd.jsonl
exits 0 && out_has "6 documents as they were"
claim "and_each_of_them_is_known_again"
trawl delete odd.trawl - < <(printf 'a\0b\n')
exits 0 && out_has "deleted 1 document" && trawl search -n 0 --count odd.trawl zero && out_has 5
claim "a_nul_within_an_id_is_no_end_of_a_line"
trawl delete odd.trawl A
exits 0 && trawl search -n 0 --count odd.trawl zero && out_has 4
claim "case_tells_ids_apart"
trawl delete -0 odd.trawl - < <(printf 'line\nend\0')
exits 0 && trawl search -n 0 --count odd.trawl zero && out_has 3
claim "null_ends_ids_in_which_there_are_line_ends"
trawl delete odd.trawl --query zero
exits 0 && out_has "deleted 3 documents" && trawl search odd.trawl zero
exits 1
claim "a_query_deletes_ids_of_any_bytes"

# By query
trawl index -q news.trawl news.jsonl
cp news.trawl before
trawl delete news.trawl --query '+plain -wheat' --dry-run
exits 0 && silent && [ "$(cat .out)" = $'n1\nn2' ] || [ "$(cat .out)" = $'n2\nn1' ] && cmp -s news.trawl before
claim "a_dry_run_prints_ids_and_deletes_nothing"
trawl delete --dry-run -0 news.trawl --query wheat
printf 'n3\0' | cmp -s - .out
claim "a_dry_run_ends_ids_in_a_nul_on_demand"
trawl delete --dry-run news.trawl n4 absent
exits 0 && [ "$(cat .out)" = n4 ] && err_has absent
claim "a_dry_run_of_ids_prints_those_that_are_there"
trawl delete news.trawl --query '+plain -wheat'
exits 0 && out_has "deleted 2 documents"
claim "a_query_deletes_all_that_match"
trawl delete --dry-run news.trawl --query '-wheat'
exits 0 && [ "$(sort .out | tr '\n' ' ')" = "n 5 n4 " ]
claim "a_query_of_nothing_but_exclusions_means_all_others_as_in_a_search"
trawl search --json --no-snippet -n 9 news.trawl -- -wheat
exits 0 && out_lines 2
claim "and_a_search_shows_the_same"
seq 12345 | sed 's/.*/{"id":"&","text":"the same words"}/' >many.jsonl
trawl index -q many.trawl many.jsonl
trawl delete many.trawl --query '"same words"'
exits 0 && out_has "deleted 12,345 documents"
claim "a_query_deletes_more_than_a_search_shows"
trawl stats --json many.trawl
out_has '"documents":0' && out_has '"generation":2'
claim "all_matches_go_in_one_commit"

# Refusals
trawl delete absent.trawl x
exits 2 && err_has "no such index" && [ ! -e absent.trawl ]
claim "an_index_that_is_not_there_is_not_made"
trawl delete news.trawl
exits 2 && err_has "which documents"
claim "nothing_to_delete_is_a_wrong_call"
trawl delete news.trawl n1 --query x
exits 2 && err_has "not both"
claim "ids_and_a_query_are_not_mixed"
trawl index -q --no-positions plain.trawl news.jsonl
trawl delete plain.trawl --query '"in spain"'
exits 2 && err_has "nothing was deleted" && trawl search plain.trawl rain && exits 0
claim "a_query_that_fails_deletes_nothing"

mkfifo pipe
"$TRAWL" index news.trawl - <pipe >/dev/null 2>&1 &
pid=$!
exec 9>pipe
echo '{"id":"slow","text":"slowly committed"}' >&9
for _ in $(seq 600); do # until the writer has its lock
	grep -q " FLOCK .* $pid " /proc/locks && break
	sleep 0.1
done
trawl delete news.trawl n3
exits 2 && err_has "is being written by process $pid" && err_has "--wait" && err_has "nothing was deleted"
claim "while_another_process_writes_its_number_is_told"
trawl delete --dry-run news.trawl n3
exits 0
claim "a_dry_run_needs_no_lock"
"$TRAWL" delete --wait news.trawl n3 slow >waited 2>&1 9>&- &
waiting=$!
exec 9>&-
wait $waiting && grep -q "deleted 2 documents" waited
claim "wait_waits_for_the_other_writer_and_sees_what_it_wrote"
wait $pid

# Damage that only the merge after the commit meets, in some of these places; others are met before, or not at all.
for i in $(seq 40); do
	printf '{"id":"m%d","text":"all %s"}\n' "$i" "$(seq $((i * 700)) $((i * 700 + 900)) | tr '\n' ' ')"
done >large.jsonl
"$TRAWL" index -q large.trawl large.jsonl
told=0 wrong=0
for at in $(seq $((3 * 4096 + 2000)) $((4 * 4096)) "$(stat -c %s large.trawl)"); do
	rm -f harmed.trawl*
	cp large.trawl harmed.trawl
	printf '\125\252\125' | dd of=harmed.trawl bs=1 seek="$at" conv=notrunc status=none
	# shellcheck disable=SC2046
	trawl delete harmed.trawl $(seq -f m%.0f 15)
	before=$status
	if err_has "deleting was done before, and 15 documents are gone: only what comes after it failed"; then
		told=$((told + 1))
		trawl show harmed.trawl m15
		[ "$before" -eq 2 ] && exits 1 || wrong=$((wrong + 1))
	elif err_has "nothing was deleted"; then
		trawl stats --json harmed.trawl
		[ "$status" -eq 2 ] || out_has '"documents":40' || wrong=$((wrong + 1))
	fi
done
[ $told -gt 0 ] && [ $wrong -eq 0 ]
claim "damage_found_after_the_documents_are_gone_is_told_as_that"
finish
