/* id_set.h - sets of strings of which only 56 bits of a hash are kept, with a small number each; and lists of strings. */
#ifndef TRAWL_CLI_ID_SET_H
#define TRAWL_CLI_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_SET_NUMBER_MAX 254

/* Zero-initialised is empty. */
struct id_set {
	uint64_t *slots; /* the hash above the number; 0: free */
	size_t count, capacity;
};

/* A number from 0 to ID_SET_NUMBER_MAX goes with it, of which the first stays. false: out of memory. */
bool id_set_add(struct id_set *set, const char *string, size_t length, unsigned number);

/* The number; -1: it is not in the set. */
int id_set_find(const struct id_set *set, const char *string, size_t length);

void id_set_release(struct id_set *set);

/* Strings of any bytes, one behind the other. Zero-initialised is empty. */
struct id_list {
	char *bytes;
	size_t length, capacity;
	size_t *ends;
	size_t count, end_capacity;
};

bool id_list_add(struct id_list *list, const char *string, size_t length); /* false: out of memory */
const char *id_list_get(const struct id_list *list, size_t which, size_t *length);
void id_list_release(struct id_list *list);

#endif
