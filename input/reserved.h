/* reserved.h - the member "_trawl" of an object that `trawl export` wrote: what the other members could not say (cli/reserved.h). */
#ifndef TRAWL_INPUT_RESERVED_H
#define TRAWL_INPUT_RESERVED_H

#include <stddef.h>

#include "base/memory.h"
#include "base/reserved.h"
#include "trawl.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero-initialised is empty. */
struct reserved {
	struct buffer id, title, text, bytes, fields;
};

/* Take what the object says into the document, in which the other members are. `json` is valid JSON, an object. The document's new
 * pointers live until the next call. TRAWL_EINPUT: it is not as export writes it. TRAWL_ENOMEM. */
int reserved_apply(struct reserved *reserved, const char *json, size_t length, trawl_document *document,
                   trawl_error *error);
void reserved_release(struct reserved *reserved);

#ifdef __cplusplus
}
#endif
#endif
