#include "bench/query_set.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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

static int read_object(struct query_set *set, struct query *query, const json_t *object)
{
	const char *path = set->file.path;
	size_t line = set->file.line;
	const json_t *text = json_object_get(object, "query"), *tags = json_object_get(object, "tags");
	if (!json_is_string(text))
		return bench_fail("%s:%zu: no member \"query\" with a string", path, line);
	query->text = json_string_value(text);
	query->length = json_string_length(text);
	const json_t *filter = json_object_get(object, "filter");
	if (filter && !json_is_string(filter))
		return bench_fail("%s:%zu: \"filter\" is not a string", path, line);
	query->filter = json_string_value(filter);
	query->filter_length = json_string_length(filter);
	if (tags && !json_is_array(tags))
		return bench_fail("%s:%zu: \"tags\" is not an array of strings", path, line);
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const json_t *tag = json_array_get(tags, i);
		if (!json_is_string(tag) || !json_string_length(tag))
			return bench_fail("%s:%zu: \"tags\" is not an array of strings", path, line);
		int result = add_tag(set, query, json_string_value(tag), json_string_length(tag), i == 0);
		if (result)
			return result;
	}
	return 0;
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

	json_error_t error;
	json_t *object = json_loadb(line, length, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return bench_fail("%s:%zu:%d: not JSON: %s", set->file.path, set->file.line, error.position,
		                  error.text);
	set->documents[set->count - 1] = object;
	return read_object(set, query, object);
}

int query_set_load(struct query_set *set, const char *path)
{
	memset(set, 0, sizeof *set);
	int result = file_load(&set->file, path);
	const char *line;
	size_t length;
	while (!result && file_next_line(&set->file, &line, &length)) {
		while (length && (*line == ' ' || *line == '\t')) {
			line++;
			length--;
		}
		if (length)
			result = read_line(set, line, length);
	}
	if (!result && !set->count)
		result = bench_fail("%s holds no query", path);
	if (result)
		query_set_release(set);
	return result;
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
