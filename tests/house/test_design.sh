# docs/DESIGN.md speaks of functions, types and files that exist.
. "$(dirname "$0")/claims.sh"
folders="base tokenizer input store segment query indexer searcher checker cli bench include tests"

cd "$top" || exit 1
shopt -s nullglob
documents=(docs/DESIGN.md docs/GLOSSARY.m[d])

# named PATTERN: what stands in backticks in the documents and looks like that, once each.
named()
{
	grep -ohE '`[^`]+`' "${documents[@]}" | tr -d '`' | grep -xE -e "$1" | sort -u || true
}

cat $(for folder in $folders; do find $folder -path bench/peers -prune -o -name '*.[ch]' -print -o -name '*.cc' -print; done) \
	Makefile tests/*.mk >"$tmp/sources" 2>/dev/null

# missing: of the words on standard input, those that the sources do not have.
missing()
{
	local word bad=0
	while read -r word; do
		grep -qwF -e "$word" "$tmp/sources" || { echo "$word" && bad=1; }
	done
	return $bad
}

functions()
{
	{
		grep -ohE '\b[a-z][a-z0-9_]+\(\)' "${documents[@]}"
		named '[a-z][a-z0-9]*(_[a-z0-9]+)+\(?\)?'
	} | tr -d '()' | sort -u
}

names_of_functions_exist()
{
	functions | missing
}

types_exist()
{
	named '(struct|enum|union) [a-z_0-9]+' | missing
}

constants_exist()
{
	named '[A-Z][A-Z0-9]*(_[A-Z0-9]+)+' | missing
}

files_exist()
{
	local name bad=0
	while read -r name; do
		compgen -G "$name" >/dev/null || compgen -G "docs/$name" >/dev/null || { echo "$name" && bad=1; }
	done < <(named '[a-z0-9_*./-]+/[a-zA-Z0-9_*./-]*|[a-z0-9_]+\.(c|h|cc|sh|mk|md)' | grep -vE '^/|^\./')
	return $bad
}

targets_exist()
{
	local target bad=0
	for target in $(grep -ohE '`make [a-z-]+' docs/*.md CONTRIBUTING.md README.md | sed 's/.* //' | sort -u); do
		grep -qE "^([a-z_-]+ )*$target( [a-z-]+)*:" Makefile tests/*.mk || { echo "$target" && bad=1; }
	done
	return $bad
}

claim "functions that docs/DESIGN.md names exist" names_of_functions_exist
claim "types that it names exist" types_exist
claim "constants that it names exist" constants_exist
claim "files and folders that it names exist" files_exist
claim "what the documents say to make can be made" targets_exist
claim "a name that nothing has is found" fails missing <<<"no_such_function_at_all"
