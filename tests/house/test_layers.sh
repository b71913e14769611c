# The layer check passes on this tree and can fail.
. "$(dirname "$0")/claims.sh"

claim "no include crosses the layers" "$top/tests/check_layers" "$top"

mkdir "$tmp/tree"
for folder in include base tokenizer input store segment indexer searcher checker cli bench; do
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
planted indexer/planted.h '#include <lmdb.h>'
planted searcher/planted.h '# include "lmdb.h"'
planted cli/planted.c '#include "base/memory.h"'
planted cli/planted.h '#include "bench/game.h"'
planted bench/planted.c '#include "cli/terminal.h"'
planted bench/planted.h '#include <store/store.h>'
planted cli/planted.c '#include "cli/../base/memory.h"'
planted store/planted.c '#include "planted.h"'

echo '#include "base/memory.h"' >"$tmp/tree/cli/commands.txt"
claim "a file that is not source is not looked at" "$top/tests/check_layers" "$tmp/tree"
