/* error.h - how functions of the library report failure: a negative TRAWL_E... code and a text with the place. */
#ifndef TRAWL_BASE_ERROR_H
#define TRAWL_BASE_ERROR_H

#include "trawl.h"

/* Describe a failure in `error` (may be NULL) and return `code`. The text is cut to fit; control bytes become '?'. */
int error_set(trawl_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends strerror(error_number) and, for ENOMEM, the limit of memory that there is; ENOSPC, EDQUOT, EFBIG become TRAWL_EFULL, ENOMEM
 * TRAWL_ENOMEM, ENOENT TRAWL_ENOTFOUND, the rest TRAWL_EIO. */
int error_set_system(trawl_error *error, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for memory that ran out; a limit of the process (ulimit) is named. */
int error_set_memory(trawl_error *error);

/* An analyser that reads one file at a time cannot know what these return. */
#if defined(__clang_analyzer__) && !defined(TRAWL_BASE_ERROR_C)
#define error_set(error, code, ...) (error_set(error, code, __VA_ARGS__), (code))
#define error_set_system(...) (error_set_system(__VA_ARGS__), TRAWL_EIO)
#define error_set_memory(error) (error_set_memory(error), TRAWL_ENOMEM)
#endif

/* The code of the last failure that this thread described to nobody: where the `error` was NULL. */
int error_unseen(void);

/* The code of a failure that was described in `error` (may be NULL) just before: for functions whose answer is a pointer, and NULL
 * when they fail. */
static inline int error_code(const trawl_error *error)
{
	int code = error ? error->code : error_unseen();
	return code < 0 ? code : TRAWL_ECORRUPT;
}

#endif
