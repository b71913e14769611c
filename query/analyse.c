/* analyse.c - from syntax to terms: words go through the tokenizer that documents went through. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "query/query.h"
#include "tokenizer/normalize.h"
#include "tokenizer/utf8.h"

#define TOKENS_AT_A_TIME 64
#define MEMBERS_FIRST 16 /* room for members when there is the first one */

int query_terms_compare(const struct query_term *a, uint32_t a_words, const struct query_term *b, uint32_t b_words)
{
	for (uint32_t i = 0; i < a_words && i < b_words; i++) {
		int order = bytes_compare(a[i].bytes, a[i].length, b[i].bytes, b[i].length);
		if (!order)
			order = (a[i].offset > b[i].offset) - (a[i].offset < b[i].offset);
		if (order)
			return order;
	}
	return (a_words > b_words) - (a_words < b_words);
}

/* What is being read. */
struct reading {
	struct query *query;
	struct tokenizer *tokenizer;
	const struct query_options *options;
	size_t leaves; /* of the whole tree */
	trawl_error *error;
};

/* The member of the group that says the same as `node`, or NULL. */
static struct query_node *find_member(const struct query_node *group, const struct query_node *node)
{
	if (node->kind != NODE_TERM && node->kind != NODE_PHRASE)
		return NULL;
	for (uint32_t i = 0; i < group->member_count; i++) {
		struct query_node *other = &group->members[i];
		if (other->kind == node->kind && (other->occur == OCCUR_EXCLUDED) == (node->occur == OCCUR_EXCLUDED) &&
		    query_terms_compare(other->terms, other->words, node->terms, node->words) == 0)
			return other;
	}
	return NULL;
}

static bool reserve_member(struct query_node *group, struct arena *arena)
{
	if (group->member_count < group->member_capacity)
		return true;
	uint32_t room = group->member_capacity ? 2 * group->member_capacity : MEMBERS_FIRST;
	struct query_node *members = arena_new(arena, room * sizeof *members);
	if (!members)
		return false;
	if (group->member_count)
		memcpy(members, group->members, group->member_count * sizeof *members);
	group->members = members;
	group->member_capacity = room;
	return true;
}

/* Add a member; a term or phrase that is there already counts once more, and takes the stricter of the two occurs. */
static int add_member(struct reading *reading, struct query_node *group, const struct query_node *node)
{
	struct query_node *other = find_member(group, node);
	if (other) {
		other->frequency += node->frequency;
		other->occur = node->occur > other->occur ? node->occur : other->occur;
		reading->leaves--;
		return 0;
	}
	if (!reserve_member(group, &reading->query->arena))
		return error_set_memory(reading->error);
	group->members[group->member_count++] = *node;
	return 0;
}

/* As add_member, for a leaf that the limit has not seen yet. */
static int add_leaf(struct reading *reading, struct query_node *group, const struct query_node *node)
{
	int code;
	if (node->words > TRAWL_PHRASE_MAX)
		return error_set(reading->error, TRAWL_ELIMIT, "a phrase of %u words; %d are the most",
		                 (unsigned)node->words, TRAWL_PHRASE_MAX);
	reading->leaves++;
	code = add_member(reading, group, node);
	if (!code && reading->leaves > TRAWL_CLAUSES_MAX)
		code =
		    error_set(reading->error, TRAWL_ELIMIT, "a query of over %d words and phrases", TRAWL_CLAUSES_MAX);
	return code;
}

/* The terms of a word or quotation, in the arena. It has no more of them than bytes. */
static int analyse_text(struct reading *reading, const struct syntax *syntax, struct query_term **terms,
                        uint32_t *count)
{
	struct token tokens[TOKENS_AT_A_TIME];
	struct arena *arena = &reading->query->arena;
	int got;
	uint32_t first = 0;
	*count = 0;
	*terms = arena_new(arena, (syntax->length + 1) * sizeof **terms);
	if (!*terms)
		return error_set_memory(reading->error);
	tokenizer_start(reading->tokenizer, syntax->text, syntax->length);
	while ((got = tokenizer_next(reading->tokenizer, tokens, TOKENS_AT_A_TIME)) > 0)
		for (int i = 0; i < got; i++) {
			const struct word *word = tokens[i].word;
			const char *bytes = arena_copy(arena, word->term, word->term_length);
			if (!bytes)
				return error_set_memory(reading->error);
			if (!*count)
				first = tokens[i].position;
			(*terms)[(*count)++] =
			    (struct query_term){bytes, word->term_length, tokens[i].position - first};
		}
	return got < 0 ? error_set_memory(reading->error) : 0;
}

static int add_note(struct reading *reading, const struct syntax *syntax, const char *text)
{
	size_t mark = syntax->kind == SYNTAX_EXACT; /* "=" */
	struct syntax_note note = {.at = syntax->at, .length = syntax->length + mark, .text = text};
	struct syntax_note *copy = arena_copy(&reading->query->arena, &note, sizeof note),
	                   **link = &reading->query->notes;
	if (!copy)
		return error_set_memory(reading->error);
	while (*link && (*link)->at <= note.at)
		link = &(*link)->next;
	copy->next = *link;
	*link = copy;
	return 0;
}

/* What this trawl cannot do: told, or in strict syntax an error. */
static int cannot(struct reading *reading, const struct syntax *syntax, const char *text)
{
	if (!reading->options->syntax.strict)
		return add_note(reading, syntax, text);
	reading->query->error_at = syntax->at;
	return error_set(reading->error, TRAWL_EINVAL, "query, byte %zu: %.*s", syntax->at + 1, (int)strcspn(text, ":"),
	                 text);
}

static int add_syntax(struct reading *reading, struct query_node *group, const struct syntax *syntax);

static bool is_plain_group(const struct query_node *node)
{
	return node->kind == NODE_GROUP && !node->minimum && !node->constant && node->frequency == 1;
}

static uint32_t count_occurs(const struct query_node *group, enum occur occur)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < group->member_count; i++)
		count += group->members[i].occur == occur;
	return count;
}

/* Whether the members of `node` can stand in its place, and as what: all as `*occur`, or (`*own`) as what they are. */
static bool dissolves(const struct query_node *group, const struct query_node *node, enum occur *occur, bool *own)
{
	uint32_t optional = count_occurs(node, OCCUR_OPTIONAL);
	if (!is_plain_group(node))
		return false;
	*own = node->occur == OCCUR_REQUIRED && !optional && count_occurs(node, OCCUR_REQUIRED);
	*occur = node->occur;
	if (node->member_count == 1 && node->members[0].occur != OCCUR_EXCLUDED)
		return true;
	if (node->occur == OCCUR_OPTIONAL && group->minimum)
		return false;
	return *own || (node->occur != OCCUR_REQUIRED && optional == node->member_count);
}

static int add_group(struct reading *reading, struct query_node *group, const struct query_node *node)
{
	enum occur occur;
	bool own;
	int code = 0;
	if (!node->member_count)
		return 0;
	if (!dissolves(group, node, &occur, &own))
		return add_member(reading, group, node);
	for (uint32_t i = 0; !code && i < node->member_count; i++) {
		struct query_node member = node->members[i];
		member.occur = own ? member.occur : occur;
		code = add_member(reading, group, &member);
	}
	return code;
}

/* How many optional members must match. As elsewhere a share is rounded down. */
static uint32_t find_minimum(const struct query_node *group, uint32_t number, bool percent)
{
	uint32_t optional = count_occurs(group, OCCUR_OPTIONAL);
	if (percent)
		number = (uint32_t)((uint64_t)optional * number / 100);
	return number > 1 ? number : number == 1 && count_occurs(group, OCCUR_REQUIRED);
}

/* Members of `syntax` from its first on, as those of `node`. */
static int add_members(struct reading *reading, struct query_node *node, const struct syntax *first)
{
	int code = 0;
	for (const struct syntax *member = first; member && !code; member = member->next)
		code = add_syntax(reading, node, member);
	return code;
}

/* A leaf or group that scores the same wherever it matches. */
static int add_constant(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node node = {
	    .kind = NODE_GROUP, .occur = syntax->occur, .frequency = (double)syntax->boost, .constant = true};
	struct syntax inner = *syntax;
	inner.constant = false;
	inner.boost = 1;
	inner.occur = OCCUR_OPTIONAL;
	inner.next = NULL;
	int code = add_syntax(reading, &node, &inner);
	return code ? code : add_group(reading, group, &node);
}

static int add_brackets(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node node = {.kind = NODE_GROUP, .occur = syntax->occur, .frequency = (double)syntax->boost};
	node.minimum = syntax->counted; /* so that members keep their own brackets */
	int code = add_members(reading, &node, syntax->members);
	node.minimum = syntax->counted ? find_minimum(&node, syntax->number, syntax->percent) : 0;
	return code ? code : add_group(reading, group, &node);
}

/* Each of the terms by itself, anywhere. */
static int add_apart(struct reading *reading, struct query_node *group, const struct syntax *syntax,
                     struct query_term *terms, uint32_t count)
{
	int code = 0;
	for (uint32_t i = 0; !code && i < count; i++) {
		struct query_node leaf = {.kind = NODE_TERM, .occur = syntax->occur, .words = 1};
		leaf.frequency = (double)syntax->boost;
		terms[i].offset = 0;
		leaf.terms = &terms[i];
		code = add_leaf(reading, group, &leaf);
	}
	return code;
}

/* From here on (Chinese, Japanese, Korean) a character is a term of its own, and text has no spaces. */
#define FIRST_IDEOGRAPH 0x2e80
/* A required or excluded run of more such characters is a sentence, and hardly stands anywhere as it is. */
#define PHRASE_CHARACTERS 8

static bool has_ideograph(const struct query_term *terms, uint32_t count)
{
	uint32_t character;
	for (uint32_t i = 0; i < count; i++) {
		utf8_decode((const uint8_t *)terms[i].bytes, terms[i].length, &character);
		if (character >= FIRST_IDEOGRAPH)
			return true;
	}
	return false;
}

/* Text without spaces: any two neighbours, side by side. Many of them stand where the whole does, and most of them where much of it does. */
static int add_neighbours(struct reading *reading, struct query_node *group, const struct syntax *syntax,
                          const struct query_term *terms, uint32_t count)
{
	struct query_node any = {.kind = NODE_GROUP, .occur = syntax->occur, .frequency = (double)syntax->boost};
	int code = 0;
	for (uint32_t i = 0; !code && i + 1 < count; i++) {
		struct query_node leaf = {.kind = NODE_PHRASE, .frequency = 1, .words = 2};
		leaf.terms = arena_copy(&reading->query->arena, &terms[i], 2 * sizeof *terms);
		if (!leaf.terms)
			return error_set_memory(reading->error);
		leaf.terms[1].offset -= leaf.terms[0].offset;
		leaf.terms[0].offset = 0;
		code = add_leaf(reading, &any, &leaf);
	}
	return code ? code : add_group(reading, group, &any);
}

/* A word, or several that stand side by side. */
static int add_words(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node node = {.occur = syntax->occur, .frequency = (double)syntax->boost};
	uint32_t count;
	int code = analyse_text(reading, syntax, &node.terms, &count);
	if (code || !count)
		return code;
	node.kind = count > 1 ? NODE_PHRASE : NODE_TERM;
	node.words = count;
	if (count > 1 && syntax->kind != SYNTAX_QUOTATION && reading->options->no_positions &&
	    syntax->occur != OCCUR_EXCLUDED)
		return add_apart(reading, group, syntax, node.terms, count);
	if (count > 2 && syntax->kind != SYNTAX_QUOTATION && has_ideograph(node.terms, count) &&
	    (syntax->occur == OCCUR_OPTIONAL || count > PHRASE_CHARACTERS))
		return add_neighbours(reading, group, syntax, node.terms, count);
	return add_leaf(reading, group, &node);
}

/* Strict UTF-8, for normal forms are of nothing else. */
static bool is_utf8(const char *text, size_t length)
{
	uint32_t character;
	for (size_t at = 0; at < length;) {
		size_t step = utf8_decode((const uint8_t *)text + at, length - at, &character);
		if (character == 0xfffd && step == 1)
			return false;
		at += step;
	}
	return true;
}

static uint32_t usual_edits(const struct syntax *syntax)
{
	size_t letters = 0;
	for (size_t i = 0; i < syntax->length; i++)
		letters += !utf8_continues((uint8_t)syntax->text[i]);
	return letters < 3 ? 0 : letters < 6 ? 1 : 2;
}

/* A prefix, a pattern, or a word with edits. */
static int add_pattern(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	uint8_t normal[WORD_BYTES_MAX];
	struct query_term *stems, *terms = arena_new(&reading->query->arena, 2 * sizeof *terms);
	struct query_node node = {.kind = NODE_PATTERN,
	                          .occur = syntax->occur,
	                          .frequency = (double)syntax->boost,
	                          .terms = terms,
	                          .words = 1,
	                          .pattern = syntax->kind};
	uint32_t count = 0;
	int length = 0;
	node.edits = syntax->counted ? syntax->number : usual_edits(syntax);
	if (syntax->length <= SURFACE_BYTES_MAX && is_utf8(syntax->text, syntax->length))
		length = normalize_word((const uint8_t *)syntax->text, syntax->length,
		                        reading->options->fold_diacritics, normal);
	if (length <= 0)
		return length < 0 || !terms ? error_set_memory(reading->error) : add_words(reading, group, syntax);
	const char *bytes = arena_copy(&reading->query->arena, normal, (size_t)length);
	if (!bytes || !terms)
		return error_set_memory(reading->error);
	terms[0] = (struct query_term){.bytes = bytes, .length = (uint32_t)length};
	int code = syntax->kind == SYNTAX_WILDCARD ? 0 : analyse_text(reading, syntax, &stems, &count);
	if (!code && count == 1) {
		terms[1] = stems[0];
		node.words = 2;
	}
	return code ? code : add_leaf(reading, group, &node);
}

/* ---- distances ---- */

/* The terms of a member of a distance. */
struct near_member {
	struct query_term *terms;
	uint32_t words;
	double boost;
};

/* A distance in the arena, of as many parts and words, with its node's terms. */
static struct query_near *new_near(struct reading *reading, struct query_node *node, uint32_t parts, uint32_t words)
{
	struct arena *arena = &reading->query->arena;
	struct query_near near = {.parts = arena_new(arena, parts * sizeof *near.parts),
	                          .boosts = arena_new(arena, words * sizeof *near.boosts)};
	node->kind = NODE_NEAR;
	node->words = words;
	if (!near.parts || !near.boosts)
		return NULL;
	struct query_near *copy = arena_copy(arena, &near, sizeof near);
	node->near = copy;
	return copy;
}

/* "several words"~number: each word is a part, and as far behind the one before it as in the phrase, or further. */
static int add_loose_phrase(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node node = {.occur = syntax->occur, .frequency = (double)syntax->boost};
	uint32_t count;
	int code = analyse_text(reading, syntax, &node.terms, &count);
	if (code || !count)
		return code;
	node.kind = NODE_TERM;
	node.words = count;
	if (count == 1)
		return add_leaf(reading, group, &node);
	struct query_near *near = new_near(reading, &node, count, count);
	if (!near)
		return error_set_memory(reading->error);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = i + 1 < count ? node.terms[i + 1].offset - node.terms[i].offset : 1;
		near->parts[i] = (struct query_part){.first = i, .words = 1, .width = 1, .step = step, .times = 1};
		near->boosts[i] = 1;
	}
	near->count = count;
	near->ordered = true;
	near->span = (uint64_t)node.terms[count - 1].offset + 1 + syntax->number;
	return add_leaf(reading, group, &node);
}

/* The part of `near` that is the same as `member`, or NULL. */
static struct query_part *find_part(const struct query_near *near, const struct query_node *node,
                                    const struct near_member *member)
{
	for (uint32_t i = 0; i < near->count; i++)
		if (query_terms_compare(node->terms + near->parts[i].first, near->parts[i].words, member->terms,
		                        member->words) == 0)
			return &near->parts[i];
	return NULL;
}

/* Add a member as a part, its terms behind those of the others. */
static void add_part(struct query_near *near, struct query_node *node, const struct near_member *member)
{
	struct query_part *part = near->ordered ? NULL : find_part(near, node, member);
	uint32_t width = member->terms[member->words - 1].offset + 1;
	near->span += width;
	if (part) {
		part->times++;
		for (uint32_t w = 0; w < part->words; w++)
			near->boosts[part->first + w] += member->boost;
		return;
	}
	near->parts[near->count++] = (struct query_part){node->words, member->words, width, width, 1};
	for (uint32_t w = 0; w < member->words; w++, node->words++) {
		node->terms[node->words] = member->terms[w];
		near->boosts[node->words] = member->boost;
	}
}

/* Those of `members` that have words, within the distance. */
static int add_within(struct reading *reading, struct query_node *group, const struct syntax *syntax,
                      const struct near_member *members, uint32_t count)
{
	struct query_node node = {.occur = syntax->occur, .frequency = (double)syntax->boost};
	uint32_t words = 0;
	for (uint32_t i = 0; i < count; i++)
		words += members[i].words;
	if (!count)
		return 0;
	if (count == 1) {
		node.kind = words > 1 ? NODE_PHRASE : NODE_TERM;
		node.frequency *= members[0].boost;
		node.terms = members[0].terms;
		node.words = words;
		return add_leaf(reading, group, &node);
	}
	struct query_near *near = new_near(reading, &node, count, words);
	node.terms = arena_new(&reading->query->arena, words * sizeof *node.terms);
	if (!near || !node.terms)
		return error_set_memory(reading->error);
	near->ordered = syntax->ordered;
	near->span = syntax->number;
	node.words = 0;
	for (uint32_t i = 0; i < count; i++)
		add_part(near, &node, &members[i]);
	return add_leaf(reading, group, &node);
}

/* What cannot be said of a member of a distance; the member is read without it. */
static int check_near_member(struct reading *reading, const struct syntax *member)
{
	int code = 0;
	if (member->kind == SYNTAX_QUOTATION && member->counted && member->number)
		code = cannot(reading, member, "a distance within another one: read as the phrase itself");
	if (!code && member->constant)
		code = cannot(reading, member, "what is near has no score of its own: left out");
	if (!code && member->kind == SYNTAX_EXACT)
		code = cannot(reading, member, "the index has stems only: read as the word");
	return code;
}

/* Why the members cannot be near each other; NULL: they can. */
static const char *near_problem(const struct syntax *syntax)
{
	uint32_t count = 0;
	for (const struct syntax *member = syntax->members; member; member = member->next, count++)
		if (member->kind == SYNTAX_PREFIX || member->kind == SYNTAX_WILDCARD || member->kind == SYNTAX_FUZZY)
			return "patterns have no distances: read as AND";
	return count > NEAR_PARTS_MAX ? "NEAR and BEFORE join at most 64: read as AND" : NULL;
}

static int add_near_as_and(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node node = {.kind = NODE_GROUP, .occur = syntax->occur, .frequency = (double)syntax->boost};
	int code = 0;
	for (const struct syntax *member = syntax->members; member && !code; member = member->next) {
		struct syntax required = *member;
		required.occur = OCCUR_REQUIRED;
		code = add_syntax(reading, &node, &required);
	}
	return code ? code : add_group(reading, group, &node);
}

static int add_near(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct near_member members[NEAR_PARTS_MAX];
	uint32_t count = 0;
	const char *problem = near_problem(syntax);
	int code = problem ? cannot(reading, syntax, problem) : 0;
	if (problem)
		return code ? code : add_near_as_and(reading, group, syntax);
	for (const struct syntax *member = syntax->members; member && !code; member = member->next) {
		struct near_member *read = &members[count];
		read->boost = member->constant ? 1 : (double)member->boost;
		code = check_near_member(reading, member);
		if (!code)
			code = analyse_text(reading, member, &read->terms, &read->words);
		count += !code && read->words > 0;
	}
	return code ? code : add_within(reading, group, syntax, members, count);
}

static int add_syntax(struct reading *reading, struct query_node *group, const struct syntax *syntax)
{
	struct query_node all = {.kind = NODE_ALL, .occur = syntax->occur, .frequency = (double)syntax->boost};
	int code = 0;
	if (syntax->constant)
		return add_constant(reading, group, syntax);
	switch (syntax->kind) {
	case SYNTAX_QUOTATION:
		return syntax->counted && syntax->number ? add_loose_phrase(reading, group, syntax)
		                                         : add_words(reading, group, syntax);
	case SYNTAX_EXACT:
		if (!reading->options->unstemmed)
			code = cannot(reading, syntax, "the index has stems only: read as the word");
		return code ? code : add_words(reading, group, syntax);
	case SYNTAX_RANGE: return cannot(reading, syntax, "fields have no values to compare yet: left out");
	case SYNTAX_PREFIX:
	case SYNTAX_WILDCARD:
	case SYNTAX_FUZZY: return add_pattern(reading, group, syntax);
	case SYNTAX_GROUP: return add_brackets(reading, group, syntax);
	case SYNTAX_NEAR: return add_near(reading, group, syntax);
	case SYNTAX_ALL: return add_leaf(reading, group, &all);
	default: return add_words(reading, group, syntax);
	}
}

/* The root's members become those of a group within it. */
static int wrap_root(struct reading *reading, struct query_node *inner)
{
	struct query_node *root = &reading->query->root;
	*inner = *root;
	inner->occur = OCCUR_OPTIONAL;
	*root = (struct query_node){.kind = NODE_GROUP, .frequency = 1};
	return add_member(reading, root, inner);
}

static int finish_root(struct reading *reading, const struct syntax *tree)
{
	const struct query_options *options = reading->options;
	struct query_node inner, *root = &reading->query->root;
	uint32_t minimum = options->minimum ? find_minimum(root, options->minimum, options->percent) : 0;
	root->minimum = 0;
	if (root->member_count && options->others_match && count_occurs(root, OCCUR_EXCLUDED) == root->member_count) {
		int code = add_note(reading, tree, "nothing but exclusions: all other documents are found");
		return code ? code : wrap_root(reading, &inner);
	}
	if (!minimum)
		return 0;
	root->minimum = minimum;
	return wrap_root(reading, &inner);
}

int query_read(struct query *query, struct tokenizer *tokenizer, const char *text, size_t length,
               const struct query_options *options, trawl_error *error)
{
	struct syntax_result syntax;
	struct reading reading = {query, tokenizer, options, 0, error};
	arena_reset(&query->arena);
	query->notes = NULL;
	query->root = (struct query_node){.kind = NODE_GROUP, .frequency = 1, .minimum = options->minimum > 0};
	int code = syntax_parse(&syntax, text, length, &options->syntax, &query->arena, error);
	query->error_at = syntax.error_at;
	if (code)
		return code;
	query->notes = syntax.notes;
	code = add_members(&reading, &query->root, syntax.tree->members);
	return code ? code : finish_root(&reading, syntax.tree);
}

void query_release(struct query *query)
{
	arena_release(&query->arena);
	*query = (struct query){0};
}
