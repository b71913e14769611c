#include "bench/query_set.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* 0 or BENCH_ERROR with a message. */
static int add_tag(struct query_set *set, struct query *query, const char *name, size_t length, bool leads)
{
	size_t tag = 0;
	while (tag < set->tag_count &&
	       (set->tags[tag].length != length || memcmp(set->tags[tag].name, name, length) != 0))
		tag++;
	if (tag == set->tag_count) {
		if (tag == QUERY_TAGS_MAX)
			return bench_fail("%s:%zu: more than %d different tags", set->file.path, set->file.line,
			                  QUERY_TAGS_MAX);
		char *copy = bench_new(length + 1, 1);
		memcpy(copy, name, length);
		copy[length] = '\0';
		set->tags[set->tag_count++] = (struct query_tag){.name = copy, .length = length};
	}
	set->tags[tag].leads |= leads;
	query->tags[tag / 64] |= UINT64_C(1) << (tag % 64);
	return 0;
}

static bool are_tags(const json_t *tags)
{
	bool good = !tags || json_is_array(tags);
	for (size_t i = 0; good && i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		good = json_is_string(tag) && json_string_length(tag);
	}
	return good;
}

/* NULL, or what is wrong. */
static const char *read_object(struct query *query, const json_t *object)
{
	const json_t *text = json_object_get(object, "query");
	const json_t *filter = json_object_get(object, "filter");
	if (!text)
		text = json_object_get(object, "text"); /* BEIR's name */
	if (!json_is_string(text))
		return "no member \"query\" or \"text\" with a string";
	if (filter && !json_is_string(filter))
		return "\"filter\" is not a string";
	if (!are_tags(json_object_get(object, "tags")))
		return "\"tags\" is not an array of strings";
	query->text = json_string_value(text);
	query->length = json_string_length(text);
	query->filter = json_string_value(filter);
	query->filter_length = json_string_length(filter);
	return NULL;
}

static int read_tags(struct query_set *set, struct query *query, const json_t *tags)
{
	int result = 0;
	for (size_t i = 0; i < json_array_size(tags) && !result; i++) {
		const json_t *tag = json_array_get(tags, i);
		result = add_tag(set, query, json_string_value(tag), json_string_length(tag), i == 0);
	}
	return result;
}

static void drop_last(struct query_set *set)
{
	json_decref(set->documents[--set->count]);
}

static int read_line(struct query_set *set, const char *line, size_t length)
{
	if (set->count == set->capacity) {
		set->capacity = set->capacity ? 2 * set->capacity : 256;
		set->queries = bench_resize(set->queries, set->capacity, sizeof *set->queries);
		set->documents = bench_resize(set->documents, set->capacity, sizeof(struct json_t *));
	}
	struct query *query = &set->queries[set->count];
	*query = (struct query){.text = line, .length = length, .line = set->file.line};
	set->documents[set->count++] = NULL;
	if (*line != '{')
		return 0;

	json_error_t error = {.text = ""};
	json_t *object = json_loadb(line, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	set->documents[set->count - 1] = object;
	const char *trouble = object ? read_object(query, object) : error.text;
	if (!trouble)
		return read_tags(set, query, json_object_get(object, "tags"));
	drop_last(set);
	if (object)
		return file_bad_line(&set->file, set->file.line, "%s", trouble);
	return file_bad_line(&set->file, set->file.line, "not JSON at byte %d: %s", error.position, trouble);
}

int query_set_load(struct query_set *set, const char *path, bool strict)
{
	memset(set, 0, sizeof *set);
	int result = file_load(&set->file, path, strict);
	const char *line;
	size_t length;
	while (!result && file_next_line(&set->file, &line, &length)) {
		struct word text = word_trim((struct word){line, length});
		if (text.length)
			result = read_line(set, text.bytes, length - (size_t)(text.bytes - line));
	}
	if (!result)
		result = file_end(&set->file, set->count, "query");
	if (result)
		query_set_release(set);
	return result;
}

/* Tags that no query has are taken out, and the others numbered anew. */
static void drop_unused_tags(struct query_set *set)
{
	size_t kept = 0;
	for (size_t tag = 0; tag < set->tag_count; tag++) {
		bool used = false;
		for (size_t i = 0; i < set->count; i++) {
			uint64_t *tags = set->queries[i].tags;
			if (!query_has_tag(&set->queries[i], tag))
				continue;
			used = true;
			tags[tag / 64] &= ~(UINT64_C(1) << (tag % 64));
			tags[kept / 64] |= UINT64_C(1) << (kept % 64);
		}
		if (used)
			set->tags[kept++] = set->tags[tag];
		else
			free(set->tags[tag].name);
	}
	set->tag_count = kept;
}

void query_set_drop(struct query_set *set, const bool *dropped)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->count; i++) {
		if (dropped[i]) {
			json_decref(set->documents[i]);
			continue;
		}
		set->documents[kept] = set->documents[i];
		set->queries[kept++] = set->queries[i];
	}
	set->count = kept;
	drop_unused_tags(set);
}

void query_set_release(struct query_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		json_decref(set->documents[i]);
	for (size_t i = 0; i < set->tag_count; i++)
		free(set->tags[i].name);
	free(set->queries);
	free(set->documents);
	file_release(&set->file);
	memset(set, 0, sizeof *set);
}
