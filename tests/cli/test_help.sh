#!/usr/bin/env bash
# Help, versions, and wrong calls of the tool as a whole.
. "$(dirname "$0")/lib.sh"
top=${TRAWL_TOP:-}

trawl --help
exits 0 && silent && out_has "trawl index" && out_has "trawl search" && out_has "Exit status"
claim "help_goes_to_standard_output_with_exit_0"

trawl
exits 2 && [ ! -s .out ] && err_has "trawl search"
claim "no_command_prints_the_usage_to_standard_error_with_exit_2"

trawl --version
exits 0 && out_matches '^trawl [0-9]+\.[0-9]+\.[0-9]+ \((scalar|avx2|avx512) kernels\), (no )?line editing.*'
claim "version_names_the_version_and_the_kernels"

for command in index delete search show export stats merge compact copy check salvage bench eval; do
	trawl "$command" --help
	cp .out by_option
	exits 0 && out_has "trawl $command" && silent
	claim "${command}_help_has_examples_and_exit_0"
	trawl help "$command"
	exits 0 && cmp -s .out by_option
	claim "help_${command}_is_the_same"
	trawl "$command" --no-such-option
	exits 2 && err_has "--no-such-option" && [ ! -s .out ]
	claim "${command}_names_an_unknown_option_with_exit_2"
done

trawl serach x y
exits 2 && err_has "did you mean 'search'?"
claim "a_mistyped_command_is_suggested"

trawl frobnicate
exits 2 && err_has "no command 'frobnicate'"
claim "an_unknown_command_is_an_error"

trawl $'fr\x1b[31mob'
exits 2 && ! grep -q $'\x1b' .err
claim "control_bytes_of_an_argument_do_not_reach_the_terminal"

trawl index
exits 2 && err_has "INDEX"
claim "index_without_arguments_says_what_is_missing"

trawl index only.trawl
exits 2 && err_has "only.trawl" && [ ! -e only.trawl ]
claim "index_without_a_path_says_so_and_makes_no_file"

for command in delete search show export stats merge compact copy check salvage; do
	trawl "$command"
	exits 2 && err_has "INDEX"
	claim "${command}_without_an_index_says_what_is_missing"
done

if [ -n "$top" ] && have groff "the_manual_page_has_no_mistakes"; then
	run groff -man -Tutf8 -ww -z "$top/docs/trawl.1"
	exits 0 && silent
	claim "the_manual_page_has_no_mistakes"
	trawl --help
	missing=
	for command in index delete search show export stats merge compact copy check salvage; do
		"$TRAWL" "$command" --help | grep -oE -e '--[a-z][a-z0-9-]+' | sort -u | while read -r option; do
			sed 's/\\-/-/g' "$top/docs/trawl.1" | grep -F -e "$option" >/dev/null || echo "$command $option"
		done
	done >.out
	[ ! -s .out ]
	claim "the_manual_page_has_every_option_of_the_help"
fi
finish
