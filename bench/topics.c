#include "bench/topics.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ----------------------------------------------------------------------------------------------------- */

/* The first of the members that is there. */
static json_t *member_of(const json_t *object, const char *const *names)
{
	json_t *member = NULL;
	for (; *names && !member; names++)
		member = json_object_get(object, *names);
	return member;
}

/* A number as an id becomes the string that it is written as. */
static void settle_id(json_t *object, json_t **id)
{
	if (!json_is_integer(*id))
		return;
	json_t *text = json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(*id));
	if (text && json_object_set_new(object, "", text) == 0)
		*id = text;
}

/* NULL, or what is wrong. */
static const char *read_topic_object(struct topic *topic, json_t *object)
{
	static const char *const id_names[] = {"_id", "id", "query_id", "qid", NULL};
	static const char *const text_names[] = {"text", "query", NULL};
	json_t *id = member_of(object, id_names);
	const json_t *text = member_of(object, text_names);
	settle_id(object, &id);
	if (!json_is_string(id))
		return "no member \"_id\" or \"id\" with a string or a whole number";
	if (!json_is_string(text))
		return "no member \"text\" or \"query\" with a string";
	topic->id = word_trim((struct word){json_string_value(id), json_string_length(id)});
	topic->text = json_string_value(text);
	topic->text_length = json_string_length(text);
	return topic->id.length ? NULL : "an empty id";
}

static const char *read_topic_columns(struct topic *topic, const char *line, size_t length)
{
	const char *tab = memchr(line, '\t', length);
	if (tab)
		topic->id = word_trim((struct word){line, (size_t)(tab - line)});
	if (!topic->id.length)
		return "not of the form: id TAB text";
	topic->text = tab + 1;
	topic->text_length = length - (size_t)(tab + 1 - line);
	return NULL;
}

static struct topic *new_topic(struct topics *topics)
{
	if (topics->count == topics->capacity) {
		topics->capacity = topics->capacity ? 2 * topics->capacity : 256;
		topics->topics = bench_resize(topics->topics, topics->capacity, sizeof *topics->topics);
		topics->objects = bench_resize(topics->objects, topics->capacity, sizeof(struct json_t *));
	}
	topics->objects[topics->count] = NULL;
	topics->topics[topics->count] = (struct topic){.line = topics->file.line};
	return &topics->topics[topics->count];
}

static int read_topic(struct topics *topics, const char *line, size_t length)
{
	struct topic *topic = new_topic(topics);
	json_t *object = NULL;
	json_error_t error;
	const char *trouble;
	if (*line != '{') {
		trouble = read_topic_columns(topic, line, length);
	} else {
		object = json_loadb(line, length, JSON_ALLOW_NUL, &error);
		trouble = object ? read_topic_object(topic, object) : "not JSON";
	}
	if (!trouble) {
		topics->objects[topics->count++] = object;
		return 0;
	}
	json_decref(object);
	return file_bad_line(&topics->file, topics->file.line, "%s", trouble);
}

/* ---- ids given twice ------------------------------------------------------------------------------------------- */

static int compare_topics(const void *left, const void *right)
{
	const struct topic *a = *(const struct topic *const *)left, *b = *(const struct topic *const *)right;
	int order = word_compare(a->id, b->id);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

/* Of topics with the same id the first stays. The others lose their id. */
static int find_duplicates(struct topics *topics)
{
	struct topic **sorted = bench_new(topics->count, sizeof(struct topic *));
	for (size_t i = 0; i < topics->count; i++)
		sorted[i] = &topics->topics[i];
	qsort(sorted, topics->count, sizeof(struct topic *), compare_topics);
	int result = 0;
	for (size_t i = 1, first = 0; i < topics->count && !result; i++) {
		if (word_compare(sorted[first]->id, sorted[i]->id) != 0) {
			first = i;
			continue;
		}
		result = file_bad_line(&topics->file, sorted[i]->line, "the query id \"%.*s\" of line %zu again",
		                       (int)sorted[i]->id.length, sorted[i]->id.bytes, sorted[first]->line);
		sorted[i]->id.length = 0;
	}
	free(sorted);
	return result;
}

static void drop_duplicates(struct topics *topics)
{
	size_t kept = 0;
	for (size_t i = 0; i < topics->count; i++) {
		if (!topics->topics[i].id.length) {
			json_decref(topics->objects[i]);
			continue;
		}
		topics->objects[kept] = topics->objects[i];
		topics->topics[kept++] = topics->topics[i];
	}
	topics->count = kept;
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

int topics_load(struct topics *topics, const char *path, bool strict)
{
	memset(topics, 0, sizeof *topics);
	int result = file_load(&topics->file, path, strict);
	if (result)
		return result;
	size_t length;
	const char *line;
	while (!result && file_next_line(&topics->file, &line, &length))
		if (word_trim((struct word){line, length}).length)
			result = read_topic(topics, line, length);
	if (!result)
		result = find_duplicates(topics);
	drop_duplicates(topics);
	if (!result)
		result = file_end(&topics->file, topics->count, "query");
	if (result)
		topics_release(topics);
	return result;
}

void topics_release(struct topics *topics)
{
	for (size_t i = 0; i < topics->count; i++)
		json_decref(topics->objects[i]);
	free(topics->topics);
	free(topics->objects);
	file_release(&topics->file);
	memset(topics, 0, sizeof *topics);
}
