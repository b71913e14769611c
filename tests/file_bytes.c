#include "tests/file_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void file_write(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

struct file file_read(const char *path)
{
	struct stat status;
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	struct file result = {malloc((size_t)status.st_size + 1), (size_t)status.st_size};
	assert_non_null(result.bytes);
	assert_int_equal(fread(result.bytes, 1, result.length, file), result.length);
	fclose(file);
	return result;
}

void file_copy(const char *from, const char *to)
{
	struct file file = file_read(from);
	file_write(to, file.bytes, file.length);
	free(file.bytes);
}
