/*
 * Groups within groups, weights, minimums, constants, patterns: random trees against a naive evaluation of them, whose leaves the naive
 * scorer answers one at a time. It shares no code with the engine but the tokenizer, and gets the tree, not the query's text.
 *
 * TRAWL_TREES   trees for each kernel (400)
 */
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/index_verbs.h"
#include "tests/naive.h"
#include "tests/random_corpus.h"
#include "tests/seed.h"

#define DEPTH_MOST 4
#define MEMBERS_MOST 4
#define DOCUMENTS 3000

enum { OPTIONAL, REQUIRED, EXCLUDED };

struct tree {
	bool leaf;
	int occur;
	char text[96]; /* of a leaf, as a query */
	char words[3][56];
	struct naive_near near; /* of a leaf that is a distance: count > 0 */
	struct tree *members[MEMBERS_MOST];
	int count;
	int minimum; /* 0: none */
	bool constant;
	double boost;
};

struct answer {
	double *scores;
	bool *matches;
};

static struct random_corpus corpus;
static struct naive *naive;
static trawl_index *tree_index;
static trawl_searcher *searcher;

/* ---- trees ---- */

static void make_word(char *out, size_t size, struct random *random)
{
	const trawl_document *document = &corpus.documents[random_below(random, corpus.count)];
	size_t at = document->text_length ? random_below(random, document->text_length) : 0, end;
	while (at > 0 && document->text[at - 1] != ' ')
		at--;
	for (end = at; end < document->text_length && document->text[end] != ' '; end++)
		;
	bool plain = end > at && end - at < 20;
	for (size_t i = at; plain && i < end; i++)
		plain = document->text[i] >= 'a' && document->text[i] <= 'z';
	snprintf(out, size, "%.*s", plain ? (int)(end - at) : 6, plain ? document->text + at : "absent");
}

/* "a b c"~2, a NEAR/3 "b c", a BEFORE/1 b BEFORE/1 a */
static void make_distance(struct tree *tree, struct random *random)
{
	struct naive_near *near = &tree->near;
	char a[24], b[24];
	size_t used = 0;
	near->loose = random_chance(random, 0.4);
	near->ordered = random_chance(random, 0.5);
	near->distance = (uint32_t)random_below(random, random_chance(random, 0.8) ? 6 : 60);
	near->count = near->loose ? 1 : 2 + (int)random_below(random, 2);
	if (near->loose && !near->distance)
		near->distance = 1;
	for (int i = 0; i < near->count; i++) {
		bool again = i && random_chance(random, 0.15), phrase = near->loose || random_chance(random, 0.2);
		make_word(a, sizeof a, random);
		make_word(b, sizeof b, random);
		snprintf(tree->words[i], sizeof tree->words[i], "%s%s%s", a, phrase ? " " : "", phrase ? b : "");
		if (again)
			memcpy(tree->words[i], tree->words[0], sizeof tree->words[i]);
		if (near->loose && random_chance(random, 0.3))
			snprintf(tree->words[i], sizeof tree->words[i], "%s %s %.5s", a, b, a);
		near->members[i] = tree->words[i];
		const char *mark = strchr(tree->words[i], ' ') ? "\"" : "";
		if (i)
			used += (size_t)snprintf(tree->text + used, sizeof tree->text - used, " %s/%u ",
			                         near->ordered ? "BEFORE" : "NEAR", (unsigned)near->distance);
		used +=
		    (size_t)snprintf(tree->text + used, sizeof tree->text - used, "%s%s%s", mark, tree->words[i], mark);
	}
	if (near->loose)
		snprintf(tree->text + used, sizeof tree->text - used, "~%u", (unsigned)near->distance);
}

static struct tree *make_tree(struct random *random, int depth)
{
	struct tree *tree = calloc(1, sizeof *tree);
	tree->boost = random_chance(random, 0.8) ? 1 : (double)(1 + random_below(random, 5)) / 2;
	tree->leaf = depth == 0 || random_chance(random, 0.5);
	if (tree->leaf) {
		char a[24], b[24];
		make_word(a, sizeof a, random);
		make_word(b, sizeof b, random);
		if (random_chance(random, 0.2))
			make_distance(tree, random);
		else if (random_chance(random, 0.15))
			snprintf(tree->text, sizeof tree->text, "\"%s %s\"", a, b);
		else
			snprintf(tree->text, sizeof tree->text, "%s", a);
		return tree;
	}
	bool distinct = random_chance(random, 0.25);
	int optional = 0;
	tree->count = 2 + (int)random_below(random, MEMBERS_MOST - 1);
	for (int i = 0; i < tree->count; i++) {
		tree->members[i] = make_tree(random, distinct ? 0 : depth - 1);
		tree->members[i]->occur = random_chance(random, 0.6)   ? OPTIONAL
		                          : random_chance(random, 0.5) ? REQUIRED
		                                                       : EXCLUDED;
		optional += tree->members[i]->occur == OPTIONAL;
		/* Equal words of a group are one clause: where members are counted, have none. */
		for (int j = 0; distinct && j < i; j++)
			distinct = strcmp(tree->members[j]->text, tree->members[i]->text) != 0;
	}
	if (distinct && optional > 1)
		tree->minimum = 2 + (int)random_below(random, 2);
	tree->constant = random_chance(random, 0.1);
	return tree;
}

static void free_tree(struct tree *tree)
{
	for (int i = 0; i < tree->count; i++)
		free_tree(tree->members[i]);
	free(tree);
}

static size_t write_tree(const struct tree *tree, char *out, size_t size)
{
	bool joined = tree->near.count &&
	              !tree->near.loose; /* brackets keep its sign and weight from its first and last member */
	size_t used = (size_t)snprintf(out, size, "%s%s%s%s",
	                               tree->occur == REQUIRED   ? "+"
	                               : tree->occur == EXCLUDED ? "-"
	                                                         : "",
	                               joined ? "(" : "", tree->leaf ? tree->text : "(", joined ? ")" : "");
	for (int i = 0; i < tree->count; i++) {
		used += write_tree(tree->members[i], out + used, size - used);
		used += (size_t)snprintf(out + used, size - used, "%s", i + 1 < tree->count ? " " : ")");
	}
	if (tree->minimum)
		used += (size_t)snprintf(out + used, size - used, "~%d", tree->minimum);
	if (tree->constant || tree->boost != 1)
		used += (size_t)snprintf(out + used, size - used, "^%s%g", tree->constant ? "=" : "", tree->boost);
	return used;
}

/* ---- the naive evaluation ---- */

static struct answer new_answer(void)
{
	size_t n = naive_numbers(naive);
	return (struct answer){calloc(n, sizeof(double)), calloc(n, sizeof(bool))};
}

static void free_answer(struct answer *answer)
{
	free(answer->scores);
	free(answer->matches);
}

static struct answer evaluate(const struct tree *tree);

static void combine(const struct tree *tree, const struct answer *members, struct answer *answer, size_t d)
{
	int required = 0, excluded = 0, have_required = 0, have_optional = 0;
	bool out = false;
	double sum = 0;
	for (int i = 0; i < tree->count; i++) {
		int occur = tree->members[i]->occur;
		bool has = members[i].matches[d];
		required += occur == REQUIRED;
		excluded += occur == EXCLUDED;
		have_required += occur == REQUIRED && has;
		have_optional += occur == OPTIONAL && has;
		out |= occur == EXCLUDED && has;
		sum += occur != EXCLUDED && has ? members[i].scores[d] : 0;
	}
	bool others = excluded == tree->count, enough = have_optional >= tree->minimum;
	answer->matches[d] = !out && have_required == required && enough && (required || have_optional || others);
	answer->scores[d] = tree->constant || others ? tree->boost : tree->boost * sum;
}

static bool is_live(size_t d)
{
	const char *id;
	size_t length;
	naive_id(naive, d, &id, &length);
	return naive_find(naive, id, length) == d;
}

static struct answer evaluate(const struct tree *tree)
{
	struct answer answer = new_answer(), members[MEMBERS_MOST];
	if (tree->leaf) {
		size_t matches;
		const double *scores = tree->near.count
		                           ? naive_near(naive, &tree->near, 0.9, 0.4, &matches)
		                           : naive_search(naive, tree->text, strlen(tree->text), 0.9, 0.4, &matches);
		for (size_t d = 0; d < naive_numbers(naive); d++) {
			answer.matches[d] = scores[d] != NAIVE_NO_MATCH;
			answer.scores[d] = scores[d] * tree->boost;
		}
		return answer;
	}
	for (int i = 0; i < tree->count; i++)
		members[i] = evaluate(tree->members[i]);
	for (size_t d = 0; d < naive_numbers(naive); d++)
		if (is_live(d))
			combine(tree, members, &answer, d);
	for (int i = 0; i < tree->count; i++)
		free_answer(&members[i]);
	return answer;
}

/* ---- the two of them ---- */

static void search(const char *query, size_t top, bool count)
{
	trawl_search_options options = {.top = top, .count = count, .syntax = TRAWL_SYNTAX_STRICT};
	int code = trawl_search(searcher, query, strlen(query), &options, &error);
	if (code)
		fail_msg("%s: %s", query, error.text);
}

static size_t naive_number(const trawl_hit *hit)
{
	const char *id;
	size_t length;
	CHECK(trawl_hit_id(searcher, hit->document, &id, &length, &error));
	return naive_find(naive, id, length);
}

/* What is wrong with the answer to `query`; NULL: nothing. */
static const char *find_fault(const char *query, const struct answer *expected)
{
	static char fault[200];
	size_t count, matches = 0, least = 0;
	*fault = 0;
	for (size_t d = 0; d < naive_numbers(naive); d++)
		matches += expected->matches[d];
	search(query, TRAWL_TOP_ALL, true);
	const trawl_hit *hits = trawl_hits(searcher, &count);
	if (count != matches || trawl_match_count(searcher) != matches)
		snprintf(fault, sizeof fault, "%zu matches, %zu counted; %zu expected", count,
		         (size_t)trawl_match_count(searcher), matches);
	trawl_hit *all = malloc((count + 1) * sizeof *all);
	if (count)
		memcpy(all, hits, count * sizeof *all);
	for (size_t i = 0; i < count && !*fault; i++) {
		size_t d = naive_number(&all[i]);
		double score = (double)all[i].score;
		if (d == NAIVE_NONE || !expected->matches[d])
			snprintf(fault, sizeof fault, "hit %zu does not match", i);
		else if (fabs(score - expected->scores[d]) > 1e-4 * (1 + fabs(score)))
			snprintf(fault, sizeof fault, "hit %zu scores %.9g; %.9g expected", i, score,
			         expected->scores[d]);
		else if (i && (all[i].score > all[i - 1].score ||
		               (all[i].score == all[i - 1].score && all[i].document < all[i - 1].document)))
			snprintf(fault, sizeof fault, "hit %zu is out of order", i);
	}
	/* The best few are the same bits. */
	for (size_t top = 1; top <= 100 && !*fault; top *= 10) {
		search(query, top, false);
		hits = trawl_hits(searcher, &least);
		if (least != (count < top ? count : top))
			snprintf(fault, sizeof fault, "%zu hits of the best %zu", least, top);
		for (size_t i = 0; i < least && !*fault; i++)
			if (hits[i].document != all[i].document ||
			    memcmp(&hits[i].score, &all[i].score, sizeof(float)) != 0)
				snprintf(fault, sizeof fault, "hit %zu of the best %zu is another", i, top);
	}
	search(query, 0, true);
	if (trawl_match_count(searcher) != matches && !*fault)
		snprintf(fault, sizeof fault, "%zu counted; %zu expected", (size_t)trawl_match_count(searcher),
		         matches);
	free(all);
	return *fault ? fault : NULL;
}

static const char *check_tree(const struct tree *tree, char *query, size_t size)
{
	struct tree root = *tree;
	root.occur = OPTIONAL;
	write_tree(&root, query, size);
	struct answer expected = evaluate(&root);
	const char *fault = find_fault(query, &expected);
	free_answer(&expected);
	return fault;
}

/* Go on to the smallest part of a tree that is still answered wrongly, leaving out one member or group after the other. */
static void shrink(struct tree *tree, char *query, size_t size)
{
	for (int i = 0; i < tree->count; i++) {
		if (!tree->members[i]->leaf && check_tree(tree->members[i], query, size)) {
			struct tree *inner = tree->members[i];
			*tree = *inner; /* the rest leaks: the test fails */
			shrink(tree, query, size);
			return;
		}
		struct tree without = *tree;
		for (int j = i; j + 1 < tree->count; j++)
			without.members[j] = tree->members[j + 1];
		without.count--;
		if (without.count && check_tree(&without, query, size)) {
			*tree = without;
			shrink(tree, query, size);
			return;
		}
	}
	for (int i = 0; i < tree->count; i++) {
		struct tree *member = tree->members[i], whole = *member;
		if (member->leaf)
			continue;
		for (int j = 0; j < member->count; j++) {
			int occur = whole.members[j]->occur;
			tree->members[i] = whole.members[j];
			tree->members[i]->occur = whole.occur;
			if (check_tree(tree, query, size)) {
				shrink(tree, query, size);
				return;
			}
			tree->members[i]->occur = occur;
		}
		tree->members[i] = member;
	}
}

static void random_trees_are_evaluated_as_written(void **state)
{
	(void)state;
	const char *wanted = getenv("TRAWL_TREES");
	struct random random = {test_seed()};
	for (int rounds = wanted ? atoi(wanted) : 400; rounds > 0; rounds--) {
		char query[8000];
		struct tree *tree = make_tree(&random, DEPTH_MOST);
		if (check_tree(tree, query, sizeof query)) {
			shrink(tree, query, sizeof query);
			const char *fault = check_tree(tree, query, sizeof query);
			fail_msg("%s: %s", query, fault);
		}
		free_tree(tree);
	}
}

/* ---- patterns ---- */

/* Documents that have a word which `matches` says yes to, counted by looking at each. */
static size_t count_words(bool (*matches)(const char *word, size_t length))
{
	size_t count = 0;
	for (size_t i = 0; i < corpus.count; i++) {
		const trawl_document *document = &corpus.documents[i];
		bool found = false;
		if (naive_find(naive, document->id, document->id_length) == NAIVE_NONE)
			continue;
		const char *parts[] = {document->title, document->text};
		size_t lengths[] = {document->title_length, document->text_length};
		for (int part = 0; part < 2; part++)
			for (size_t at = 0, end; at < lengths[part]; at = end + 1) {
				for (end = at; end < lengths[part] && parts[part][end] != ' '; end++)
					;
				found |= matches(parts[part] + at, end - at);
			}
		count += found;
	}
	return count;
}

static bool begins_with_ba(const char *word, size_t length)
{
	return length >= 2 && memcmp(word, "ba", 2) == 0;
}

static bool ends_with_o(const char *word, size_t length)
{
	return length >= 1 && word[length - 1] == 'o';
}

static bool has_any_second(const char *word, size_t length)
{
	return length >= 3 && word[0] == 'b' && word[2] == 'b';
}

static void expect_count(const char *query, size_t expected)
{
	search(query, TRAWL_TOP_ALL, true);
	size_t count;
	const trawl_hit *hits = trawl_hits(searcher, &count);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++)
		assert_true(hits[i].score == 1);
}

static void patterns_find_the_words_that_they_stand_for(void **state)
{
	(void)state;
	expect_count("ba*", count_words(begins_with_ba));
	expect_count("*o", count_words(ends_with_o));
	expect_count("b?b*", count_words(has_any_second));
	expect_count("zzzzqq*", 0);
}

/* ---- set-up ---- */

static int set_up(void **state)
{
	(void)state;
	const char *path = scratch_path("groups.trawl");
	struct random random = {4711};
	trawl_writer *writer;
	trawl_writer_options options = {.analysis.language = "none", .no_merge = true};
	corpus.plain = true;
	random_corpus_make(&corpus, &random, DOCUMENTS);
	naive = naive_new(&options.analysis);
	CHECK(trawl_writer_open(&writer, path, &options, &error));
	for (size_t i = 0; i < DOCUMENTS; i++) {
		CHECK(trawl_writer_add(writer, &corpus.documents[i], &error));
		naive_put(naive, &corpus.documents[i]);
		if (i % 1100 == 1099)
			CHECK(trawl_writer_commit(writer, &error));
	}
	for (size_t i = 5; i < DOCUMENTS; i += 40) {
		CHECK(trawl_writer_delete(writer, corpus.documents[i].id, corpus.documents[i].id_length, &error));
		naive_delete(naive, corpus.documents[i].id, corpus.documents[i].id_length);
	}
	CHECK(trawl_writer_commit(writer, &error));
	trawl_writer_close(writer);
	tree_index = index_open(path);
	CHECK(trawl_searcher_new(&searcher, tree_index, &error));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trawl_searcher_free(searcher);
	trawl_close(tree_index);
	naive_free(naive);
	random_corpus_release(&corpus);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_trees_are_evaluated_as_written),
	    cmocka_unit_test(patterns_find_the_words_that_they_stand_for),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
