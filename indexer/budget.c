#include "indexer/budget.h"

#include "base/limits.h"

#define MIB ((size_t)1 << 20)
#define KEPT (32 * MIB) /* a smaller budget makes merges no smaller */
#define FIXED (11 * MIB)
#define DOCUMENTS_LEAST (2 * MIB) /* a segment a hundred documents would be no use */
#define MERGE_DOCUMENT_BYTES 100  /* what merging takes for a document, its postings in the longest list included */
#define MERGE_SOURCE_BYTES (4 * 256 << 10) /* extents of a source that are in use at once */

static size_t between(size_t value, size_t least, size_t most)
{
	return value < least ? least : value > most ? most : value;
}

struct budget budget_divide(size_t bytes)
{
	size_t total = bytes ? bytes : (size_t)limits_memory_share();
	struct budget budget = {.total = total, .fixed = FIXED};
	budget.flush = between(total / 16, MIB / 2, 16 * MIB);
	budget.mapped = between(total / 8, 4 * MIB, (size_t)1 << 40);
	budget.documents = between(total / 4, DOCUMENTS_LEAST, (size_t)1 << 40);
	budget.filter = between(total / 16, MIB / 8, (size_t)1 << 30);
	budget.deletes = total / 16;
	size_t reserved = budget.fixed + 2 * budget.flush;
	reserved += budget.filter;
	budget.pipeline = total > reserved ? (total - reserved) / 3 : 0;
	budget.bigrams = total / 8;
	budget.merge.documents = between((total < KEPT ? KEPT : total) / 2 / MERGE_DOCUMENT_BYTES, 1, DOCUMENTS_MAX);
	budget.merge.sources = between(total / 4 / MERGE_SOURCE_BYTES, MERGE_TIER_WIDTH, MERGE_SOURCES_MAX);
	return budget;
}
