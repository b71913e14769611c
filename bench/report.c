#include "bench/report.h"

#include "bench/plot.h"
#include "bench/search_options.h"
#include "cli/text.h"

#include <string.h>

/* ---- the table ------------------------------------------------------------------------------------------------- */

/* Lines of the report are no longer than LINE_COLUMNS, names of tags no longer than NAME_COLUMNS. */
enum { LINE_COLUMNS = 100, NAME_COLUMNS = 28, LABEL_COLUMNS = 10 };

/* A name is any text that the file of queries or the command held: nothing in it may steer a terminal. */
static void append_clean(struct bench_text *out, const char *name, size_t length)
{
	uint32_t character;
	for (size_t i = 0, size; i < length; i += size) {
		size = utf8_decode(name + i, length - i, &character);
		bool steers = character < 0x20 || (character >= 0x7f && character < 0xa0);
		bool invalid = size == 1 && character == 0xfffd;
		text_append(out, steers || invalid ? "?" : name + i, steers || invalid ? 1 : size);
	}
}

/* A name of up to `most` columns, without its middle if it is longer; filled up to `width`. */
static void append_name(struct bench_text *out, const char *name, size_t length, size_t width, size_t most)
{
	size_t head, tail, start = out->length;
	shorten_middle(name, length, most, &head, &tail);
	append_clean(out, name, head);
	if (head < length)
		text_append(out, ELLIPSIS, strlen(ELLIPSIS));
	append_clean(out, name + tail, length - tail);
	for (size_t used = text_columns(out->data + start, out->length - start); used < width; used++)
		text_append(out, " ", 1);
}

static void append_column_name(struct bench_text *out, const char *name, size_t length, size_t width)
{
	append_name(out, name, length, width, NAME_COLUMNS);
}

/* Break the last line, which began at `start`, between its parts, where "; " and ", " are. */
static void break_line(struct bench_text *out, size_t start)
{
	size_t line = start, space = 0;
	for (size_t at = start; at < out->length; at++) {
		if (text_columns(out->data + line, at + 1 - line) > LINE_COLUMNS && space > line) {
			out->data[space] = '\n';
			line = space + 1;
			struct bench_text rest = {0};
			text_append(&rest, out->data + line, out->length - line);
			out->length = line;
			text_format(out, "%*s", LABEL_COLUMNS, "");
			text_append(out, rest.data, rest.length);
			text_release(&rest);
			at = line;
		}
		if (out->data[at] == ' ' && at > line + LABEL_COLUMNS && strchr(";,", out->data[at - 1]))
			space = at;
	}
}

static void append_options(struct bench_text *out, const struct measure_plan *plan)
{
	const trawl_search_options *search = &plan->search;
	if (search->top)
		text_format(out, "best %zu hit%s%s", search->top, search->top == 1 ? "" : "s",
		            search->count ? ", all matches counted" : "");
	else
		text_format(out, "matches counted, no hits");
	if (search->set_k1)
		text_format(out, ", k1 %g", (double)search->k1);
	if (search->set_b)
		text_format(out, ", b %g", (double)search->b);
	if (search->stable_ties)
		text_format(out, ", ties by id");
}

/* What was searched for what. */
static void append_subject(struct bench_text *out, const struct report *report)
{
	const trawl_index_stats *index = &report->index;
	size_t start = out->length, path_columns = LINE_COLUMNS / 2;
	text_format(out, "index     ");
	append_name(out, report->index_path, strlen(report->index_path), 0, path_columns);
	text_format(out, ": %llu documents, %llu postings, %llu segment%s", (unsigned long long)index->documents,
	            (unsigned long long)index->postings, (unsigned long long)index->segments,
	            index->segments == 1 ? "" : "s");
	break_line(out, start);
	start = out->length + 1;
	text_format(out, "\nqueries   ");
	append_name(out, report->queries_path, strlen(report->queries_path), 0, path_columns);
	text_format(out, ": %zu, %zu tag%s; ", report->set->count, report->set->tag_count,
	            report->set->tag_count == 1 ? "" : "s");
	append_options(out, report->plan);
	break_line(out, start);
	text_format(out, "\n");
}

static void append_head(struct bench_text *out, const struct report *report)
{
	const struct measurement *m = report->measurement;
	append_subject(out, report);
	size_t start = out->length;
	text_format(out, "rounds    %zu timed after %zu to warm up, %.1f s; each query timed alone",
	            report->plan->rounds, report->plan->warmup, m->seconds);
	if (report->pinned)
		text_format(out, ", on processor %zu", report->processor);
	text_format(out, "; other work took the processor %ld time%s", m->preemptions, m->preemptions == 1 ? "" : "s");
	break_line(out, start);
	text_format(out, "\nmachine   %s kernels; reading the clock costs %.0f ns, included in every time\n",
	            trawl_kernel_name(), m->clock_ns);
	text_format(out, "results   %016llx, %s\n\n", (unsigned long long)m->hash,
	            m->same_results ? "the same in every round" : "BUT NOT THE SAME IN EVERY ROUND");
}

static size_t name_width(const struct measurement *m)
{
	size_t widest = strlen("a posting");
	for (size_t i = 0; i < m->group_count; i++) {
		size_t width = text_columns(m->groups[i].name, m->groups[i].name_length);
		widest = width > widest ? width : widest;
	}
	return widest < NAME_COLUMNS ? widest : NAME_COLUMNS;
}

static void append_rule(struct bench_text *out, size_t width)
{
	for (size_t i = 0; i < width; i++)
		text_append(out, "-", 1);
	text_append(out, "\n", 1);
}

static void append_times(struct bench_text *out, const struct report *report, size_t width)
{
	const struct measurement *m = report->measurement;
	size_t start = out->length;
	append_column_name(out, "µs", strlen("µs"), width);
	text_format(out, " %7s %8s %8s %8s %8s %8s %8s %9s", "queries", "mean", "p50", "p90", "p99", "max", "best",
	            "queries/s");
	size_t columns = text_columns(out->data + start, out->length - start);
	text_append(out, "\n", 1);
	for (size_t i = 0; i < m->group_count; i++) {
		const struct measured_group *group = &m->groups[i];
		const struct latency_summary *l = &group->latency;
		if (i + 1 == m->group_count)
			append_rule(out, columns);
		append_column_name(out, group->name, group->name_length, width);
		text_format(out, " %7zu %8.1f %8.1f %8.1f %8.1f %8.1f %8.1f %9.0f\n", l->queries, l->mean / 1e3,
		            l->p50 / 1e3, l->p90 / 1e3, l->p99 / 1e3, l->maximum / 1e3, l->mean_of_best / 1e3,
		            l->queries_per_second);
	}
	text_format(out,
	            "\nTimes are microseconds. A query's time is its median over the rounds; mean to max are over the\n"
	            "queries; best is the mean of each query's fastest round.\n\n");
}

/* What a query finds and reads. */
static void append_work(struct bench_text *out, const struct report *report, size_t width)
{
	const struct measurement *m = report->measurement;
	bool counted = report->plan->search.count;
	append_column_name(out, "a query", strlen("a query"), width);
	text_format(out, " %13s %13s %13s\n", counted ? "matches" : "hits", "postings", "ns/posting");
	for (size_t i = 0; i < m->group_count; i++) {
		const struct measured_group *group = &m->groups[i];
		append_column_name(out, group->name, group->name_length, width);
		text_format(out, " %13.1f %13.0f", counted ? group->matches : group->hits, group->postings);
		if (group->postings > 0)
			text_format(out, " %13.3f\n", group->ns_per_posting);
		else
			text_format(out, " %13s\n", "-");
	}
}

static void append_counter(struct bench_text *out, const struct measured_group *group, int counter, bool per_posting)
{
	double divisor = per_posting ? group->postings : 1;
	if (!group->counted || !group->counters.known[counter] || divisor <= 0)
		text_format(out, " %13s", "-");
	else
		text_format(out, per_posting ? " %13.4f" : " %13.0f", group->counters.value[counter] / divisor);
}

static void append_counters(struct bench_text *out, const struct report *report, size_t width)
{
	const struct measurement *m = report->measurement;
	if (m->counter_trouble[0]) {
		size_t start = out->length + 1;
		text_format(out, "\ncounters  not available: %s", m->counter_trouble);
		break_line(out, start);
		text_format(out, "\n");
		return;
	}
	for (int per_posting = 0; per_posting < 2; per_posting++) {
		text_append(out, "\n", 1);
		append_column_name(out, per_posting ? "a posting" : "a query", per_posting ? 9 : 7, width);
		text_format(out, " %13s %13s %13s %13s\n", "cycles", "instructions", "cache misses", "branch misses");
		for (size_t i = 0; i < m->group_count; i++) {
			append_column_name(out, m->groups[i].name, m->groups[i].name_length, width);
			for (int counter = 0; counter < COUNTER_COUNT; counter++)
				append_counter(out, &m->groups[i], counter, per_posting);
			text_append(out, "\n", 1);
		}
	}
	text_format(out, "\nCounted in user space, in rounds of their own.\n");
}

void report_text(const struct report *report, struct bench_text *out)
{
	size_t width = name_width(report->measurement);
	append_head(out, report);
	append_times(out, report, width);
	append_work(out, report, width);
	append_counters(out, report, width);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static void append_json_counters(struct bench_text *out, const struct measured_group *group)
{
	text_format(out, ",\"counters\":{");
	for (int i = 0; i < COUNTER_COUNT; i++) {
		text_format(out, "%s\"%s_per_query\":", i ? "," : "", counter_names[i]);
		if (group->counters.known[i])
			text_format(out, "%.1f", group->counters.value[i]);
		else
			text_format(out, "null");
		text_format(out, ",\"%s_per_posting\":", counter_names[i]);
		if (group->counters.known[i] && group->postings > 0)
			text_format(out, "%.6f", group->counters.value[i] / group->postings);
		else
			text_format(out, "null");
	}
	text_format(out, "}");
}

static void append_json_group(struct bench_text *out, const struct report *report, const struct measured_group *group)
{
	const struct latency_summary *l = &group->latency;
	text_format(out, "{\"tag\":");
	text_append_json(out, group->name, group->name_length);
	text_format(
	    out,
	    ",\"queries\":%zu,\"latency_us\":{\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f,"
	    "\"mean_of_best\":%.3f},\"queries_per_second\":%.1f,\"hits_per_query\":%.3f,\"matches_per_query\":",
	    l->queries, l->mean / 1e3, l->p50 / 1e3, l->p90 / 1e3, l->p99 / 1e3, l->maximum / 1e3,
	    l->mean_of_best / 1e3, l->queries_per_second, group->hits);
	if (report->plan->search.count)
		text_format(out, "%.3f", group->matches);
	else
		text_format(out, "null");
	text_format(out, ",\"postings_per_query\":%.3f,\"ns_per_posting\":", group->postings);
	if (group->postings > 0)
		text_format(out, "%.4f", group->ns_per_posting);
	else
		text_format(out, "null");
	if (group->counted)
		append_json_counters(out, group);
	else
		text_format(out, ",\"counters\":null");
	text_format(out, "}");
}

static void append_json_head(struct bench_text *out, const struct report *report)
{
	const trawl_index_stats *index = &report->index;
	text_format(out, "{\"index\":{\"path\":");
	text_append_json(out, report->index_path, strlen(report->index_path));
	text_format(out, ",\"documents\":%llu,\"postings\":%llu,\"segments\":%llu,\"generation\":%llu},",
	            (unsigned long long)index->documents, (unsigned long long)index->postings,
	            (unsigned long long)index->segments, (unsigned long long)index->generation);
	text_format(out, "\"queries\":{\"path\":");
	text_append_json(out, report->queries_path, strlen(report->queries_path));
	text_format(out, ",\"count\":%zu},\"options\":{\"rounds\":%zu,\"warmup\":%zu,", report->set->count,
	            report->plan->rounds, report->plan->warmup);
	search_options_json(&report->plan->search, out);
	text_format(out, ",\"processor\":");
	if (report->pinned)
		text_format(out, "%zu", report->processor);
	else
		text_format(out, "null");
	text_format(out, "},");
}

void report_json(const struct report *report, struct bench_text *out)
{
	const struct measurement *m = report->measurement;
	append_json_head(out, report);
	text_format(out,
	            "\"version\":\"%s\",\"kernel\":\"%s\",\"clock_ns\":%.1f,\"seconds\":%.3f,\"preemptions\":%ld,"
	            "\"result_hash\":\"%016llx\","
	            "\"same_results\":%s,\"counters_unavailable\":",
	            trawl_version(), trawl_kernel_name(), m->clock_ns, m->seconds, m->preemptions,
	            (unsigned long long)m->hash, m->same_results ? "true" : "false");
	if (m->counter_trouble[0])
		text_append_json(out, m->counter_trouble, strlen(m->counter_trouble));
	else
		text_format(out, "null");
	text_format(out, ",\"tags\":[");
	for (size_t i = 0; i + 1 < m->group_count; i++) {
		text_format(out, i ? "," : "");
		append_json_group(out, report, &m->groups[i]);
	}
	text_format(out, "],\"all\":");
	append_json_group(out, report, &m->groups[m->group_count - 1]);
	text_format(out, "}\n");
}

/* ---- threads --------------------------------------------------------------------------------------------------- */

void report_threads_text(const struct report *report, const struct throughput_run *run, struct bench_text *out)
{
	append_subject(out, report);
	size_t start = out->length;
	text_format(out, "rounds    %zu timed after %zu to warm up each thread, all queries in each, shuffled; %.1f s",
	            report->plan->rounds, report->plan->warmup, run->seconds);
	break_line(out, start);
	text_format(out, "\n");
	text_format(out, "machine   %s kernels, %ld processors for this process\n", trawl_kernel_name(),
	            report->processors);
	text_format(out, "results   %016llx, %s\n\n", (unsigned long long)run->hash,
	            run->same_results ? "the same for every number of threads" : "BUT NOT THE SAME IN EVERY THREAD");
	text_format(
	    out,
	    "threads    queries/s   scaling   seconds   CPU seconds  mean \u00b5s       p50       p99       max\n");
	for (size_t i = 0; i < run->count; i++) {
		const struct throughput *t = &run->counts[i];
		text_format(out, "%7zu %12.0f %9.2f %9.2f %13.2f %8.1f %9.1f %9.1f %9.1f\n", t->threads,
		            t->queries_per_second, t->scaling, t->seconds, t->processor_seconds, t->mean / 1e3,
		            t->p50 / 1e3, t->p99 / 1e3, t->maximum / 1e3);
	}
	text_format(out,
	            "\nThreads share one open index; each has a searcher, and takes the next query when it has done\n"
	            "one. Scaling is over one thread. Times are of single searches, in microseconds.\n");
}

void report_threads_json(const struct report *report, const struct throughput_run *run, struct bench_text *out)
{
	append_json_head(out, report);
	text_format(
	    out,
	    "\"version\":\"%s\",\"kernel\":\"%s\",\"processors\":%ld,\"seconds\":%.3f,\"result_hash\":\"%016llx\","
	    "\"same_results\":%s,\"threads\":[",
	    trawl_version(), trawl_kernel_name(), report->processors, run->seconds, (unsigned long long)run->hash,
	    run->same_results ? "true" : "false");
	for (size_t i = 0; i < run->count; i++) {
		const struct throughput *t = &run->counts[i];
		text_format(out,
		            "%s{\"threads\":%zu,\"searches\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,"
		            "\"queries_per_second\":%.1f,\"scaling\":%.4f,\"same_results\":%s,"
		            "\"latency_us\":{\"mean\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}}",
		            i ? "," : "", t->threads, (unsigned long long)t->searches, t->seconds, t->processor_seconds,
		            t->queries_per_second, t->scaling, t->same_results ? "true" : "false", t->mean / 1e3,
		            t->p50 / 1e3, t->p99 / 1e3, t->maximum / 1e3);
	}
	text_format(out, "]}\n");
}

/* ---- the picture ------------------------------------------------------------------------------------------------ */

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

int report_plot(const struct report *report, const char *path)
{
	const struct measurement *m = report->measurement;
	struct plot plot = {.title = "Query latency"};
	size_t leading = 0, shown = 0;
	for (size_t i = 0; i < report->set->tag_count; i++)
		leading += report->set->tags[i].leads;
	for (size_t i = 0; i < m->group_count; i++) {
		const struct measured_group *group = &m->groups[i];
		bool all = i + 1 == m->group_count;
		if (!all && (i >= leading || shown == PLOT_SERIES_MAX - 1))
			continue;
		plot.series[shown++] = (struct plot_series){.name = group->name,
		                                            .name_length = group->name_length,
		                                            .sorted = group->sorted,
		                                            .count = group->latency.queries,
		                                            .p50 = group->latency.p50,
		                                            .p99 = group->latency.p99};
	}
	plot.series_count = shown;

	char note[160] = "", label[160];
	struct bench_text subtitle = {0};
	text_format(&subtitle, "%s, %llu documents, %zu queries; ", file_name(report->index_path),
	            (unsigned long long)report->index.documents, report->set->count);
	append_options(&subtitle, report->plan);
	text_append(&subtitle, "", 1);
	if (leading > PLOT_SERIES_MAX - 1)
		snprintf(note, sizeof note, "%zu more tags are not drawn, but are part of “all”.",
		         leading - (PLOT_SERIES_MAX - 1));
	snprintf(label, sizeof label, "time of a query (median of %zu round%s, logarithmic)", report->plan->rounds,
	         report->plan->rounds == 1 ? "" : "s");
	plot.subtitle = subtitle.data;
	plot.x_label = label;
	plot.note = note;
	int result = plot_write(&plot, path);
	text_release(&subtitle);
	return result;
}
