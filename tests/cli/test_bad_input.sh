#!/usr/bin/env bash
# What is wrong with files, indexes, queries and disks is told in a line, with the right exit code, and never a crash.
. "$(dirname "$0")/lib.sh"
make_news indexed

# one_line: the error is one line that begins with the tool's name; no signal ended the tool.
one_line() { err_lines 1 && err_matches '^trawl: ' && [ "$status" -lt 124 ]; }

# ---- input files
trawl index x.trawl nowhere.jsonl
exits 2 && one_line && err_has "nowhere.jsonl" && [ ! -e x.trawl ]
claim "an_input_that_does_not_exist_is_an_error_with_its_name"
mkdir empty
trawl index x.trawl empty
exits 1 && one_line && err_has "no documents found in empty" && [ ! -e x.trawl ]
claim "a_folder_without_a_text_is_told_and_no_index_made"
: >empty.jsonl
trawl index x.trawl empty.jsonl
exits 1 && one_line && err_has "no documents found in empty.jsonl" && [ ! -e x.trawl ]
claim "an_empty_file_is_told_and_no_index_made"
mkdir binary
head -c 5000 /dev/zero >binary/zeros
trawl index x.trawl binary
exits 1 && err_has "no documents found in binary"
claim "a_binary_file_in_a_folder_is_no_document"
ln -s nowhere dangling.txt
mkdir links
ln -s nowhere links/dangling.txt
printf 'a text\n' >links/real.txt
trawl index links.trawl links
exits 0 && out_has "indexed 1 document ("
claim "a_dangling_link_in_a_folder_does_not_stop_the_rest"
mkdir locked
printf 'text one\n' >locked/a.txt
printf 'text two\n' >locked/b.txt
chmod 000 locked/a.txt
if [ -r locked/a.txt ]; then
	skip "an_unreadable_file_is_skipped_and_told" "permissions do not hold for this user"
else
	trawl index locked.trawl locked
	exits 0 && err_matches '^trawl: skipped locked/a.txt: ' && out_has "indexed 1 document (" && out_has "skipped 1;"
	claim "an_unreadable_file_is_skipped_and_told"
fi
chmod 600 locked/a.txt
printf 'caf\xe9 \xff\xfe words\n' >latin.txt
trawl index latin.trawl latin.txt
trawl search latin.trawl words
exits 0 && out_has "latin.txt"
claim "invalid_utf8_in_a_text_is_indexed_around"
printf '{"id":"b","text":"bad \xff byte"}\n{"id":"g","text":"good"}\n' >latin.jsonl
trawl index jl.trawl latin.jsonl
exits 0 && err_has "latin.jsonl:1" && err_lines 1 && out_has "indexed 2 documents"
claim "invalid_utf8_in_json_is_read_as_what_it_looks_like_and_told"
printf 'words \0 around \0 nul\n' >nul.txt
trawl index nul.trawl nul.txt
exits 1 && err_has "skipped nul.txt: binary file"
claim "a_file_with_nul_bytes_is_told_and_not_indexed"
trawl index --format text nul.trawl nul.txt
trawl search nul.trawl around
exits 0
claim "nul_bytes_in_a_text_that_is_said_to_be_one_are_indexed_around"
printf '{"id":"z","text":"zero \\u0000 byte"}\n' >nul.jsonl
trawl index -q nulj.trawl nul.jsonl
trawl search --json nulj.trawl zero
exits 0 && out_has '\u0000 byte'
claim "an_escaped_nul_survives"
head -c 300 news.jsonl >cut.jsonl
trawl index cut.trawl cut.jsonl
exits 0 && err_matches 'skipped cut\.jsonl:[0-9]+' && out_has "skipped 1;"
claim "a_line_cut_off_at_the_end_is_skipped"
printf '[1,2]\n"string"\n42\nnull\n{}\n{"id":""}\n{"id":{}}\n{"id":"t","text":{}}\n' >odd.jsonl
trawl index odd.trawl odd.jsonl
exits 1 && err_has "no documents found" && [ "$(grep -c 'skipped odd.jsonl:' .err)" -eq 8 ]
claim "json_that_is_no_document_is_skipped_line_by_line"
head -c 200000 /dev/zero | tr '\0' '[' >deep.jsonl
trawl index deep.trawl deep.jsonl
exits 1 && err_has "deep.jsonl" && err_lines 2
claim "deeply_nested_json_is_no_crash"
head -c 3000000 /dev/zero | tr '\0' 'w' >word.txt
trawl index word.trawl word.txt
exits 0
claim "a_word_of_3_megabytes_is_indexed"
trawl search --json word.trawl "$(head -c 255 word.txt)"
exits 0 && [ "$(wc -c <.out)" -lt 2000 ]
claim "a_word_of_3_megabytes_has_a_short_snippet"
printf '{"id":"%s","text":"x"}\n{"id":"ok","text":"x"}\n' "$(head -c 5000 /dev/zero | tr '\0' 'i')" >longid.jsonl
trawl index longid.trawl longid.jsonl
exits 0 && err_has "longid.jsonl:1" && out_has "indexed 1 document ("
claim "an_id_that_is_too_long_is_skipped"
head -c 100 /dev/urandom >broken.jsonl.gz
trawl index broken.trawl broken.jsonl.gz
[ "$status" -eq 1 ] || [ "$status" -eq 2 ]
claim "a_broken_gzip_file_is_no_crash"
gzip -c news.jsonl | head -c 150 >short.jsonl.gz
trawl index short.trawl short.jsonl.gz
exits 1 && err_has "short.jsonl.gz"
claim "a_gzip_file_cut_off_is_told"

# ---- indexes
for command in "search missing.trawl x" "show missing.trawl x" "stats missing.trawl"; do
	# shellcheck disable=SC2086
	trawl $command
	exits 2 && one_line && err_has "missing.trawl" && [ ! -e missing.trawl ]
	claim "${command%% *}_of_a_missing_index_is_an_error_and_makes_no_file"
done
for command in "search empty x" "stats empty" "index empty news.jsonl"; do
	# shellcheck disable=SC2086
	trawl $command
	exits 2 && one_line && err_has "empty"
	claim "${command%% *}_with_a_folder_as_index_is_an_error"
done
cp news.jsonl noindex.trawl
for command in "search noindex.trawl x" "show noindex.trawl x" "stats noindex.trawl" "index noindex.trawl news.jsonl"; do
	# shellcheck disable=SC2086
	trawl $command
	exits 2 && one_line && err_has "noindex.trawl" && cmp -s news.jsonl noindex.trawl
	claim "${command%% *}_with_a_file_that_is_no_index_is_an_error_and_leaves_it_alone"
done
: >zero.trawl
trawl search zero.trawl x
exits 2 && one_line
claim "an_empty_file_as_index_is_an_error"
size=$(stat -c %s news.trawl)
trawl search --json news.trawl rain plain
cp .out .right
crashed=0 silent_wrong=0
for part in 1 100 4095 4096 8192 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 4096)) $((size - 1)); do
	head -c "$part" news.trawl >cut.trawl
	trawl search --json cut.trawl rain plain
	[ "$status" -lt 124 ] || crashed=$((crashed + 1))
	[ "$status" -eq 2 ] || cmp -s .out .right || silent_wrong=$((silent_wrong + 1))
	trawl stats cut.trawl
	[ "$status" -lt 124 ] || crashed=$((crashed + 1))
done
[ $crashed -eq 0 ]
claim "a_truncated_index_is_no_crash"
[ $silent_wrong -eq 0 ]
claim "a_truncated_index_gives_an_error_or_the_right_hits"
head -c $((size / 2)) news.trawl >half.trawl
trawl stats half.trawl
exits 2 && one_line && err_has "half.trawl"
claim "half_an_index_is_told_with_its_name"
LC_ALL=C sed 's/TRWX\x02\x00/TRWX\x03\x00/g' news.trawl >newer.trawl
for command in "search newer.trawl rain" "stats newer.trawl" "show newer.trawl n1" "index newer.trawl news.jsonl"; do
	# shellcheck disable=SC2086
	trawl $command
	exits 2 && one_line && err_has "newer trawl" && err_has "newer.trawl"
	claim "${command%% *}_of_an_index_from_a_newer_version_says_so"
done
seed=${TRAWL_SEED:-$(date +%s)}
RANDOM=$seed
echo "# seed of the changed bytes: $seed (set TRAWL_SEED to repeat)"
trawl search --json news.trawl rain plain farmers
cp .out .right
crashed=0 silent_wrong=0
for i in $(seq 1 60); do
	cp news.trawl flipped.trawl
	at=$(((RANDOM * 32768 + RANDOM) % size))
	printf "\\x$(printf %02x $((RANDOM % 256)))" | dd of=flipped.trawl bs=1 seek=$at conv=notrunc status=none
	trawl search --json flipped.trawl rain plain farmers
	if [ "$status" -ge 124 ]; then
		crashed=$((crashed + 1))
		echo "    a crash with a byte changed at $at"
	elif [ "$status" -ne 2 ] && ! cmp -s .out .right; then
		silent_wrong=$((silent_wrong + 1))
		echo "    other hits with a byte changed at $at"
	fi
done
# The pages' headers, which no checksum guards: the second meta page and the first page of the tree.
for at in $(seq $((4096 + 16)) 4250) $(seq 8192 8250); do
	cp news.trawl flipped.trawl
	printf '\377' | dd of=flipped.trawl bs=1 seek="$at" conv=notrunc status=none
	trawl search --json flipped.trawl rain plain farmers
	[ "$status" -lt 124 ] || { crashed=$((crashed + 1)) && echo "    a crash with 255 at $at"; }
done
[ $crashed -eq 0 ]
claim "an_index_with_a_changed_byte_is_no_crash"
[ $silent_wrong -eq 0 ]
claim "an_index_with_a_changed_byte_gives_an_error_or_the_right_hits"

# ---- queries
trawl index -q --stop-words stop.trawl news.jsonl
trawl search stop.trawl the of and
exits 1 && one_line && err_has "stop words"
claim "a_query_of_stop_words_only_gets_a_hint"
head -c 100000 /dev/zero | tr '\0' 'q' >large.txt
trawl search news.trawl "$(cat large.txt)"
exits 2 && one_line && err_has "8192"
claim "a_query_of_100_kilobytes_is_refused_with_the_limit"
trawl search --json news.trawl <large.txt
exits 2 && err_has "query line 1"
claim "so_it_is_from_standard_input"
run sh -c "seq 1 1500 | tr '\n' ' ' | cut -c1-8000 | '$TRAWL' search --json news.trawl"
[ "$status" -lt 3 ]
claim "a_query_of_a_thousand_words_is_no_crash"
printf 'rain \0 plain\nspa\xffin \x1b[2J rain\n' >odd
trawl search --json news.trawl <odd
exits 0 && out_has '"query":"rain \u0000 plain"' && iconv -f utf-8 -t utf-8 .out >/dev/null 2>&1
claim "nul_and_invalid_bytes_in_a_query_are_harmless"
for query in '"' '""' '"rain' '+' '-' '+-+' '+"' '-"rain' '" " "' '""""' "'" '\' '*' 'a:b' '(rain OR' '%s%n' '-rain'; do
	printf '%s\n' "$query" >odd
	trawl search --json news.trawl <odd
	exits 0 || exits 1
	claim "the_query_${query}_is_valid"
done

# ---- a full disk
mkdir disk
if mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
	trap 'umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT
	trawl index -q disk/d.trawl news.jsonl
	before=$status
	seq 20000 | awk '{ printf "{\"id\":\"%d\",\"text\":\"word%d takes room %d %d\"}\n", $1, $1, rand() * 1e9, rand() * 1e9 }' >fill.jsonl
	trawl index disk/d.trawl fill.jsonl
	[ $before -eq 0 ] && exits 2 && one_line && err_matches 'full|[Nn]o space'
	claim "a_full_disk_is_told"
	trawl search --json disk/d.trawl olives
	exits 0 && out_lines 1
	claim "after_a_full_disk_the_index_is_as_before"
	trawl search --json disk/d.trawl word17
	exits 1
	claim "after_a_full_disk_nothing_of_the_batch_is_there"
	umount disk
else
	skip "a_full_disk_is_told" "mounting is not permitted"
fi
trawl index '' news.jsonl
exits 2 && err_has "cannot be made: the name is empty"
claim "an_index_without_a_name_is_told"
trawl index nowhere/x.trawl news.jsonl
exits 2 && err_has "nowhere/x.trawl cannot be made: there is no such folder"
claim "a_folder_that_is_not_there_is_told"

finish
