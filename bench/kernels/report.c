#include "bench/kernels/bench.h"

#include <stdio.h>

void print_heading(const struct bench *bench, const struct options *options, int processor)
{
	char place[32] = "not pinned";
	if (processor >= 0)
		snprintf(place, sizeof place, "on processor %d", processor);
	printf("seed %zu; %u documents of %.1f tokens; %zu rounds, %s\n", options->seed, DOCUMENTS,
	       (double)bench->segment.build_average, options->rounds, place);
	for (int level = 0; level < KERNELS; level++)
		printf("%s: %s\n", cpu_level_name((enum cpu_level)level),
		       kernel_for((enum cpu_level)level) ? "measured" : "not on this machine");
}

static void print_cells(const struct figure *figure)
{
	for (int level = 0; level < KERNELS; level++) {
		if (figure->measured[level])
			printf(" %8.3f %8.3f", figure->best[level], figure->median[level]);
		else
			printf(" %8s %8s", figure->operation->portable ? "=" : "-", "");
	}
	for (int level = 1; level < KERNELS; level++) {
		if (figure->measured[level] && figure->differs[level])
			printf(" %8s", "DIFFERS");
		else if (figure->measured[level])
			printf(" %7.1fx", figure->best[0] / figure->best[level]);
		else
			printf(" %8s", figure->operation->portable ? "=" : "-");
	}
}

void print_table(const struct figure *figures, size_t count)
{
	printf("\n%-18s %-10s %8s %-8s", "", "", "", "");
	for (int level = 0; level < KERNELS; level++)
		printf(" %17s", cpu_level_name((enum cpu_level)level));
	for (int level = 1; level < KERNELS; level++)
		printf(" %8s", cpu_level_name((enum cpu_level)level));
	printf("\n%-18s %-10s %8s %-8s", "operation", "density", "units", "unit");
	for (int level = 0; level < KERNELS; level++)
		printf(" %8s %8s", "best", "median");
	printf(" %8s %8s %8s\n", "speed-up", "speed-up", "aim");
	for (size_t i = 0; i < count; i++) {
		const struct operation *operation = figures[i].operation;
		if (i && operation != figures[i - 1].operation && operation->on != ON_NOTHING)
			putchar('\n');
		printf("%-18s %-10s %8llu %-8s", operation->name, figures[i].subject,
		       (unsigned long long)figures[i].units, operation->unit);
		print_cells(&figures[i]);
		printf(" %8s\n", operation->aim ? operation->aim : "");
	}
	puts("\nTimes are ns a unit, of the best round and of the median one; the speed-up is over scalar, of the "
	     "best.\n"
	     "=: the same code for every kernel. Limits to aim at: " AIM_INTEGER " ns a decoded integer, " AIM_POSTING
	     " ns a posting\nthat is decoded, scored and accumulated (a union's postings need not all be).");
}

static void print_json_figure(const struct figure *figure)
{
	printf("{\"operation\": \"%s\", \"density\": \"%s\", \"units\": %llu, \"unit\": \"%s\", ",
	       figure->operation->name, figure->subject, (unsigned long long)figure->units, figure->operation->unit);
	printf("\"same_code\": %s, \"aim\": ", figure->operation->portable ? "true" : "false");
	printf(figure->operation->aim ? "\"%s\"" : "null", figure->operation->aim);
	for (int level = 0; level < KERNELS; level++) {
		printf(", \"%s\": ", cpu_level_name((enum cpu_level)level));
		if (figure->measured[level])
			printf("{\"best_ns\": %.5g, \"median_ns\": %.5g, \"speedup\": %.4g, \"same_output\": %s}",
			       figure->best[level], figure->median[level], figure->best[0] / figure->best[level],
			       figure->differs[level] ? "false" : "true");
		else
			printf("null");
	}
	putchar('}');
}

void print_json(const struct options *options, int processor, double tokens, const struct figure *figures, size_t count)
{
	printf("{\"seed\": %zu, \"documents\": %u, \"mean_length\": %.3f, \"rounds\": %zu, \"quick\": %s, ",
	       options->seed, DOCUMENTS, tokens, options->rounds, options->quick ? "true" : "false");
	if (processor >= 0)
		printf("\"processor\": %d, \"kernels\": {", processor);
	else
		printf("\"processor\": null, \"kernels\": {");
	for (int level = 0; level < KERNELS; level++)
		printf("%s\"%s\": \"%s\"", level ? ", " : "", cpu_level_name((enum cpu_level)level),
		       kernel_for((enum cpu_level)level) ? "measured" : "not on this machine");
	printf("},\n \"limits_ns\": {\"integer\": \"" AIM_INTEGER "\", \"posting\": \"" AIM_POSTING "\"},\n"
	       " \"figures\": [\n");
	for (size_t i = 0; i < count; i++) {
		fputs("  ", stdout);
		print_json_figure(&figures[i]);
		puts(i + 1 < count ? "," : "");
	}
	puts(" ]}");
}

bool print_differences(const struct figure *figures, size_t count)
{
	bool any = false;
	for (size_t i = 0; i < count; i++)
		for (int level = 0; level < KERNELS; level++)
			if (figures[i].differs[level]) {
				fprintf(stderr, "kernel_bench: %s, %s: %s puts out something else than scalar\n",
				        figures[i].operation->name, figures[i].subject,
				        cpu_level_name((enum cpu_level)level));
				any = true;
			}
	return any;
}
