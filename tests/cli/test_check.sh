#!/usr/bin/env bash
# trawl check and trawl salvage.
. "$(dirname "$0")/lib.sh"
make_news indexed

# poke FILE TEXT: overwrite the first byte of TEXT with x wherever the file has it, on free pages too.
poke()
{
	local place
	LC_ALL=C grep -abo -e "$2" "$1" | cut -d: -f1 | while read -r place; do
		printf x | dd of="$1" bs=1 seek="$place" conv=notrunc 2>/dev/null
	done
}
zero_page() { dd if=/dev/zero of="$1" bs=4096 seek="$2" count=1 conv=notrunc 2>/dev/null; }

trawl check news.trawl
exits 0 && silent && out_lines 1 && out_has "news.trawl is whole: generation 1, 1 segments, 5 documents"
claim "check_of_a_whole_index_says_so_and_exits_0"
trawl check --text news.trawl
exits 0 && out_has "is whole"
claim "check_text_finds_documents_and_postings_in_agreement"
trawl check --quick news.trawl
exits 0 && out_lines 1 && out_has "looks whole"
claim "check_quick_says_only_that_it_looks_whole"
trawl check --json news.trawl
exits 0 && out_lines 1 && out_has '{"whole":true,"quick":false,"damages":0,' && out_has '"documents":5,'
claim "check_json_is_one_object_for_a_whole_index"

trawl check nowhere.trawl
exits 2 && err_has "nowhere.trawl" && [ ! -e nowhere.trawl ]
claim "check_of_a_missing_file_exits_2"
trawl check news.jsonl
exits 2 && err_has "not a trawl index"
claim "check_of_another_file_exits_2"
trawl check .
exits 2 && err_has "not a trawl index"
claim "check_of_a_folder_exits_2"
trawl check
exits 2 && err_has "INDEX"
claim "check_wants_an_index"
trawl check --findings x news.trawl
exits 2 && err_has "--findings"
claim "check_refuses_a_number_that_is_none"

cp news.trawl broken.trawl
poke broken.trawl n1
trawl check broken.trawl
exits 1 && out_has "damaged: segment 1, ids, byte 0: extent 0" && out_has "its checksum does not match" &&
	out_has "broken.trawl is damaged: " && out_has "trawl salvage broken.trawl NEW"
claim "check_names_segment_part_and_byte_of_damage_and_exits_1"
trawl check --json broken.trawl
exits 1 && out_has '{"damage":true,"segment":1,"part":"ids","offset":0,"text":"' && out_has '{"whole":false,'
claim "check_json_has_an_object_for_each_finding"
trawl check --findings 0 broken.trawl
exits 1 && ! out_has "segment 1, ids" && out_matches 'and [0-9]+ more'
claim "check_counts_the_findings_that_it_does_not_print"
trawl check --quick broken.trawl
exits 0 && out_has "looks whole"
claim "check_quick_does_not_read_every_extent"

head -c 6000 news.trawl >cut.trawl
trawl check cut.trawl
exits 1 && out_has "is damaged"
claim "check_of_a_cut_off_index_exits_1"

trawl salvage news.trawl whole.trawl
exits 0 && silent && out_has "rescued 5 documents into whole.trawl; none lost"
claim "salvage_of_a_whole_index_brings_all_of_it_and_exits_0"
trawl show --json whole.trawl n2
exits 0 && out_has '"fields":{"year":1999,"tags":["dry","hot"]}'
claim "salvaged_documents_are_as_they_were"
trawl search --json --no-snippet news.trawl '"rain fell"'
cp .out searched
trawl search --json --no-snippet whole.trawl '"rain fell"'
exits 0 && cmp -s .out searched
claim "salvaged_documents_are_found_with_the_same_scores"
trawl salvage news.trawl whole.trawl
exits 2 && err_has "whole.trawl exists already"
claim "salvage_never_writes_to_a_file_that_exists"

cp news.trawl broken.trawl
zero_page broken.trawl 0
zero_page broken.trawl 1
trawl salvage --json broken.trawl found.trawl
exits 1 && out_has '"rescued":5,"lost":0,"lost_exact":false,"pages_searched":true,"analysis_known":true}'
claim "salvage_finds_documents_without_the_pages_that_lead_to_them"
trawl check --text found.trawl
exits 0
claim "what_salvage_writes_is_whole"

trawl index -q --language german two.trawl news.jsonl
sed 's/"n/"m/' news.jsonl >more.jsonl
trawl index -q two.trawl more.jsonl
poke two.trawl n1
trawl salvage two.trawl half.trawl
exits 1 && out_has "rescued 5 documents into half.trawl; 5 lost"
claim "salvage_loses_what_is_damaged_and_exits_1"
trawl stats --json half.trawl
exits 0 && out_has '"language":"german"'
claim "salvage_keeps_the_language"

head -c 20000 /dev/zero >zeros.trawl
trawl salvage zeros.trawl none.trawl
exits 2 && [ ! -e none.trawl ] && err_has "zeros.trawl"
claim "salvage_of_nothing_leaves_no_file_and_exits_2"
trawl salvage news.trawl
exits 2 && err_has "NEW"
claim "salvage_wants_a_new_index"
finish
