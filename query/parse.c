/*
 * parse.c - from the tokens of a query to its tree.
 *
 * Groups that are open stand on a stack of frames; the text never makes the parser call itself. A frame holds a list of items as they
 * come, each with what joins it to the one before. NEAR binds when an item is added, AND when the group is closed: a run of items
 * joined by AND is a group of its own, unless it is all there is.
 */
#include <string.h>

#include "base/error.h"
#include "query/lexer.h"

enum join { JOIN_NONE, JOIN_AND, JOIN_OR, JOIN_NEAR };

struct item {
	struct syntax *node; /* its occur is its sign */
	enum join join;      /* to the item before */
	struct item *next;
};

struct frame {
	struct item *first, *last;
	struct syntax bracket; /* field, sign and place of the bracket that opened it */
	enum join outer;       /* what joins the group to the item before it */
	/* an operator that waits for the item behind it */
	bool waiting, negated;
	enum join join;
	struct token operator, negation;
};

struct parser {
	struct lexer lexer;
	struct frame frames[SYNTAX_DEPTH_MAX + 1];
	size_t depth;   /* of the frame that is open */
	size_t ignored; /* brackets beyond the depth that is allowed */
};

static struct frame *top_frame(struct parser *parser)
{
	return &parser->frames[parser->depth];
}

/* ---- items ---- */

static void add_item(struct parser *parser, const struct syntax *leaf, enum join join)
{
	struct frame *frame = top_frame(parser);
	struct syntax *node = arena_copy(parser->lexer.arena, leaf, sizeof *leaf);
	struct item *item = arena_copy(parser->lexer.arena, &(struct item){node, join, NULL}, sizeof *item);
	if (!node || !item) {
		parser->lexer.out_of_memory = true;
		return;
	}
	if (frame->last)
		frame->last->next = item;
	else
		frame->first = item;
	frame->last = item;
}

/* An operator where none can stand is a word. */
static void add_operator_as_word(struct parser *parser, const struct token *token)
{
	lexer_complain(&parser->lexer, token->at, token->end - token->at,
	               "an operator without words on both sides: read as a word");
	struct syntax word = token->leaf;
	word.kind = SYNTAX_WORD;
	word.number = 0;
	word.ordered = false;
	add_item(parser, &word, JOIN_NONE);
}

static bool can_be_near(const struct syntax *node)
{
	return node->kind != SYNTAX_GROUP && node->kind != SYNTAX_RANGE && node->kind != SYNTAX_ALL;
}

/* Make `right` a member of a NEAR with the item before it. false: it cannot be. */
static bool join_near(struct parser *parser, const struct syntax *right)
{
	struct frame *frame = top_frame(parser);
	const struct syntax *operator= & frame->operator.leaf;
	struct syntax *left = frame->last->node;
	bool longer =
	    left->kind == SYNTAX_NEAR && left->number == operator->number && left->ordered == operator->ordered;
	if (right->occur != OCCUR_OPTIONAL || !can_be_near(right) || (!can_be_near(left)) ||
	    (left->kind == SYNTAX_NEAR && !longer))
		return false;
	struct syntax *member = arena_copy(parser->lexer.arena, right, sizeof *right);
	struct syntax *first = longer ? left->members : arena_copy(parser->lexer.arena, left, sizeof *left);
	if (!member || !first) {
		parser->lexer.out_of_memory = true;
		return true;
	}
	if (!longer) {
		first->occur = OCCUR_OPTIONAL;
		first->next = NULL;
		*left = (struct syntax){.kind = SYNTAX_NEAR,
		                        .occur = left->occur,
		                        .at = left->at,
		                        .number = operator->number,
		                        .counted = true,
		                        .ordered = operator->ordered,
		                        .boost = 1,
		                        .members = first};
	}
	while (first->next)
		first = first->next;
	first->next = member;
	return true;
}

/* Add a leaf or a group that was closed, joined as the operators before it say. */
static void add_operand(struct parser *parser, struct syntax *node)
{
	struct frame *frame = top_frame(parser);
	enum join join = frame->waiting ? frame->join : JOIN_NONE;
	if (frame->negated)
		node->occur = OCCUR_EXCLUDED;
	if (join == JOIN_NEAR) {
		bool joined = !frame->negated && join_near(parser, node);
		if (!joined)
			lexer_complain(&parser->lexer, frame->operator.at, frame->operator.end - frame->operator.at,
			               "joins words and phrases alone: read as AND");
		join = joined ? JOIN_NEAR : JOIN_AND;
	}
	if (join != JOIN_NEAR)
		add_item(parser, node, join);
	frame->waiting = frame->negated = false;
}

/* Operators that nothing follows. */
static void drop_waiting(struct parser *parser)
{
	struct frame *frame = top_frame(parser);
	bool waiting = frame->waiting, negated = frame->negated;
	frame->waiting = frame->negated = false;
	if (waiting)
		add_operator_as_word(parser, &frame->operator);
	if (negated)
		add_operator_as_word(parser, &frame->negation);
}

static void add_operator(struct parser *parser, const struct token *token)
{
	static const enum join joins[] = {[TOKEN_AND] = JOIN_AND, [TOKEN_OR] = JOIN_OR, [TOKEN_NEAR] = JOIN_NEAR};
	struct frame *frame = top_frame(parser);
	if (token->kind == TOKEN_NOT) {
		if (frame->negated)
			drop_waiting(parser);
		frame->negated = true;
		frame->negation = *token;
	} else if (frame->waiting || frame->negated || !frame->last) {
		drop_waiting(parser);
		add_operator_as_word(parser, token);
	} else {
		frame->waiting = true;
		frame->join = joins[token->kind];
		frame->operator= * token;
	}
}

/* ---- groups ---- */

static struct syntax *new_group(struct parser *parser, enum occur occur)
{
	struct syntax group = {.kind = SYNTAX_GROUP, .occur = occur, .boost = 1};
	struct syntax *copy = arena_copy(parser->lexer.arena, &group, sizeof group);
	parser->lexer.out_of_memory |= !copy;
	return copy;
}

/* The items from `first` up to `end`, which AND joins, as members from *link on; the link behind the last. */
static struct syntax **require(struct item *first, const struct item *end, struct syntax **link)
{
	for (struct item *item = first; item != end; item = item->next) {
		if (item->node->occur == OCCUR_OPTIONAL)
			item->node->occur = OCCUR_REQUIRED;
		*link = item->node;
		link = &item->node->next;
	}
	return link;
}

/* `a OR NOT b` matches what lacks b: the exclusion is that of a group of its own. */
static struct syntax *wrap_exclusion(struct parser *parser, struct syntax *node)
{
	struct syntax *group = new_group(parser, OCCUR_OPTIONAL);
	if (group)
		group->members = node;
	return group;
}

static bool is_lone_exclusion(const struct item *first, const struct item *end)
{
	return first->next == end && first->node->occur == OCCUR_EXCLUDED;
}

/* The items of a frame as members of a group. */
static struct syntax *make_members(struct parser *parser, struct item *items)
{
	struct syntax *members = NULL, **link = &members;
	size_t runs = 0;
	struct item *end;
	for (struct item *first = items; first; first = end) {
		for (end = first->next; end && end->join == JOIN_AND; end = end->next)
			;
		runs += !is_lone_exclusion(first, end);
	}
	for (struct item *first = items; first; first = end) {
		for (end = first->next; end && end->join == JOIN_AND; end = end->next)
			;
		if (first->next != end && runs == 1) {
			link = require(first, end, link);
			continue;
		}
		struct syntax *node = first->node;
		if (first->next != end) {
			node = new_group(parser, OCCUR_OPTIONAL);
			if (!node)
				return members;
			*require(first, end, &node->members) = NULL;
		} else if (node->occur == OCCUR_EXCLUDED &&
		           (first->join == JOIN_OR || (first == items && end && end->join == JOIN_OR))) {
			node = wrap_exclusion(parser, node);
			if (!node)
				return members;
		}
		*link = node;
		link = &node->next;
	}
	*link = NULL;
	return members;
}

static void open_group(struct parser *parser, const struct token *token)
{
	struct frame *outer = top_frame(parser);
	if (parser->depth == SYNTAX_DEPTH_MAX) {
		lexer_complain(&parser->lexer, token->at, token->end - token->at,
		               "brackets within over 64 others: left out");
		parser->ignored++;
		return;
	}
	if (outer->waiting && outer->join == JOIN_NEAR) {
		lexer_complain(&parser->lexer, outer->operator.at, outer->operator.end - outer->operator.at,
		               "joins words and phrases alone: read as AND");
		outer->join = JOIN_AND;
	}
	parser->frames[++parser->depth] = (struct frame){.bracket = token->leaf};
}

/* A group of one member without a number or weight of its own is that member. */
static struct syntax *simplify_group(struct syntax *group)
{
	struct syntax *only = group->members;
	if (!only || only->next || group->counted || group->boost != 1 || group->constant || group->field ||
	    only->occur == OCCUR_EXCLUDED)
		return group;
	only->occur = group->occur;
	return only;
}

static void close_group(struct parser *parser, const struct token *token)
{
	if (!parser->depth || parser->ignored) {
		if (!parser->depth)
			lexer_complain(&parser->lexer, token->at, token->end - token->at,
			               "closes no bracket: left out");
		parser->ignored -= parser->ignored > 0;
		return;
	}
	drop_waiting(parser);
	struct frame *frame = top_frame(parser);
	struct syntax group = frame->bracket;
	group.kind = SYNTAX_GROUP;
	group.number = token->leaf.number;
	group.counted = token->leaf.counted;
	group.percent = token->leaf.percent;
	group.boost = token->leaf.boost;
	group.constant = token->leaf.constant;
	group.members = make_members(parser, frame->first);
	parser->depth--;
	if (!group.members) {
		lexer_complain(&parser->lexer, group.at, token->end - group.at, "brackets around nothing: left out");
		return;
	}
	add_operand(parser, simplify_group(&group));
}

static void end_groups(struct parser *parser)
{
	struct token end = {.kind = TOKEN_CLOSE, .at = parser->lexer.length, .end = parser->lexer.length};
	end.leaf.boost = 1;
	parser->ignored = 0;
	while (parser->depth && !parser->lexer.problem && !parser->lexer.out_of_memory) {
		lexer_complain(&parser->lexer, top_frame(parser)->bracket.at, 1,
		               "a bracket that is not closed: closed at the end");
		close_group(parser, &end);
	}
	drop_waiting(parser);
}

/* ---- notes ---- */

/* Brackets are told when they end: put the notes in the order of their places. There are few. */
static void sort_notes(struct syntax_note **notes)
{
	struct syntax_note *sorted = NULL;
	while (*notes) {
		struct syntax_note *note = *notes, **link = &sorted;
		*notes = note->next;
		while (*link && (*link)->at <= note->at)
			link = &(*link)->next;
		note->next = *link;
		*link = note;
	}
	*notes = sorted;
}

static int finish(struct parser *parser, struct syntax_result *result, trawl_error *error)
{
	struct lexer *lexer = &parser->lexer;
	if (lexer->problem) {
		/* What plain syntax would have made of it stands behind the colon. */
		int length = (int)strcspn(lexer->problem, ":");
		result->error_at = lexer->problem_at;
		return error_set(error, TRAWL_EINVAL, "query, byte %zu: %.*s", lexer->problem_at + 1, length,
		                 lexer->problem);
	}
	result->tree = lexer->out_of_memory ? NULL : new_group(parser, OCCUR_OPTIONAL);
	if (result->tree)
		result->tree->members = make_members(parser, parser->frames[0].first);
	if (lexer->out_of_memory)
		return error_set_memory(error);
	result->notes = lexer->notes;
	sort_notes(&result->notes);
	return 0;
}

int syntax_parse(struct syntax_result *result, const char *text, size_t length, const struct syntax_options *options,
                 struct arena *arena, trawl_error *error)
{
	*result = (struct syntax_result){0};
	if (length > TRAWL_QUERY_MAX)
		return error_set(error, TRAWL_ELIMIT, "a query of %zu bytes; %d are the most", length, TRAWL_QUERY_MAX);
	struct parser *parser = arena_new(arena, sizeof *parser);
	if (!parser)
		return error_set_memory(error);
	parser->depth = parser->ignored = 0; /* frames are filled when they are opened */
	parser->frames[0] = (struct frame){0};
	lexer_start(&parser->lexer, text, length, options, arena);
	struct token token;
	while ((token = lexer_next(&parser->lexer)).kind != TOKEN_END && !parser->lexer.problem)
		switch (token.kind) {
		case TOKEN_LEAF: add_operand(parser, &token.leaf); break;
		case TOKEN_OPEN: open_group(parser, &token); break;
		case TOKEN_CLOSE: close_group(parser, &token); break;
		default: add_operator(parser, &token); break;
		}
	end_groups(parser);
	return finish(parser, result, error);
}
