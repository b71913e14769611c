# The layer check passes on this tree and can fail.
. "$(dirname "$0")/claims.sh"

claim "no include crosses the layers" "$top/tests/check_layers" "$top"

mkdir "$tmp/tree"
for folder in include base tokenizer input store segment query indexer searcher checker cli bench tests; do
	[ -d "$top/$folder" ] || continue
	mkdir -p "$tmp/tree/$folder"
	cp "$top/$folder"/*.[ch] "$top/$folder"/*.cc "$tmp/tree/$folder" 2>/dev/null
done
claim "a copy of the tree passes" "$top/tests/check_layers" "$tmp/tree"

# planted FILE LINE: the check fails when FILE holds LINE, and names it.
planted()
{
	echo "$2" >"$tmp/tree/$1"
	claim "check_layers rejects $2 in $1" fails "$top/tests/check_layers" "$tmp/tree"
	claim "and names $1:1" says "$1:1:" "$top/tests/check_layers" "$tmp/tree"
	rm "$tmp/tree/$1"
}
planted base/planted.c '#include "store/store.h"'
planted tokenizer/planted.h '#include "input/reader.h"'
planted input/planted.cc '#include "tokenizer/analyzer.h"'
planted store/planted.c '#include "tokenizer/analyzer.h"'
planted store/planted.c '#include "segment/format.h"'
planted segment/planted.c '#include "indexer/merge.h"'
planted checker/planted.c '#include "segment/chunk.h"'
planted store/planted.h '#include "cli/commands.h"'
planted indexer/planted.c '#include "searcher/searcher.h"'
planted searcher/planted.c '#include "indexer/indexer.h"'
planted query/planted.c '#include "searcher/run.h"'
planted indexer/planted.h '#include <lmdb.h>'
planted searcher/planted.h '# include "lmdb.h"'
planted cli/planted.c '#include "base/memory.h"'
planted cli/planted.h '#include "bench/game.h"'
planted bench/planted.c '#include "cli/terminal.h"'
planted bench/planted.h '#include <store/store.h>'
planted cli/planted.c '#include "cli/../base/memory.h"'
planted store/planted.c '#include "planted.h"'
planted segment/planted.c '#include "searcher/searcher.h"'
planted segment/planted.c '#include <lmdb.h>'
planted store/planted.c '#include "segment/segment.h"'
if [ -d "$top/query" ]; then
	planted query/planted.c '#include "searcher/searcher.h"'
	planted query/planted.h '#include "indexer/writer.h"'
	planted segment/planted.c '#include "query/plan.h"'
	planted indexer/planted.c '#include "query/plan.h"'
fi

# circle FILE INCLUDED...: each includes the next one, and the last the first; the check fails and names them.
circle()
{
	local first=$1 text=$1 name
	while [ $# -gt 0 ]; do
		echo "#include \"${2-$first}\"" | sed 's/[.]c"$/.h"/' >"$tmp/tree/$1"
		shift
		[ $# -eq 0 ] || text="$text, $1"
	done
	claim "check_layers rejects a circle of $text" fails "$top/tests/check_layers" "$tmp/tree"
	for name in ${text//,/}; do
		claim "and names $name" says "${name%.*}" "$top/tests/check_layers" "$tmp/tree"
	done
	for name in ${text//,/}; do
		rm "$tmp/tree/$name"
	done
}
circle base/egg.h base/hen.h
circle store/egg.c store/hen.c
circle tests/egg.h tests/chick.c tests/hen.h
printf '#include "base/egg.h"\n' >"$tmp/tree/base/egg.c"
printf '#include "base/egg.h"\n' >"$tmp/tree/base/hen.c"
echo >"$tmp/tree/base/egg.h"
claim "a source that includes its own header is no circle" "$top/tests/check_layers" "$tmp/tree"
sed "s|^known_circles='|&base/egg base/hen\n|" "$top/tests/check_layers" >"$tmp/check_layers"
claim "a known circle that is gone is to be struck out" \
	says 'take it out of known_circles: base/egg base/hen' bash "$tmp/check_layers" "$tmp/tree"
claim "and fails until then" fails bash "$tmp/check_layers" "$tmp/tree"

echo '#include "base/memory.h"' >"$tmp/tree/cli/commands.txt"
claim "a file that is not source is not looked at" "$top/tests/check_layers" "$tmp/tree"
