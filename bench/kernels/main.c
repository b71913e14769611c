/* main.c - `kernel_bench`: operations against the clock (bench.h). */
#include "bench/kernels/bench.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("kernel_bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(2);
}

void *allocate(size_t count, size_t size)
{
	void *memory = memory_new_zeroed(count, size);
	if (!memory)
		die("out of memory");
	return memory;
}

uint64_t count_postings(const struct subject *subject)
{
	return subject->postings;
}

uint64_t count_scores(const struct subject *subject)
{
	(void)subject;
	return RANDOM_SCORES;
}

/* ---- measuring ---- */

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* ns of one of `times` runs */
static double time_runs(struct bench *bench, const struct operation *operation, const struct subject *subject,
                        const struct kernel *kernel, uint64_t times)
{
	double start = now();
	for (uint64_t i = 0; i < times; i++)
		operation->run(bench, subject, kernel);
	return (now() - start) / (double)times;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Compare with the scalar kernel, and find out how many runs make a reading that is long enough for the clock. */
static void prepare_figure(struct bench *bench, const struct subject *subject, const struct options *options,
                           struct figure *figure, uint64_t times[KERNELS])
{
	const struct operation *operation = figure->operation;
	uint64_t wanted = 0;
	figure->subject = subject->name;
	figure->units = operation->units(subject);
	for (int level = 0; level < (operation->portable ? 1 : KERNELS); level++) {
		const struct kernel *kernel = kernel_for((enum cpu_level)level);
		if (!kernel)
			continue;
		figure->measured[level] = true;
		if (operation->digest) {
			XXH3_64bits_reset(bench->digest);
			operation->digest(bench, subject, kernel);
			uint64_t digest = XXH3_64bits_digest(bench->digest);
			wanted = level ? wanted : digest;
			figure->differs[level] = digest != wanted;
		}
		time_runs(bench, operation, subject, kernel, 1);
		double once = time_runs(bench, operation, subject, kernel, 1);
		times[level] = once < options->sample ? (uint64_t)(options->sample / (once < 10 ? 10 : once)) + 1 : 1;
	}
}

/* The kernels take turns, so that other work on the machine disturbs all alike. */
static void measure(struct bench *bench, const struct subject *subject, const struct options *options,
                    struct figure *figure, double *samples)
{
	uint64_t times[KERNELS] = {0};
	prepare_figure(bench, subject, options, figure, times);
	for (size_t round = 0; round < options->rounds; round++)
		for (int level = 0; level < KERNELS; level++)
			if (figure->measured[level])
				samples[(size_t)level * options->rounds + round] =
				    time_runs(bench, figure->operation, subject, kernel_for((enum cpu_level)level),
				              times[level]) /
				    (double)figure->units;
	for (int level = 0; level < KERNELS; level++) {
		double *own = samples + (size_t)level * options->rounds;
		if (!figure->measured[level])
			continue;
		qsort(own, options->rounds, sizeof *own, compare_doubles);
		figure->best[level] = own[0];
		figure->median[level] = (own[(options->rounds - 1) / 2] + own[options->rounds / 2]) / 2;
	}
}

/* The lists that an operation runs over, one figure each. */
static const struct subject *subjects_of(const struct bench *bench, const struct operation *operation, size_t *count)
{
	switch (operation->on) {
	case ON_SPARSE: *count = 1; return &bench->shorts;
	case ON_DENSE: *count = DENSITIES - 1; return bench->dense + 1;
	case ON_PAIR: *count = PAIRS; return bench->pair;
	default: *count = 1; return &bench->none;
	}
}

static size_t measure_all(struct bench *bench, const struct options *options, struct figure *figures)
{
	static const struct operation *const groups[] = {decode_operations, score_operations, count_operations,
	                                                 bounds_operations, top_operations,   union_operations};
	double *samples = allocate(options->rounds * KERNELS, sizeof *samples);
	size_t count = 0;
	for (size_t group = 0; group < sizeof groups / sizeof groups[0]; group++)
		for (const struct operation *operation = groups[group]; operation->name; operation++) {
			size_t n;
			const struct subject *subjects = subjects_of(bench, operation, &n);
			for (size_t i = 0; i < n && count < FIGURES_MAX; i++) {
				figures[count].operation = operation;
				measure(bench, &subjects[i], options, &figures[count++], samples);
			}
		}
	memory_free(samples);
	return count;
}

/* ---- the program ---- */

static const char usage[] =
    "usage: kernel_bench [OPTION...]\n\n"
    "Measures the loops that searches spend their time in, each alone, with every kernel that this machine has, over\n"
    "posting lists made from a seed, and compares what the kernels put out.\n\n"
    "  kernel_bench --quick\n"
    "  kernel_bench --rounds 100 --json >kernels.json\n\n"
    "      --rounds N    readings of each figure (25)\n"
    "      --seed N      seed of the lists (1)\n"
    "      --quick       fewer and shorter readings: rough figures, in a second or two\n"
    "      --json        one JSON object rather than a table\n"
    "      --help        this text\n\n"
    "Exit status: 0, or 2 on an error or when two kernels differ.\n";

static size_t parse_number(const char *name, const char *text, size_t low, size_t high)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value < low || value > high)
		die("%s must be a number from %zu to %zu, not '%s'; see --help", name, low, high, text);
	return (size_t)value;
}

static void parse(struct options *options, int argc, char **argv)
{
	enum { OPTION_ROUNDS = 256, OPTION_SEED, OPTION_QUICK, OPTION_JSON, OPTION_HELP };
	static const struct option known[] = {
	    {"rounds", required_argument, NULL, OPTION_ROUNDS}, {"seed", required_argument, NULL, OPTION_SEED},
	    {"quick", no_argument, NULL, OPTION_QUICK},         {"json", no_argument, NULL, OPTION_JSON},
	    {"help", no_argument, NULL, OPTION_HELP},           {0}};
	int option;
	*options = (struct options){.seed = 1};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1)
		switch (option) {
		case OPTION_ROUNDS: options->rounds = parse_number("--rounds", optarg, 1, ROUNDS_MAX); break;
		case OPTION_SEED: options->seed = parse_number("--seed", optarg, 0, SIZE_MAX); break;
		case OPTION_QUICK: options->quick = true; break;
		case OPTION_JSON: options->json = true; break;
		case OPTION_HELP:
			fputs(usage, stdout);
			if (fflush(stdout))
				die("standard output: %s", strerror(errno));
			exit(0);
		case ':': die("%s wants a value; see --help", argv[optind - 1]);
		default: die("unknown option '%s'; see --help", argv[optind - 1]);
		}
	if (optind < argc)
		die("too many arguments: '%s'; see --help", argv[optind]);
	if (!options->rounds)
		options->rounds = options->quick ? 3 : 25;
	options->sample = options->quick ? 5e4 : 5e5;
}

/* Stay on the last processor that is allowed: the first ones serve more interrupts. Its number, -1 when that fails. */
static int pin(void)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(0, sizeof allowed, &allowed))
		return -1;
	int last = CPU_SETSIZE - 1;
	while (last >= 0 && !CPU_ISSET(last, &allowed))
		last--;
	CPU_ZERO(&one);
	if (last >= 0)
		CPU_SET(last, &one);
	return last >= 0 && sched_setaffinity(0, sizeof one, &one) == 0 ? last : -1;
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static struct figure figures[FIGURES_MAX];
	struct options options;
	parse(&options, argc, argv);
	int processor = pin();
	bench_open(&bench, options.seed);
	if (!options.json) {
		print_heading(&bench, &options, processor);
		fflush(stdout);
	}
	size_t count = measure_all(&bench, &options, figures);
	if (options.json)
		print_json(&options, processor, (double)bench.segment.build_average, figures, count);
	else
		print_table(figures, count);
	bench_close(&bench);
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return print_differences(figures, count) ? 2 : 0;
}
