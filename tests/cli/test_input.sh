#!/usr/bin/env bash
# What a user hands to `trawl index`: JSON in any layout, other encodings, binary files, however they come.
. "$(dirname "$0")/lib.sh"
make_news

printf '[\n {"id":"1","text":"alpha"},\n {"id":"2","text":"beta"},\n {"id":"3","text":"gamma"}\n]\n' >a.json
ids() { "$TRAWL" export "$1" | sed 's/^{"id":"\([^"]*\)".*/\1/' | tr '\n' ' '; }
for way in 'a.json' '- <a.json' '/dev/stdin <a.json' '<(cat a.json)' '/dev/stdin < <(cat a.json)'; do
	rm -f x.trawl*
	eval "trawl index x.trawl $way"
	exits 0 && silent && [ "$(ids x.trawl)" = "1 2 3 " ]
	claim "an_array_is_read_as_$way"
done
mkfifo fifo
cat a.json >fifo &
trawl index fifo.trawl fifo
exits 0 && silent && [ "$(ids fifo.trawl)" = "1 2 3 " ]
claim "an_array_is_read_from_a_named_pipe"
wait
gzip -c a.json >a.gz
trawl index gz.trawl a.gz
exits 0 && [ "$(ids gz.trawl)" = "1 2 3 " ]
claim "an_array_is_read_from_a_compressed_file_with_no_name_for_it"
printf '{\n  "id": "p",\n  "text": "pretty"\n}\n' >p.json
trawl index pretty.trawl p.json
exits 0 && silent && [ "$(ids pretty.trawl)" = "p " ]
claim "pretty_printed_json_is_a_document"
printf '[1] a note\n' >note.txt
trawl index note.trawl note.txt
exits 0 && [ "$(ids note.trawl)" = "note.txt " ]
claim "a_note_that_begins_with_a_bracket_is_a_text"
printf 'id,text\n1,a\n2,b\n' >table.json
trawl index table.trawl table.json
exits 1 && err_lines 2 && err_has "skipped table.json: no JSON object in it"
claim "a_table_named_as_json_is_told_in_one_line"

# ---- fields
printf '%s\n' '{"id":1,"title":1984,"text":"orwell"}' '{"id":2,"text":["a",null,"b"]}' '{"id":3.0,"text":"c"}' '{"text":"d"}' >b.jsonl
trawl index b.trawl b.jsonl
exits 0 && err_lines 1 && err_has "b.jsonl:4: no \"id\" field" && err_has "--auto-id" && [ "$(ids b.trawl)" = "1 2 3.0 " ]
claim "numbers_and_nulls_are_taken_and_a_line_without_an_id_is_told"
trawl search b.trawl 1984
exits 0
claim "a_title_that_is_a_number_is_found"
trawl index --auto-id auto.trawl b.jsonl
exits 0 && silent && [ "$(ids auto.trawl)" = "1 2 3.0 b.jsonl:4 " ]
claim "auto_id_gives_a_line_its_place_as_id"
printf '{"id":%d,"body":"words"}\n' 1 2 3 >body.jsonl
trawl index body.trawl body.jsonl
exits 0 && err_lines 1 && err_has '3 documents have no word to search; the first is body.jsonl:1; a field named "body" looks like it: --text body'
claim "documents_without_a_word_are_told_in_one_line_with_the_field_that_is_meant"
trawl index --json body2.trawl body.jsonl
exits 0 && out_has '"noted":{"no word":3}'
claim "and_counted_in_the_summary"
trawl index --text body body3.trawl body.jsonl
exits 0 && silent
claim "and_the_hint_is_right"
printf '{"_id":"b1","title":"t","text":"x","metadata":{}}\n' >beir.jsonl
trawl index beir.trawl beir.jsonl
exits 0 && silent && [ "$(ids beir.trawl)" = "b1 " ]
claim "a_corpus_of_beir_is_read_as_it_is"

# ---- encodings
printf 'caf\xe9 cr\xe8me\n' >l.txt
trawl index l.trawl l.txt
exits 0 && err_lines 1 && err_has "windows-1252" && err_has "l.txt" && "$TRAWL" search l.trawl café >/dev/null
claim "latin_1_is_found_and_told"
trawl index -q --encoding latin1 l2.trawl l.txt
exits 0 && silent && "$TRAWL" search l2.trawl café >/dev/null
claim "an_encoding_that_is_named_is_not_told"
trawl index --encoding klingon l3.trawl l.txt
exits 2 && err_has "no such encoding: klingon" && err_has "iconv -l"
claim "an_unknown_encoding_is_an_error"
printf '\xff\xfeh\0e\0l\0l\0o\0' >bom.txt
printf 'h\0e\0l\0l\0o\0 \0' >nobom.txt
trawl index u.trawl bom.txt nobom.txt
exits 0 && err_lines 1 && err_has "nobom.txt: UTF-16 without a byte order mark" && "$TRAWL" search u.trawl hello >/dev/null
claim "utf_16_with_a_mark_is_read_and_without_one_is_told"

# ---- binary files
printf 'BZh91AY&SY\xd5\0\0' >d.jsonl.bz2
printf 'PK\003\004\024\0\0\0\010\0aaaaaaaaaaaaaaaaword/document.xml\0' >r.docx
mkdir folder
cp d.jsonl.bz2 r.docx folder
for path in d.jsonl.bz2 folder; do
	trawl index bin.trawl $path
	exits 1 && err_has "d.jsonl.bz2: compressed with bzip2: pipe it through bzcat" && [ ! -e bin.trawl ]
	claim "a_compressed_file_in_${path}_is_told_with_what_to_do"
done
trawl index bin.trawl r.docx
exits 1 && err_has "r.docx: office document: convert it to text first" && [ ! -e bin.trawl ]
claim "an_office_document_is_told_as_such"
trawl index bin.trawl - <r.docx
exits 1 && err_has "stdin: office document"
claim "also_on_standard_input"
if have zstd "a_zstd_window_that_is_too_large_is_told_with_the_pipe_for_it"; then
	zstd -q --long=31 <news.jsonl >l.jsonl.zst
	trawl index z.trawl l.jsonl.zst
	exits 1 && err_has "zstd -dc --long=31"
	claim "a_zstd_window_that_is_too_large_is_told_with_the_pipe_for_it"
fi
finish
