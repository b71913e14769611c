/*
 * replay.c - run a fuzz target without libFuzzer.
 *
 *   fuzz_TARGET [FILE|FOLDER]...    run these inputs
 *   fuzz_TARGET --seeds FOLDER      write the seeds there
 *   fuzz_TARGET --mutate N [...]    run the seeds, the inputs, and N mutations of them, always the same (TRAWL_SEED: others)
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "tests/random_corpus.h"

struct corpus {
	struct buffer *inputs;
	size_t count, capacity;
};

static struct buffer *corpus_add(struct corpus *corpus)
{
	if (!memory_reserve(&corpus->inputs, &corpus->capacity, corpus->count + 1, sizeof *corpus->inputs))
		abort();
	corpus->inputs[corpus->count] = (struct buffer){0};
	return &corpus->inputs[corpus->count++];
}

static void read_file(struct corpus *corpus, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t bytes[4096];
	size_t got;
	if (!file) {
		perror(path);
		exit(2);
	}
	struct buffer *input = corpus_add(corpus);
	while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
		if (!buffer_append(input, bytes, got))
			abort();
	fclose(file);
}

static void read_path(struct corpus *corpus, const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
		read_file(corpus, path);
		return;
	}
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char inside[4096];
		snprintf(inside, sizeof inside, "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			read_file(corpus, inside);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

/* In a block of its own length, so that reading beyond it is seen. */
static void run(const struct buffer *input)
{
	uint8_t *copy = fuzz_tight(input->data, input->length, 0);
	LLVMFuzzerTestOneInput(copy, input->length);
	free(copy);
}

static void mutate_once(struct random *random, struct buffer *input)
{
	size_t at = random_below(random, input->length + 1), more;
	static const uint8_t often[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff, ' ', '"', '+', '-'};
	switch (random_below(random, 5)) {
	case 0: /* cut a piece out */
		more = random_below(random, 1 + (input->length - at) / 4 + 1);
		more = more < input->length - at ? more : input->length - at;
		if (more) {
			memmove(input->data + at, input->data + at + more, input->length - at - more);
			input->length -= more;
		}
		break;
	case 1: /* double a piece */
		more = random_below(random, 17);
		more = more < input->length - at ? more : input->length - at;
		if (!more || !buffer_reserve(input, more))
			break;
		memmove(input->data + at + more, input->data + at, input->length - at);
		input->length += more;
		break;
	case 2:
		if (at < input->length)
			input->data[at] ^= (uint8_t)(1u << random_below(random, 8));
		break;
	case 3:
		if (at < input->length)
			input->data[at] = often[random_below(random, sizeof often)];
		break;
	default:
		if (at < input->length)
			input->data[at] = (uint8_t)random_next(random);
	}
}

static void mutate(const struct corpus *corpus, size_t times)
{
	const char *wanted = getenv("TRAWL_SEED");
	struct random random = {wanted ? strtoull(wanted, NULL, 10) : 20240229};
	struct buffer input = {0};
	for (size_t i = 0; i < times; i++) {
		const struct buffer *from = &corpus->inputs[random_below(&random, corpus->count)];
		input.length = 0;
		if (!buffer_append(&input, from->data, from->length))
			abort();
		for (size_t n = 1 + random_below(&random, 6); n; n--)
			mutate_once(&random, &input);
		run(&input);
	}
	buffer_release(&input);
}

static int write_seeds(const char *folder)
{
	struct buffer seed = {0};
	for (unsigned number = 0; seed.length = 0, fuzz_seed(number, &seed); number++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/seed-%02u", folder, number);
		FILE *file = fopen(path, "wb");
		if (!file || fwrite(seed.data, 1, seed.length, file) != seed.length || fclose(file) != 0) {
			perror(path);
			return 2;
		}
	}
	buffer_release(&seed);
	return 0;
}

int main(int argc, char **argv)
{
	struct corpus corpus = {0};
	size_t mutations = 0;
	int first = 1;
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0)
		return write_seeds(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "--mutate") == 0) {
		mutations = strtoull(argv[2], NULL, 10);
		first = 3;
		for (unsigned number = 0; fuzz_seed(number, corpus_add(&corpus)); number++)
			;
		buffer_release(&corpus.inputs[--corpus.count]); /* the last one was none */
	}
	for (int i = first; i < argc; i++)
		read_path(&corpus, argv[i]);
	for (size_t i = 0; i < corpus.count; i++)
		run(&corpus.inputs[i]);
	if (corpus.count)
		mutate(&corpus, mutations);
	printf("%zu inputs, %zu mutations of them\n", corpus.count, mutations);
	for (size_t i = 0; i < corpus.count; i++)
		buffer_release(&corpus.inputs[i]);
	memory_free(corpus.inputs);
	return 0;
}
