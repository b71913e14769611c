#include "indexer/merge_policy.h"

enum { TIERS = 22, TIER_SHIFT = 3 }; /* 8^22 > 2^64 */

/* ---- a choice in the making ---- */

struct choice {
	struct merge_candidate *candidates;
	const struct merge_limits *limits;
	size_t count, chosen;
	uint64_t size, documents; /* of the result */
	bool drops;               /* some of the chosen have deleted documents */
};

static uint64_t deleted_size(const struct merge_candidate *candidate)
{
	return candidate->size > candidate->live_size ? candidate->size - candidate->live_size : 0;
}

static void begin(struct choice *choice, struct merge_candidate *candidates, size_t count,
                  const struct merge_limits *limits)
{
	*choice = (struct choice){.candidates = candidates, .limits = limits, .count = count};
	for (size_t i = 0; i < count; i++)
		candidates[i].chosen = false;
}

static bool fits(const struct choice *choice, const struct merge_candidate *candidate)
{
	return !candidate->chosen && choice->chosen < choice->limits->sources &&
	       choice->documents + candidate->live <= choice->limits->documents;
}

static void take(struct choice *choice, struct merge_candidate *candidate)
{
	candidate->chosen = true;
	choice->chosen++;
	choice->size += candidate->live_size;
	choice->documents += candidate->live;
	choice->drops |= deleted_size(candidate) > 0;
}

static int tier_of(uint64_t size)
{
	return (63 - __builtin_clzll(size | 1)) / TIER_SHIFT;
}

/* The least of the candidates that fit and are in tier `tier` (-1: any). */
static struct merge_candidate *least(const struct choice *choice, int tier)
{
	struct merge_candidate *best = NULL;
	for (size_t i = 0; i < choice->count; i++) {
		struct merge_candidate *candidate = &choice->candidates[i];
		if (fits(choice, candidate) && (tier < 0 || tier_of(candidate->live_size) == tier) &&
		    (!best || candidate->live_size < best->live_size))
			best = candidate;
	}
	return best;
}

/* How many segments tier `tier` has besides the chosen. */
static size_t others_in(const struct choice *choice, int tier)
{
	size_t others = 0;
	for (size_t i = 0; i < choice->count; i++)
		others += !choice->candidates[i].chosen && tier_of(choice->candidates[i].live_size) == tier;
	return others;
}

/* A merge of one segment makes sense only where it drops something. */
static size_t made(const struct choice *choice)
{
	return choice->chosen > 1 || choice->drops ? choice->chosen : 0;
}

/* ---- the rules ---- */

static void take_tier(struct choice *choice, int tier)
{
	for (struct merge_candidate *candidate; (candidate = least(choice, tier));)
		take(choice, candidate);
}

static size_t choose_full_tier(struct choice *choice)
{
	for (int tier = 0; tier < TIERS; tier++) {
		begin(choice, choice->candidates, choice->count, choice->limits);
		if (others_in(choice, tier) < MERGE_TIER_WIDTH)
			continue;
		take_tier(choice, tier);
		if (choice->chosen < 2)
			continue; /* full segments */
		for (int to = tier_of(choice->size); others_in(choice, to) + 1 >= MERGE_TIER_WIDTH;
		     to = tier_of(choice->size)) {
			size_t before = choice->chosen;
			take_tier(choice, to);
			if (choice->chosen == before)
				break;
		}
		return choice->chosen;
	}
	return 0;
}

static size_t choose_deleted(struct choice *choice)
{
	uint64_t all = 0, deleted = 0;
	begin(choice, choice->candidates, choice->count, choice->limits);
	for (size_t i = 0; i < choice->count; i++) {
		all += choice->candidates[i].size;
		deleted += deleted_size(&choice->candidates[i]);
	}
	if (deleted <= all / 4 || deleted <= MERGE_DELETED_LEAST)
		return 0;
	for (size_t i = 0; i < choice->count; i++) {
		struct merge_candidate *candidate = &choice->candidates[i];
		if (deleted_size(candidate) > candidate->size / 4 && fits(choice, candidate))
			take(choice, candidate);
	}
	return made(choice);
}

size_t merge_policy_choose(struct merge_candidate *candidates, size_t count, const struct merge_limits *limits)
{
	struct choice choice;
	begin(&choice, candidates, count, limits);
	size_t chosen = choose_full_tier(&choice);
	return chosen ? chosen : choose_deleted(&choice);
}

size_t merge_policy_force(struct merge_candidate *candidates, size_t count, size_t wanted,
                          const struct merge_limits *limits)
{
	struct choice choice;
	begin(&choice, candidates, count, limits);
	if (count > wanted) {
		size_t surplus = count - wanted + 1;
		for (struct merge_candidate *candidate; choice.chosen < surplus && (candidate = least(&choice, -1));)
			take(&choice, candidate);
		if (choice.chosen > 1)
			return choice.chosen;
	}
	/* What is left over DOCUMENTS_MAX cannot be merged, but it can lose its deleted ones. */
	for (size_t i = 0; wanted == 1 && i < count; i++) {
		begin(&choice, candidates, count, limits);
		if (deleted_size(&candidates[i])) {
			take(&choice, &candidates[i]);
			return 1;
		}
	}
	begin(&choice, candidates, count, limits);
	return 0;
}
