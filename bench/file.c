#include "bench/file.h"

#include "bench/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)1 << 30)
#define BAD_LINES_TOLD 10
#define TROUBLE_SIZE 256

/* Whether nothing is wrong but that there is nothing to read yet: now there is. */
static bool read_again(int descriptor)
{
	struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return poll(&wanted, 1, -1) >= 0 || errno == EINTR;
	return errno == EINTR;
}

static int read_all(struct bench_file *file, int descriptor)
{
	struct bench_text text = {0};
	int result = 0;
	for (;;) {
		char *room = text_room(&text, 1 << 16);
		ssize_t got = read(descriptor, room, 1 << 16);
		if (got == 0)
			break;
		if (got < 0 && !read_again(descriptor)) {
			result = bench_fail("cannot read %s: %s", file->path, strerror(errno));
			break;
		}
		text.length += got > 0 ? (size_t)got : 0;
		if (text.length > FILE_MAX_BYTES) {
			result = bench_fail("%s is larger than 1 GiB", file->path);
			break;
		}
	}
	file->data = text.data;
	file->length = text.length;
	return result;
}

/* The contents of a compressed file in the place of its bytes. */
static int unpack_file(struct bench_file *file)
{
	struct bench_text text = {0};
	const char *trouble = unpack(file->data, file->length, FILE_MAX_BYTES, &text);
	free(file->data);
	file->data = text.data;
	file->length = text.length;
	return trouble ? bench_fail("cannot read %s: %s", file->path, trouble) : 0;
}

/* Whether it is `[`, white space and `{`: a query may begin with a bracket, too. */
static bool is_json_array(const char *bytes, size_t length)
{
	size_t at = 1;
	while (at < length && memchr(" \t\r\n", bytes[at], 4))
		at++;
	return at < length && bytes[0] == '[' && bytes[at] == '{';
}

/* What is no lines of text, and what makes it that: NULL for others. */
static const char *refusal(const char *bytes, size_t length)
{
	static const struct {
		size_t offset, length;
		const char *bytes, *told;
	} kinds[] = {{4, 6, "1AY&SY", "compressed with bzip2: pipe it through bzcat"},
	             {0, 5, "\xfd\x37zXZ", "compressed with xz: pipe it through xzcat"},
	             {0, 4, "PK\3\4", "a ZIP archive: unpack it first"},
	             {0, 2, "\xff\xfe", "UTF-16: convert it with iconv"},
	             {0, 2, "\xfe\xff", "UTF-16: convert it with iconv"}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (length >= kinds[i].offset + kinds[i].length &&
		    memcmp(bytes + kinds[i].offset, kinds[i].bytes, kinds[i].length) == 0)
			return kinds[i].told;
	return is_json_array(bytes, length) ? "a JSON array: one object a line is wanted (jq -c '.[]')" : NULL;
}

int file_load(struct bench_file *file, const char *path, bool strict)
{
	*file = (struct bench_file){.path = path, .strict = strict};
	bool standard_input = strcmp(path, "-") == 0;
	int descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return bench_fail("cannot open %s: %s", path, strerror(errno));
	int result = read_all(file, descriptor);
	if (!standard_input)
		close(descriptor);
	if (!result && is_packed(file->data, file->length))
		result = unpack_file(file);
	if (!result && file->length >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0)
		file->at = 3;
	const char *refused = result || !file->length ? NULL : refusal(file->data + file->at, file->length - file->at);
	if (refused)
		result = bench_fail("cannot read %s: %s", path, refused);
	if (result)
		file_release(file);
	return result;
}

bool file_next_line(struct bench_file *file, const char **line, size_t *length)
{
	if (file->at >= file->length)
		return false;
	const char *start = file->data + file->at;
	const char *end = memchr(start, '\n', file->length - file->at);
	size_t taken = end ? (size_t)(end - start) : file->length - file->at;
	file->at += taken + (end ? 1 : 0);
	file->line++;
	if (taken && start[taken - 1] == '\r')
		taken--;
	*line = start;
	*length = taken;
	return true;
}

int file_bad_line(struct bench_file *file, size_t line, const char *format, ...)
{
	char trouble[TROUBLE_SIZE];
	va_list arguments;
	if (++file->bad > BAD_LINES_TOLD && !file->strict)
		return 0;
	va_start(arguments, format);
	vsnprintf(trouble, sizeof trouble, format, arguments);
	va_end(arguments);
	bench_tell("%s:%zu: %s", file->path, line, trouble);
	return file->strict ? BENCH_ERROR : 0;
}

int file_end(const struct bench_file *file, size_t kept, const char *what)
{
	if (file->bad > BAD_LINES_TOLD)
		bench_tell("%s: %zu more lines were passed over", file->path, file->bad - BAD_LINES_TOLD);
	return kept ? 0 : bench_fail("%s holds no %s", file->path, what);
}

void file_release(struct bench_file *file)
{
	free(file->data);
	file->data = NULL;
	file->length = file->at = 0;
}
