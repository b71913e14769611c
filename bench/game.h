/* game.h - the search-benchmark-game protocol: a line `COMMAND TAB query` in, a line out. */
#ifndef TRAWL_BENCH_GAME_H
#define TRAWL_BENCH_GAME_H

#include "trawl.h"

/* COUNT; TOP_n, TOP_n_COUNT, TOP_n_DOCS for n from 1 to TRAWL_TOP_MAX. */
struct game_command {
	size_t top; /* 0: count only */
	bool count;
	bool documents; /* answer with the hits themselves */
};

/* false: no such command. */
bool game_command_parse(const char *name, size_t length, struct game_command *command);

/* Answer every line of `input` until it ends; each answer is one write. `options` gives all but top and count.
 * 0 or BENCH_ERROR with a message, when input or output fail. */
int game_run(trawl_searcher *searcher, const trawl_search_options *options, int input, int output);

#endif
