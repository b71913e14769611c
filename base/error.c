#define TRAWL_BASE_ERROR_C
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

/* For error_code: a caller that wants no text gets the right code all the same. */
static _Thread_local int unseen;

int error_unseen(void)
{
	return unseen;
}

static void clean_text(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

int error_set(trawl_error *error, int code, const char *format, ...)
{
	if (error) {
		va_list arguments;
		va_start(arguments, format);
		error->code = code;
		vsnprintf(error->text, sizeof error->text, format, arguments);
		va_end(arguments);
		clean_text(error->text);
	} else {
		unseen = code;
	}
	return code;
}

static int system_code(int error_number)
{
	switch (error_number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return TRAWL_EFULL;
	case ENOMEM: return TRAWL_ENOMEM;
	case ENOENT: return TRAWL_ENOTFOUND;
	default: return TRAWL_EIO;
	}
}

/* Mostly memory runs out because somebody limits it: say who. */
static void name_limit(trawl_error *error)
{
	struct memory_limit limit = limits_of_allocation();
	if (!error || limit.by == LIMITED_BY_RAM)
		return;
	size_t used = strlen(error->text);
	snprintf(error->text + used, sizeof error->text - used,
	         ": this process may use %llu MB of %s (%s); raise that limit, or let it work with less memory",
	         (unsigned long long)limit.bytes / 1000000, limit.by == LIMITED_BY_DATA ? "data" : "address space",
	         limits_name(limit.by));
}

int error_set_system(trawl_error *error, int error_number, const char *format, ...)
{
	int code = system_code(error_number);
	if (error) {
		va_list arguments;
		va_start(arguments, format);
		error->code = code;
		int used = vsnprintf(error->text, sizeof error->text, format, arguments);
		va_end(arguments);
		if (used < 0)
			used = 0;
		if ((size_t)used < sizeof error->text)
			snprintf(error->text + used, sizeof error->text - (size_t)used, ": %s", strerror(error_number));
		clean_text(error->text);
		if (error_number == ENOMEM)
			name_limit(error);
	} else {
		unseen = code;
	}
	return code;
}

int error_set_memory(trawl_error *error)
{
	error_set(error, TRAWL_ENOMEM, "out of memory");
	name_limit(error);
	return TRAWL_ENOMEM;
}

const char *trawl_status_name(int status)
{
	switch (status) {
	case TRAWL_OK: return "ok";
	case TRAWL_EINVAL: return "invalid argument";
	case TRAWL_ENOMEM: return "out of memory";
	case TRAWL_EIO: return "input/output error";
	case TRAWL_ENOTFOUND: return "not found";
	case TRAWL_ENOTINDEX: return "not an index";
	case TRAWL_EVERSION: return "another format";
	case TRAWL_ECORRUPT: return "corrupt";
	case TRAWL_EBUSY: return "busy";
	case TRAWL_EFULL: return "disk full";
	case TRAWL_ELIMIT: return "limit passed";
	case TRAWL_EINPUT: return "bad input";
	case TRAWL_ESTOPPED: return "stopped";
	default: return "unknown status";
	}
}

const char *trawl_version(void)
{
	return TRAWL_VERSION;
}
