#include "tests/differential/program.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void must(bool done)
{
	if (!done) {
		fputs("out of memory\n", stderr);
		exit(99);
	}
}

struct step *program_add(struct program *program, enum step_kind kind)
{
	must(memory_reserve(&program->steps, &program->capacity, program->count + 1, sizeof *program->steps));
	struct step *step = &program->steps[program->count++];
	*step = (struct step){.kind = kind};
	return step;
}

void program_release(struct program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		buffer_release(&program->steps[i].id);
		buffer_release(&program->steps[i].title);
		buffer_release(&program->steps[i].text);
	}
	memory_free(program->steps);
	*program = (struct program){0};
}

static void assign(struct buffer *to, const void *bytes, size_t length)
{
	to->length = 0;
	must(buffer_append(to, bytes, length));
}

void program_copy(struct program *copy, const struct program *program)
{
	*copy = *program;
	copy->steps = NULL;
	copy->count = copy->capacity = 0;
	for (size_t i = 0; i < program->count; i++) {
		const struct step *from = &program->steps[i];
		struct step *to = program_add(copy, from->kind);
		to->options = from->options;
		assign(&to->id, from->id.data, from->id.length);
		assign(&to->title, from->title.data, from->title.length);
		assign(&to->text, from->text.data, from->text.length);
	}
}

/* ---- at random ---- */

static void add_document(struct program *program, const trawl_document *document)
{
	struct step *step = program_add(program, STEP_ADD);
	assign(&step->id, document->id, document->id_length);
	assign(&step->title, document->title, document->title_length);
	assign(&step->text, document->text, document->text_length);
}

static void add_query(struct program *program, const struct random_corpus *corpus, struct random *random)
{
	static char query[RANDOM_QUERY_MAX];
	static const size_t tops[] = {1, 2, 10, 100, 1000, 10000, 0};
	struct step *step = program_add(program, STEP_QUERY);
	enum query_kind kind = (enum query_kind)random_below(random, QUERY_KINDS);
	if (kind == QUERY_LONG_OR && random_chance(random, 0.9))
		kind = QUERY_AND;
	assign(&step->text, query, random_query(query, corpus, random, kind));
	trawl_search_options *options = &step->options;
	options->top = random_chance(random, 0.3) ? 1 + random_below(random, 10000) : tops[random_below(random, 7)];
	options->count = random_chance(random, 0.5) || !options->top;
	options->stable_ties = random_chance(random, 0.3);
	options->set_k1 = random_chance(random, 0.2);
	options->k1 = options->set_k1 ? (float)(random_unit(random) * 3) : 0;
	options->set_b = random_chance(random, 0.2);
	options->b = options->set_b ? (float)random_unit(random) : 0;
}

/* An older document once more, changed or not, or deleted. */
static void add_change(struct program *program, const struct random_corpus *corpus, struct random *random, size_t known)
{
	const trawl_document *old = &corpus->documents[random_below(random, known)];
	trawl_document changed;
	switch (random_below(random, 5)) {
	case 0:
	case 1: assign(&program_add(program, STEP_DELETE)->id, old->id, old->id_length); break;
	case 2: add_document(program, old); break;
	case 3: assign(&program_add(program, STEP_DELETE)->id, "nobody", 6); break;
	default:
		random_document_make(&changed, corpus, random, old);
		add_document(program, &changed);
		random_document_release(&changed);
	}
}

static size_t random_size(struct random *random)
{
	static const size_t most[] = {3, 30, 70, 200, 1100, 2500, 6000};
	return random_below(random, most[random_below(random, random_chance(random, 0.6) ? 7 : 5)]) + 1;
}

static void make_settings(struct program *program, struct random *random)
{
	static const char *const languages[] = {"none", "english", "german", "french", "russian"};
	static const char *const kernels[] = {"scalar", "avx2", "avx512"};
	static const size_t budgets[] = {1 << 20, 1 << 20, 4 << 20, 256 << 20};
	size_t language = random_below(random, 5);
	snprintf(program->language, sizeof program->language, "%s", languages[language]);
	snprintf(program->kernel, sizeof program->kernel, "%s", kernels[random_below(random, 3)]);
	program->analysis.stop_words = language && random_chance(random, 0.5);
	program->analysis.fold_diacritics = random_chance(random, 0.3);
	program->writer.no_positions = random_chance(random, 0.2);
	program->writer.bigrams = !program->writer.no_positions && random_chance(random, 0.4);
	program->writer.order = random_chance(random, 0.4) ? TRAWL_ORDER_SIMILAR : TRAWL_ORDER_INPUT;
	program->writer.threads = 1 + (unsigned)random_below(random, 4);
	program->writer.memory_budget = budgets[random_below(random, 4)];
}

void program_make(struct program *program, uint64_t seed, size_t queries)
{
	struct random random = {seed};
	struct random_corpus corpus;
	*program = (struct program){.seed = seed};
	make_settings(program, &random);
	random_corpus_make(&corpus, &random, random_size(&random));
	size_t batches = 1 + random_below(&random, 6), done = 0;
	double changing = random_chance(&random, 0.5) ? random_unit(&random) : 0;
	for (size_t batch = 0; batch < batches; batch++) {
		for (size_t end = corpus.count * (batch + 1) / batches; done < end; done++) {
			add_document(program, &corpus.documents[done]);
			if (random_chance(&random, changing))
				add_change(program, &corpus, &random, done + 1);
		}
		if (random_chance(&random, 0.1))
			program_add(program, STEP_REOPEN);
		program_add(program, STEP_COMMIT);
		if (random_chance(&random, 0.2))
			program_add(program, STEP_REOPEN);
		for (size_t i = 0; i < queries / batches + 1; i++)
			add_query(program, &corpus, &random);
	}
	random_corpus_release(&corpus);
}

/* ---- as text ---- */

static void print_bytes(const struct buffer *bytes, FILE *out)
{
	for (size_t i = 0; i < bytes->length; i++) {
		uint8_t byte = bytes->data[i];
		fprintf(out, byte < 0x20 || byte > 0x7e || byte == '%' || byte == '|' ? "%%%02x" : "%c", byte);
	}
}

static void print_query(const struct step *step, FILE *out)
{
	const trawl_search_options *options = &step->options;
	fprintf(out, "query %zu%s%s", options->top, options->count ? " count" : "",
	        options->stable_ties ? " stable" : "");
	if (options->set_k1)
		fprintf(out, " k1=%.9g", (double)options->k1);
	if (options->set_b)
		fprintf(out, " b=%.9g", (double)options->b);
	fputc('|', out);
	print_bytes(&step->text, out);
	fputc('\n', out);
}

static void print_step(const struct step *step, FILE *out)
{
	switch (step->kind) {
	case STEP_COMMIT: fputs("commit\n", out); return;
	case STEP_REOPEN: fputs("reopen\n", out); return;
	case STEP_QUERY: print_query(step, out); return;
	case STEP_ADD:
	case STEP_DELETE: break;
	}
	fputs(step->kind == STEP_ADD ? "add " : "delete ", out);
	print_bytes(&step->id, out);
	if (step->kind == STEP_ADD) {
		fputc('|', out);
		print_bytes(&step->title, out);
		fputc('|', out);
		print_bytes(&step->text, out);
	}
	fputc('\n', out);
}

void program_print(const struct program *program, FILE *out)
{
	fprintf(out, "analysis %s%s%s\n", program->language, program->analysis.stop_words ? " stop" : "",
	        program->analysis.fold_diacritics ? " fold" : "");
	fprintf(out, "writer%s%s%s memory=%zu threads=%u kernel=%s\n",
	        program->writer.no_positions ? " no-positions" : "", program->writer.bigrams ? " bigrams" : "",
	        program->writer.order == TRAWL_ORDER_SIMILAR ? " similar" : "", program->writer.memory_budget,
	        program->writer.threads, program->kernel);
	for (size_t i = 0; i < program->count; i++)
		print_step(&program->steps[i], out);
}

/* The field up to the next | or the end, its escapes undone. */
static const char *read_bytes(const char *at, struct buffer *out)
{
	while (*at && *at != '|') {
		unsigned byte = (unsigned char)*at++;
		if (byte == '%' && isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
			const char digits[] = {at[0], at[1], 0};
			byte = (unsigned)strtoul(digits, NULL, 16);
			at += 2;
		}
		must(buffer_append_byte(out, (uint8_t)byte));
	}
	return *at ? at + 1 : at;
}

static const char *word_value(const char *words, const char *name)
{
	const char *found = strstr(words, name);
	return found ? found + strlen(name) : NULL;
}

static void read_query(struct program *program, const char *line)
{
	struct step *step = program_add(program, STEP_QUERY);
	const char *bar = strchr(line, '|'), *value;
	char words[256];
	snprintf(words, sizeof words, "%.*s", (int)(bar ? bar - line : 0), line);
	step->options.top = strtoull(words, NULL, 10);
	step->options.count = strstr(words, " count");
	step->options.stable_ties = strstr(words, " stable");
	if ((step->options.set_k1 = (value = word_value(words, " k1="))))
		step->options.k1 = strtof(value, NULL);
	if ((step->options.set_b = (value = word_value(words, " b="))))
		step->options.b = strtof(value, NULL);
	read_bytes(bar ? bar + 1 : "", &step->text);
}

static bool read_line(struct program *program, const char *line)
{
	const char *value;
	if (!*line || *line == '#')
		return true;
	if (strncmp(line, "analysis ", 9) == 0) {
		snprintf(program->language, sizeof program->language, "%.*s", (int)strcspn(line + 9, " "), line + 9);
		program->analysis.stop_words = strstr(line, " stop");
		program->analysis.fold_diacritics = strstr(line, " fold");
	} else if (strncmp(line, "writer", 6) == 0) {
		program->writer.no_positions = strstr(line, " no-positions");
		program->writer.bigrams = strstr(line, " bigrams");
		program->writer.order = strstr(line, " similar") ? TRAWL_ORDER_SIMILAR : TRAWL_ORDER_INPUT;
		if ((value = word_value(line, " memory=")))
			program->writer.memory_budget = strtoull(value, NULL, 10);
		if ((value = word_value(line, " threads=")))
			program->writer.threads = (unsigned)strtoul(value, NULL, 10);
		if ((value = word_value(line, " kernel=")))
			snprintf(program->kernel, sizeof program->kernel, "%.*s", (int)strcspn(value, " "), value);
	} else if (strncmp(line, "add ", 4) == 0) {
		struct step *step = program_add(program, STEP_ADD);
		read_bytes(read_bytes(read_bytes(line + 4, &step->id), &step->title), &step->text);
	} else if (strncmp(line, "delete ", 7) == 0) {
		read_bytes(line + 7, &program_add(program, STEP_DELETE)->id);
	} else if (strncmp(line, "query ", 6) == 0) {
		read_query(program, line + 6);
	} else if (strcmp(line, "commit") == 0 || strcmp(line, "reopen") == 0) {
		program_add(program, *line == 'c' ? STEP_COMMIT : STEP_REOPEN);
	} else {
		return false;
	}
	return true;
}

bool program_read(struct program *program, const char *path)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	ssize_t length;
	bool good = true;
	*program = (struct program){.language = "none", .kernel = "scalar"};
	FILE *file = fopen(path, "r");
	if (!file) {
		perror(path);
		return false;
	}
	while (good && (length = getline(&line, &size, file)) > 0) {
		number++;
		line[length - (line[length - 1] == '\n')] = 0;
		good = read_line(program, line);
	}
	if (!good)
		fprintf(stderr, "%s:%zu: not a step\n", path, number);
	free(line);
	fclose(file);
	return good;
}
