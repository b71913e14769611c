/* file.h - files of queries and judgements, line by line. */
#ifndef TRAWL_BENCH_FILE_H
#define TRAWL_BENCH_FILE_H

#include "bench/support.h"

/* A file in memory, handed out line by line. */
struct bench_file {
	const char *path;
	char *data;
	size_t length, at;
	size_t line; /* number of the line that file_next_line gave last, from 1 */
	bool strict; /* a bad line is an error */
	size_t bad;  /* lines that were passed over */
};

/* Read all of `path` ("-": standard input), up to 1 GiB, decompressed if it is gzip or zstd. 0 or BENCH_ERROR with a message. A
 * UTF-8 byte order mark at the start is passed over. `path` must outlive the file. */
int file_load(struct bench_file *file, const char *path, bool strict);
/* Tell what is wrong with a line: 0, it is to be passed over; or BENCH_ERROR when the file is read strictly. Of many only the first
 * are told one by one. */
int file_bad_line(struct bench_file *file, size_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The lines are read, `kept` of them are of use: tell how many bad ones were not told, and whether nothing is left: BENCH_ERROR, "it
 * holds no `what`". */
int file_end(const struct bench_file *file, size_t kept, const char *what);
/* The next line without its end ("\n" or "\r\n"); it lives until file_release. */
bool file_next_line(struct bench_file *file, const char **line, size_t *length);
void file_release(struct bench_file *file);

#endif
