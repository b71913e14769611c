/*
 * collect_impl.h - from an evaluator to its collector. The best k by score are pushed right here; for a collector that is called, the
 * matches of a superblock are put together first.
 */
#include <string.h>

#include "base/error.h"
#include "searcher/kernel.h"

struct sink {
	struct collector *collector;
	struct top *top;        /* COLLECT_TOP, else NULL */
	struct matches *staged; /* COLLECT_CALL: of the superblock at hand */
	uint64_t base;          /* of the segment's documents in hits */
	int code;               /* of the collector's last call */
};

/* false: out of memory. */
static bool sink_begin(struct sink *sink, struct collector *collector, size_t segment, uint64_t base,
                       struct arena *arena)
{
	*sink = (struct sink){.collector = collector, .base = base};
	if (collector->kind == COLLECT_TOP)
		sink->top = (struct top *)collector;
	if (collector->kind != COLLECT_CALL)
		return true;
	sink->staged = arena_new(arena, sizeof *sink->staged);
	if (!sink->staged)
		return false;
	*sink->staged = (struct matches){.segment = segment, .base = base, .superblock = UINT32_MAX};
	sink->staged->scores = arena_new(arena, SUPERBLOCK_BLOCKS * sizeof *sink->staged->scores);
	return sink->staged->scores != NULL;
}

/* Hand over what is staged. */
static int sink_flush(struct sink *sink)
{
	struct matches *staged = sink->staged;
	if (!staged || !staged->blocks || sink->code)
		return sink->code;
	sink->code = sink->collector->take(sink->collector, staged);
	staged->blocks = 0;
	return sink->code;
}

/* Superblocks are finished one after the other, so that a new one means that the last is done. */
static __attribute__((noinline)) void stage(struct sink *sink, uint32_t doc, float score)
{
	struct matches *staged = sink->staged;
	uint32_t superblock = doc / SUPERBLOCK_DOCUMENTS, block = doc / BLOCK_DOCUMENTS % SUPERBLOCK_BLOCKS;
	if (!staged)
		return; /* counted alone */
	if (superblock != staged->superblock)
		sink_flush(sink);
	staged->superblock = superblock;
	if (!(staged->blocks >> block & 1))
		staged->masks[block] = 0;
	staged->blocks |= 1u << block;
	staged->masks[block] |= (uint64_t)1 << (doc % BLOCK_DOCUMENTS);
	staged->scores[block][doc % BLOCK_DOCUMENTS] = score;
}

/* What a score must reach to be of use. */
static inline float least_score(const struct sink *sink)
{
	return sink->collector->threshold;
}

/* A document that matches, with a score that is of use. */
static inline void offer(struct sink *sink, uint32_t doc, float score)
{
	if (__builtin_expect(sink->top != NULL, 1))
		top_push(sink->top, sink->base + doc, score);
	else
		stage(sink, doc, score);
}

/* Of these documents of a block, those whose scores are of use. */
static inline void offer_block(struct sink *sink, uint64_t documents, uint32_t first_doc, const float *scores)
{
	for (; documents; documents &= documents - 1) {
		uint32_t offset = (uint32_t)__builtin_ctzll(documents);
		if (scores[offset] >= least_score(sink))
			offer(sink, first_doc + offset, scores[offset]);
	}
}
