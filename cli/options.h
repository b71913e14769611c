/* options.h - option values, and the usual answers to wrong options. */
#ifndef TRAWL_CLI_OPTIONS_H
#define TRAWL_CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start getopt_long afresh. Optstrings begin with ':', so that wrong options come back as '?' and ':'. */
void options_begin(void);

/* Complain about the option for which getopt_long just returned '?' or ':'. Returns EXIT_ERROR. */
int complain_option(const char *command, int result, char **argv);
#if defined(__clang_analyzer__) && !defined(TRAWL_CLI_OPTIONS_C) /* as in base/error.h */
#define complain_option(...) (complain_option(__VA_ARGS__), EXIT_ERROR)
#endif

/* Parse the line of a command whose only options are --json and --help. EXIT_NONE: go on, with `*json`, at argv[optind]; else the exit
 * status. */
int parse_json_option(const char *command, const char *usage, int argc, char **argv, bool *json);

/* A whole number, nothing around it, from `least` to `most`. */
bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* Bytes: a whole number, with K, M or G behind it (of 1024; "MB" and "MiB" mean the same). */
bool parse_size(const char *text, uint64_t *bytes);

/* A smaller budget of memory cannot be kept to: a writer takes up to so much whatever it is given. */
#define MEMORY_KEPT (64u << 20)

/* Say on stderr that the budget that follows from what this process may use cannot be kept to, if so. */
void tell_little_memory(const char *command);

/* A decimal number from `least` to `most`. */
bool parse_real(const char *text, double least, double most, float *number);

/* The word of `words` (ending in NULL) that `word` may be a slip of, or NULL. */
const char *nearest_word(const char *word, const char *const *words);

#endif
