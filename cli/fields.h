/* fields.h - a choice of the fields that are stored with a document. */
#ifndef TRAWL_CLI_FIELDS_H
#define TRAWL_CLI_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "trawl.h"

#define FIELD_NAMES_MAX 64

struct field_choice {
	bool all;
	size_t count;
	struct field_name {
		const char *text; /* not NUL-terminated; "a.b" is the member b of the object a, or the member "a.b" */
		size_t length;
	} names[FIELD_NAMES_MAX];
};

/* "all", or names with commas between them; `text` must outlive the choice. false: there is an empty name, or there are too many. */
bool field_choice_parse(struct field_choice *choice, const char *text);

/* Print the chosen ones of a document as a JSON object on standard output, as they were stored; absent ones are left out. The name
 * "text", unless there is such a field, is the document's text. */
void print_fields(const struct field_choice *choice, const trawl_document *document);

#endif
