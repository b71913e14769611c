/* topics.h - a test collection's questions. */
#ifndef TRAWL_BENCH_TOPICS_H
#define TRAWL_BENCH_TOPICS_H

#include "bench/file.h"

struct topic {
	struct word id;
	const char *text;
	size_t text_length;
	size_t line;
};

struct topics {
	struct bench_file file;
	struct topic *topics;    /* in the order of the file */
	struct json_t **objects; /* of each topic, or NULL: owns the text that is not in the file */
	size_t count, capacity;
};

/* Read lines `id TAB text`, or objects {"_id": "...", "text": "..."} (BEIR), one a line; empty lines are passed over, and bad ones as
 * file_bad_line says, which a line is as well whose id came before. 0 or BENCH_ERROR with a message. */
int topics_load(struct topics *topics, const char *path, bool strict);
void topics_release(struct topics *topics);

#endif
