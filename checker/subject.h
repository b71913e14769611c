/* subject.h - one segment under examination: what its root says, and what the examination of each part adds up. */
#ifndef TRAWL_CHECKER_SUBJECT_H
#define TRAWL_CHECKER_SUBJECT_H

#include "checker/image.h"
#include "checker/report.h"

/* What the manifest says, read anew from its bytes. */
struct told_segment {
	uint32_t number, documents, deleted;
	uint64_t live_tokens, live_postings, live_text_bytes, deletion_bytes;
};

struct told_manifest {
	uint64_t generation;
	uint32_t format, analysis; /* their versions, also where one is not ours */
	uint32_t next_segment, flags, segment_count;
	char language[64];
	struct told_segment *segments;
};

/* Parse a manifest. 0; TRAWL_ECORRUPT and *wrong; TRAWL_EVERSION, TRAWL_ENOTINDEX, TRAWL_ENOMEM. */
int told_manifest_parse(struct told_manifest *manifest, const uint8_t *bytes, uint32_t length, const char **wrong);
/* The error of a manifest that gave TRAWL_EVERSION. */
int told_manifest_refuse(const struct told_manifest *manifest, const char *path, trawl_error *error);
void told_manifest_release(struct told_manifest *manifest);

#define BIGRAM_ROOT_FIXED 32

struct subject {
	struct image *image;
	struct report *report;
	const struct told_segment *told; /* NULL: there is no manifest */
	uint32_t number, index;
	bool positions, gaps, bigrams;
	struct tokenizer *tokenizer; /* NULL: the text is not to be compared with the postings */
	bool lenient;                /* for salvage: take what there is of deletions, order and root */
	bool no_memory;              /* ran out on the way: what follows was not examined */

	/* of the root */
	uint32_t documents, ordinals;
	uint64_t tokens, postings, terms, text_bytes;
	float k1, b, average;
	uint8_t least_length, greatest_length;
	uint64_t bytes[PART_COUNT]; /* of each part */
	uint8_t *root;
	uint64_t root_bytes;
	uint64_t first_terms, first_hashes; /* where they start in the root */

	uint8_t *bigram_root; /* NULL: without bigrams, or unreadable */

	/* whole parts; NULL when absent or unreadable */
	uint8_t *lengths, *last_positions;
	uint32_t *order;          /* of each docID: its ordinal */
	uint32_t *doc_of;         /* of each ordinal: its docID, or UINT32_MAX */
	uint8_t *deletions;       /* the bytes of the part */
	const uint8_t *deleted;   /* its bits; NULL: none are deleted */
	bool deletions_unknown;   /* there should be some, and they cannot be read */
	double denominators[256]; /* K of each length byte */

	/* summed over all postings */
	uint32_t *tokens_of; /* of each docID */
	uint32_t *end_of;    /* greatest position + 1 */
	uint64_t *text_of; /* a sum of hashed terms and positions, to compare with the text; NULL: that is not wanted */
	uint32_t *mixed_of; /* a sum of hashed positions: each of 0 to tokens - 1 is there once */
	uint32_t *dfs;      /* of the terms by number, only with bigrams */
	size_t df_count, df_capacity;
	bool lists_unread; /* some list could not be read, so that the sums mean nothing */
};

/* Read and examine the root. false: the segment cannot be examined further. */
bool subject_open(struct subject *subject);
void subject_release(struct subject *subject);

/* Without a root: take the lengths of parts from the extents that there are. false: nothing can be told. */
bool subject_reconstruct(struct subject *subject);

/* Compare the extents that there are with the lengths that the root tells. */
void subject_check_extents(struct subject *subject);

/* Read lengths, last positions, order and deletions, and examine them. */
void subject_load(struct subject *subject);

static inline bool subject_is_deleted(const struct subject *subject, uint32_t doc)
{
	return subject->deleted && subject->deleted[doc / 8] >> (doc % 8) & 1;
}

/* A small part or what it should be, read whole into new memory with 8 bytes more; NULL: unreadable (reported), or no memory. */
uint8_t *subject_read(struct subject *subject, uint32_t part);

/* What a term at a position adds to text_of. */
static inline uint64_t text_mix(uint64_t term_hash, uint32_t position)
{
	uint64_t x = (term_hash ^ position) * 0x9e3779b97f4a7c15u;
	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
}

/* FORMAT.md, Length byte and Positions. */
uint32_t plain_length(uint8_t byte);
uint8_t plain_length_byte(uint32_t length);
uint32_t plain_longest(uint8_t byte);

/* ---- the examination of lists ---- */

struct list_place_told {
	uint64_t postings, postings_bytes, positions, positions_bytes;
};

/* Examines posting lists of the two kinds of docs/FORMAT.md, wherever they stand. */
struct list_checker {
	struct subject *subject;
	struct part_stream postings, positions; /* positions: only if `with_positions` */
	bool with_positions;
	/* Called for each posting of a sound list; positions is NULL without. */
	void (*posting)(void *context, uint32_t doc, uint32_t tf, const uint32_t *positions);
	void *context;
	/* of the list under examination */
	const char *name; /* for messages */
	uint32_t df, seen, deleted;
	uint32_t next_doc;
	uint64_t position_address, position_end; /* bits of the part */
	/* scratch */
	uint32_t *decoded;
	size_t decoded_capacity;
};

bool list_checker_open(struct list_checker *checker, struct subject *subject, uint32_t postings_part,
                       uint32_t positions_part, bool with_positions);
void list_checker_release(struct list_checker *checker);

/* Examine the list of df > 1 postings called `name`. true: it is sound, and checker->deleted of its documents are deleted. */
bool list_check(struct list_checker *checker, const char *name, uint32_t df, const struct list_place_told *place);

/* One posting of df = 1 with its positions at `address`. */
bool list_check_single(struct list_checker *checker, const char *name, uint32_t doc, uint32_t tf, uint64_t address,
                       uint64_t bytes);
/* One posting of df = 1 and tf = 1 whose position stands in the dictionary. */
bool list_check_inline(struct list_checker *checker, const char *name, uint32_t doc, uint32_t position);

/* ---- the examination of the rest ---- */

/* The dictionary, all lists, and the sums over them. */
void check_terms(struct subject *subject);

/* An id of a live document, to be unique in the index. */
struct live_id {
	uint64_t low, high; /* of its XXH3-128 */
	uint32_t segment, ordinal;
};

struct live_ids {
	struct live_id *ids;
	size_t count, capacity;
};

/* Stored documents, ids, and the id index. The ids of live documents go to `live`. */
void check_documents(struct subject *subject, struct live_ids *live);

#endif
