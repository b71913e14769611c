/*
 * The files that the benches read: queries, topics, judgements. One is read, and all its parts can be read and are as promised, or it
 * is refused with one message.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/scratch.h"

static unsigned messages;

#include "bench/unpack.c" /* these are not part of the library */
#include "cli/text.c"
#include "cli/trec.c"

/* What support.c would print, of every file that is refused and of the lines that are passed over. */
#undef fprintf
#define fprintf(stream, ...) (messages += (stream) == stderr)
#include "bench/file.c"
#include "bench/qrels.c"
#include "bench/query_set.c"
#include "bench/support.c"
#include "bench/topics.c"
#undef fprintf

static int read_queries(const char *path, bool strict)
{
	static struct query_set set; /* large */
	int result = query_set_load(&set, path, strict);
	if (result)
		return result;
	PROMISE(set.count && set.tag_count <= QUERY_TAGS_MAX);
	for (size_t i = 0; i < set.count; i++) {
		const struct query *query = &set.queries[i];
		fuzz_touch(query->text, query->length);
		fuzz_touch(query->filter, query->filter_length);
		PROMISE(query->line && (i == 0 || query->line > query[-1].line));
	}
	for (size_t tag = 0; tag < set.tag_count; tag++) {
		bool used = false;
		for (size_t i = 0; i < set.count && !used; i++)
			used = query_has_tag(&set.queries[i], tag);
		PROMISE(used && set.tags[tag].length && !set.tags[tag].name[set.tags[tag].length]);
	}
	query_set_release(&set);
	return 0;
}

static int read_topics(const char *path, bool strict)
{
	struct topics topics;
	int result = topics_load(&topics, path, strict);
	if (result)
		return result;
	PROMISE(topics.count);
	for (size_t i = 0; i < topics.count; i++) {
		PROMISE(topics.topics[i].id.length);
		fuzz_touch(topics.topics[i].id.bytes, topics.topics[i].id.length);
		fuzz_touch(topics.topics[i].text, topics.topics[i].text_length);
	}
	topics_release(&topics);
	return 0;
}

static int read_judgements(const char *path, bool strict)
{
	struct qrels qrels;
	int result = qrels_load(&qrels, path, strict);
	if (result)
		return result;
	PROMISE(qrels.count && qrels.topic_count && qrels.relevant_topics <= qrels.topic_count);
	for (size_t i = 0; i < qrels.count; i++) {
		const struct judgement *judgement = &qrels.judgements[i];
		size_t count;
		const struct judgement *all = qrels_of_topic(&qrels, judgement->topic, &count);
		PROMISE(judgement->relevance >= 0 && count && all <= judgement && judgement < all + count);
		int relevance = -1;
		PROMISE(qrels_find(all, count, judgement->document, &relevance) && relevance == judgement->relevance);
		PROMISE(i == 0 || compare_judgements(judgement - 1, judgement) < 0);
	}
	qrels_release(&qrels);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t first = take8(&input), kind = first % 3;
	bool strict = first >= 128;
	const char *path = scratch_path("queries");
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	PROMISE(file >= 0 && write(file, input.at, input.left) == (ssize_t)input.left);
	close(file);
	messages = 0;
	int result = kind == 0   ? read_queries(path, strict)
	             : kind == 1 ? read_topics(path, strict)
	                         : read_judgements(path, strict);
	PROMISE(result == 0 || result == BENCH_ERROR);
	PROMISE(messages >= (result != 0) && messages <= BAD_LINES_TOLD + 2);
	PROMISE(!strict || messages == (result != 0));
	return 0;
}

bool fuzz_seed(unsigned number, struct buffer *out)
{
	static const char *const files[] = {
	    "\xef\xbb\xbf{\"query\": \"red \\u0000 fish\", \"tags\": [\"a\", \"b\"], \"filter\": \"+x\"}\r\nplain "
	    "words\n\n{\"query\": "
	    "\"\", \"tags\": [\"b\"], \"more\": {}}\n",
	    "1\tred fish\n\n2\t\n three\tmore \xff words\r\n",
	    "1 0 a 1\n1 0 b -2\n2\t0\tc  0 \r\n\n1 0 a 1\n10 Q0 a 2147483647\n",
	    "{\"text\": \"red fish\"}\n{\"query\": 1}\n",
	    "{\"_id\": \"1\", \"text\": \"red \\u0000 fish\"}\n{\"id\": 2, \"query\": \"\"}\n1\tagain\n",
	    "query-id\tcorpus-id\tscore\n1\ta b\t1\n1\ta b\t0\n2 c 1.0\n",
	};
	if (number >= 6)
		return false;
	return buffer_append_byte(out, (uint8_t)number) && buffer_append(out, files[number], strlen(files[number]));
}
