/* plot.h - the distribution of query times as a picture: for each series, the share of queries answered within a time. */
#ifndef TRAWL_BENCH_PLOT_H
#define TRAWL_BENCH_PLOT_H

#include "bench/support.h"

#define PLOT_SERIES_MAX 8

struct plot_series {
	const char *name;
	size_t name_length;
	const double *sorted; /* nanoseconds, ascending */
	size_t count;         /* at least 1 */
	double p50, p99;
};

struct plot {
	const char *title, *subtitle, *x_label, *note; /* UTF-8; the note may be "" */
	struct plot_series series[PLOT_SERIES_MAX];    /* the last one is drawn in black, over the others */
	size_t series_count;
};

/* The picture as a complete SVG 1.1 file. */
void plot_draw(const struct plot *plot, struct bench_text *svg);

/* Whether a picture can be written to `path`: it ends in .svg, or in .png and rsvg-convert is there. BENCH_ERROR with a
 * message when not; to be asked before a measurement is spent. */
int plot_check(const char *path);

/* Draw into `path`. 0 or BENCH_ERROR with a message. */
int plot_write(const struct plot *plot, const char *path);

#endif
