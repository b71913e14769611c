#!/usr/bin/env bash
# trawl index: what goes in, what is told about it, and what a stop leaves behind.
. "$(dirname "$0")/lib.sh"
make_news

trawl index news.trawl news.jsonl
exits 0 && silent && out_lines 1 &&
	out_has "indexed 5 documents (5 added, 0 replaced, 0 unchanged) from 1 file," && out_has "skipped 0; news.trawl is "
claim "the_summary_counts_documents_and_files"

cp -p news.trawl before
trawl index news.trawl news.jsonl
exits 0 && [ "$(cat .out)" = "nothing changed: 5 documents as they were; skipped 0" ]
claim "indexing_the_same_again_changes_nothing_and_says_so"
cmp -s news.trawl before && [ "$(stat -c %y news.trawl)" = "$(stat -c %y before)" ]
claim "indexing_the_same_again_writes_nothing_to_the_file"

sed 's/olives/figs/' news.jsonl >changed.jsonl
trawl index news.trawl changed.jsonl
exits 0 && out_has "(0 added, 1 replaced, 4 unchanged)"
claim "a_changed_document_is_replaced"
trawl search news.trawl olives
exits 1
claim "a_replaced_document_is_not_found_by_its_old_text"
trawl search news.trawl figs
exits 0 && out_has "n4"
claim "a_replaced_document_is_found_by_its_new_text"

trawl index --json json.trawl news.jsonl
exits 0 && out_lines 1 && out_has '"documents":5,"added":5,"replaced":0,"unchanged":0,"skipped":0,"files":1'
claim "json_prints_the_summary_as_one_object"
trawl index -q quiet.trawl news.jsonl
exits 0 && silent && [ ! -s .out ]
claim "quiet_prints_nothing"

mkdir -p folder/deep folder/.hidden
printf 'First title\nsome rain\n' >folder/a.txt
printf 'Second title\nsome wind\n' >folder/deep/b.txt
printf 'secret\n' >folder/.hidden/c.txt
trawl index folder.trawl folder
exits 0 && out_has "indexed 2 documents" && out_has "from 2 files"
claim "a_folder_is_walked_without_hidden_entries"
trawl search folder.trawl wind
exits 0 && out_has "Second title  (folder/deep/b.txt)"
claim "a_text_file_has_its_path_as_id_and_its_first_line_as_title"

for round in first second; do
	(cd folder && "$TRAWL" index inside.trawl .) >.out 2>.err
	status=$?
	exits 0 && out_has " 2 documents "
	claim "an_index_within_the_indexed_folder_is_no_document_the_${round}_time"
done

gzip -k news.jsonl
trawl index gz.trawl news.jsonl.gz
exits 0 && out_has "indexed 5 documents"
claim "gzip_is_read"
if have zstd "zstd_is_read"; then
	zstd -q news.jsonl
	trawl index zst.trawl news.jsonl.zst
	exits 0 && out_has "indexed 5 documents"
	claim "zstd_is_read"
fi
trawl index stdin.trawl - <news.jsonl
exits 0 && out_has "indexed 5 documents"
claim "standard_input_is_read"
trawl index -- --dash.trawl news.jsonl
exits 0 && [ -e ./--dash.trawl ]
claim "two_dashes_end_the_options"
trawl index after.trawl news.jsonl -q --json
exits 0 && out_has '"documents":5'
claim "options_may_follow_the_paths"

echo '{"url":"u1","name":"Alpha","body":"beta gamma","id":"wrong"}' >fields.jsonl
trawl index --id url --title name --text body fields.trawl fields.jsonl
trawl search fields.trawl gamma
exits 0 && out_has "Alpha  (u1)"
claim "json_fields_can_be_named"
trawl index --format text raw.trawl news.jsonl
exits 0 && out_has "indexed 1 document ("
claim "format_text_takes_a_json_file_as_one_text"

trawl index -q --language german german.trawl news.jsonl
trawl stats --json german.trawl
exits 0 && out_has '"language":"german"'
claim "the_language_is_kept_in_the_index"
trawl index --language klingon x.trawl news.jsonl
exits 2 && err_has "klingon" && err_has "english" && [ ! -e x.trawl ]
claim "an_unknown_language_lists_the_known_ones"
trawl index -q --stop-words --fold-diacritics --no-positions small.trawl news.jsonl
trawl stats --json small.trawl
exits 0 && out_has '"stop_words":true' && out_has '"fold_diacritics":true' && out_has '"positions":false'
claim "analysis_options_are_kept_in_the_index"
trawl search small.trawl cafe
exits 0 && out_has "n 5"
claim "folded_diacritics_are_found_without"
trawl index --language french small.trawl news.jsonl
exits 2 && err_has "english"
claim "another_language_for_an_existing_index_is_refused"
trawl index -q --bigrams bigrams.trawl news.jsonl
trawl stats --json bigrams.trawl
exits 0 && out_has '"bigrams":true' && ! out_has '"bigram_lists":0,'
claim "bigram_lists_are_made_and_counted_when_asked_for"
trawl index -q --pairs old.trawl news.jsonl
trawl stats --json old.trawl
exits 0 && out_has '"bigrams":true'
claim "bigrams_are_made_under_their_old_name_too"
trawl index --bigrams german.trawl news.jsonl
exits 2 && err_has "other settings"
claim "bigrams_for_an_index_without_are_refused"

for size in 12x "" 1.5G -1 K 99999999999G; do
	trawl index --memory "$size" x.trawl news.jsonl
	exits 2 && err_has "--memory" && [ ! -e x.trawl ]
	claim "memory_size_'$size'_is_refused"
done
trawl index --memory 1023K x.trawl news.jsonl
exits 2 && err_has "at least 1M"
claim "too_little_memory_is_refused_with_the_least"
trawl index --memory
exits 2 && err_has "--memory needs a value"
claim "an_option_without_its_value_is_named"
trawl index --memory 1MiB m.trawl news.jsonl
exits 0 && out_has "indexed 5"
claim "memory_takes_binary_suffixes"
trawl index --format xml x.trawl news.jsonl
exits 2 && err_has "auto, text or json"
claim "an_unknown_format_lists_the_known_ones"

seq 20000 | sed 's/.*/{"id":"&","text":"document number & about rain and the plain"}/' >large.jsonl
trawl index --json roomy.trawl large.jsonl
trawl index --json --memory 1M tight.trawl large.jsonl
exits 0 && out_has '"documents":20000' && ! out_has '"runs":0'
claim "little_memory_makes_runs"
trawl search --json -n 1000 --count roomy.trawl rain 77 number 4711
cp .out roomy
trawl search --json -n 1000 --count tight.trawl rain 77 number 4711
exits 0 && cmp -s .out roomy
claim "little_memory_gives_the_same_hits"

# Lines that are no documents
{
	cat news.jsonl
	echo '{"id":"cut","text":"never clo'
	echo '{"id":"after","text":"after the bad line"}'
} >bad.jsonl
trawl index bad.trawl bad.jsonl
exits 0 && err_matches '^trawl: skipped bad\.jsonl:6(:[0-9]+)?: ' && err_lines 1 &&
	out_has "indexed 6 documents" && out_has "skipped 1;"
claim "a_bad_line_is_skipped_told_with_its_place_and_counted"
trawl index --strict strict.trawl bad.jsonl
exits 2 && err_has "bad.jsonl:6" && [ ! -s .out ] && err_has "nothing was committed"
claim "strict_stops_at_the_bad_line"
trawl search strict.trawl rain
exits 1 || exits 2
claim "strict_commits_nothing"
trawl index -q kept.trawl news.jsonl
trawl index --strict kept.trawl bad.jsonl
trawl search kept.trawl bad
exits 1
claim "strict_leaves_an_existing_index_as_it_was"
seq 50 | sed 's/^/{bad /' >many.jsonl
cat news.jsonl >>many.jsonl
trawl index many.trawl many.jsonl
exits 0 && [ "$(grep -c '^trawl: skipped many.jsonl:' .err)" -eq 20 ] && err_has "only counted" &&
	err_has "skipped 50 in all: 50 malformed" && out_has "skipped 50;"
claim "after_20_skipped_lines_the_rest_is_only_counted"
trawl index --verbose verbose.trawl many.jsonl
exits 0 && [ "$(grep -c '^trawl: skipped many.jsonl:' .err)" -eq 50 ]
claim "verbose_tells_of_all_that_is_skipped"
mkdir mixed
for i in $(seq 25); do : >mixed/$i.txt; done
printf 'a\0b' >mixed/binary
echo hello >mixed/x.txt
trawl index --json mixed.trawl mixed
exits 0 && out_has '"skipped":26,' && out_has '"skipped_by_reason":{"empty":25,"binary":1}'
claim "json_counts_what_is_skipped_by_reason"
trawl index --json -v mixed.trawl mixed
exits 0 && [ "$(grep -o '"place":"mixed/[0-9a-z]*\.*t*x*t*","reason"' .out | wc -l)" -eq 26 ] &&
	{ ! command -v jq >/dev/null || jq -e '.notices | length == 26' .out >/dev/null; }
claim "json_with_verbose_lists_all_that_is_skipped"
rm -f mixed.trawl*
trawl index --strict mixed.trawl mixed
exits 0 && out_has "indexed 1 document" && out_has "skipped 26;"
claim "strict_passes_over_empty_and_binary_files_of_a_folder"

# Input that is not all there
gzip -c news.jsonl | head -c 250 >cut.jsonl.gz
trawl index cut.trawl cut.jsonl.gz
exits 1 && err_has "cut off" && err_has "is not in the index" && out_has "indexed"
claim "input_that_is_cut_off_is_told_and_ends_with_1"
trawl index --strict cut2.trawl cut.jsonl.gz
exits 2 && err_has "cut off"
claim "strict_stops_at_input_that_is_cut_off"
{ gzip -c news.jsonl; echo rest; } >rest.jsonl.gz
trawl index rest.trawl rest.jsonl.gz
exits 0 && out_has "indexed 5 documents" && err_has "rest.jsonl.gz" && err_lines 1
claim "what_follows_compressed_data_is_passed_over_and_told"

cat >twice.jsonl <<'END'
{"id":"x","text":"first version apple"}
{"id":"y","text":"other"}
{"id":"x","text":"second version pear"}
END
trawl index twice.trawl twice.jsonl
exits 0 && out_has "(2 added, 1 replaced, 0 unchanged)"
claim "of_duplicate_ids_the_last_one_replaces_the_first"
trawl search twice.trawl apple
exits 1
claim "of_duplicate_ids_the_first_text_is_gone"
trawl search --json twice.trawl pear
exits 0 && out_lines 1 && out_has '"id":"x"'
claim "of_duplicate_ids_the_last_text_is_found_once"

# Progress and stopping
if have script "progress_is_drawn_on_a_terminal_and_erased"; then
	run script -qec "sh -c 'exec \"$TRAWL\" index large.trawl large.jsonl >summary'" /dev/null </dev/null
	exits 0 && out_has "writing terms" && out_has $'\r\x1b[K' && grep -q "indexed 20,000 documents" summary
	claim "progress_is_drawn_on_a_terminal_and_erased"
	run script -qec "sh -c 'exec \"$TRAWL\" index -q large.trawl large.jsonl'" /dev/null </dev/null
	exits 0 && [ ! -s .out ]
	claim "quiet_draws_no_progress"
fi

trawl index -q stop.trawl news.jsonl
mkfifo pipe
# A shell's background jobs ignore the interrupt signal; env gives it back its meaning.
env --default-signal=INT "$TRAWL" index stop.trawl - <pipe >.out 2>.err &
pid=$!
exec 9>pipe
echo '{"id":"late","text":"never committed"}' >&9
sleep 0.5
kill -INT $pid
echo '{"id":"late2","text":"never committed"}' >&9
exec 9>&-
wait $pid
status=$?
exits 130 && err_has "the index is as it was before"
claim "an_interrupt_stops_with_exit_130_and_says_so"
trawl search stop.trawl committed
exits 1
claim "an_interrupt_commits_nothing"
trawl search stop.trawl olives
exits 0
claim "after_an_interrupt_the_index_works"

mkfifo pipe3
"$TRAWL" index stop.trawl - <pipe3 >/dev/null 2>&1 &
pid=$!
exec 9>pipe3
seq 5000 | sed 's/.*/{"id":"killed&","text":"never committed &"}/' >&9
sleep 0.5
kill -KILL $pid
exec 9>&-
wait $pid 2>/dev/null
trawl search stop.trawl committed
exits 1
claim "a_killed_writer_commits_nothing"
trawl index stop.trawl news.jsonl
exits 0 && out_has "5 documents as they were"
claim "after_a_killed_writer_the_next_one_works"

mkfifo pipe2
"$TRAWL" index stop.trawl - <pipe2 >/dev/null 2>&1 &
pid=$!
exec 9>pipe2
echo '{"id":"slow","text":"slowly committed"}' >&9
sleep 0.5
trawl index stop.trawl news.jsonl
exits 2 && err_has "--wait"
claim "a_second_writer_is_told_that_it_can_wait"
( sleep 0.5; exec 9>&-; ) &
exec 9>&-
trawl index --wait stop.trawl news.jsonl
exits 0 && out_has "5 documents as they were"
claim "wait_waits_for_the_other_writer"
wait $pid
claim "the_first_writer_was_not_disturbed"
finish
