/* file_bytes.h - whole files in memory, for tests that change them. */
#ifndef TRAWL_TESTS_FILE_BYTES_H
#define TRAWL_TESTS_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct file {
	uint8_t *bytes; /* to be freed */
	size_t length;
};

void file_write(const char *path, const void *bytes, size_t length);
struct file file_read(const char *path);
void file_copy(const char *from, const char *to);

#endif
