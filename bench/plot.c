#include "bench/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

/* The picture, in pixels. */
#define WIDTH 1000
#define HEIGHT 560
#define LEFT 76
#define RIGHT 736
#define TOP 84
#define BOTTOM 476
#define LEGEND 760

/* Okabe and Ito's colours, which people with any form of colour blindness can tell apart, without their yellow, which is
 * too light for a line on white. Dashes tell the lines apart in print. */
static const char *const line_colours[PLOT_SERIES_MAX - 1] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                              "#56B4E9", "#E69F00", "#7F7F7F"};
static const char *const line_dashes[PLOT_SERIES_MAX - 1] = {"none", "9 3", "3 3", "12 3 3 3", "none", "6 2", "2 2"};

/* ---- the axis of times ------------------------------------------------------------------------------------------ */

struct axis {
	double low, high; /* microseconds; each 1, 2 or 5 times a power of ten */
};

/* The tick next to `value` in steps 1, 2, 5, 10, ...: not above it, or (`up`) not below it. */
static double tick_near(double value, bool up)
{
	double decade = pow(10, floor(log10(value)));
	static const double steps[] = {1, 2, 5, 10};
	if (!up) {
		for (int i = 3; i > 0; i--)
			if (steps[i] * decade <= value * (1 + 1e-9))
				return steps[i] * decade;
		return decade;
	}
	for (int i = 0; i < 3; i++)
		if (steps[i] * decade >= value * (1 - 1e-9))
			return steps[i] * decade;
	return 10 * decade;
}

static double microseconds(double nanoseconds)
{
	return nanoseconds < 10 ? 0.01 : nanoseconds / 1000;
}

static struct axis axis_of(const struct plot *plot)
{
	double low = INFINITY, high = 0;
	for (size_t i = 0; i < plot->series_count; i++) {
		const struct plot_series *series = &plot->series[i];
		low = fmin(low, microseconds(series->sorted[0]));
		high = fmax(high, microseconds(series->sorted[series->count - 1]));
	}
	struct axis axis = {tick_near(low, false), tick_near(high, true)};
	if (axis.high <= axis.low)
		axis.high = tick_near(axis.low * 1.5, true);
	return axis;
}

static double x_of(struct axis axis, double value)
{
	return LEFT + (RIGHT - LEFT) * log(value / axis.low) / log(axis.high / axis.low);
}

static double y_of(double share)
{
	return BOTTOM - (BOTTOM - TOP) * share;
}

static void append_time(struct bench_text *svg, double value)
{
	if (value >= 1e6)
		text_format(svg, "%g s", value / 1e6);
	else if (value >= 1e3)
		text_format(svg, "%g ms", value / 1e3);
	else
		text_format(svg, "%g µs", value);
}

static void draw_axes(struct bench_text *svg, struct axis axis, const char *x_label)
{
	static const int shares[] = {0, 25, 50, 75, 90, 99, 100};
	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		double y = y_of(shares[i] / 100.0);
		text_format(svg, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>\n", LEFT, RIGHT, y,
		            y);
		/* 99 % would overlap 100 %: its line is labelled at the other side. */
		if (shares[i] == 99)
			text_format(svg, "<text x=\"%d\" y=\"%.1f\" class=\"tick\" fill=\"#767676\">99 %%</text>\n",
			            RIGHT + 4, y + 8);
		else
			text_format(svg, "<text x=\"%d\" y=\"%.1f\" class=\"tick\" text-anchor=\"end\">%d %%</text>\n",
			            LEFT - 8, y + 4, shares[i]);
	}
	double decades = log10(axis.high / axis.low), last = -1000;
	for (double tick = axis.low; tick <= axis.high * 1.001; tick = tick_near(tick * 1.01, true)) {
		double x = x_of(axis, tick);
		bool power = fabs(log10(tick) - round(log10(tick))) < 1e-6;
		text_format(svg, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" class=\"%s\"/>\n", x, x, TOP,
		            BOTTOM, power ? "grid" : "faint");
		if ((!power && decades > 4) || x - last < 40)
			continue;
		last = x;
		text_format(svg, "<text x=\"%.1f\" y=\"%d\" class=\"tick\" text-anchor=\"middle\">", x, BOTTOM + 20);
		append_time(svg, tick);
		text_format(svg, "</text>\n");
	}
	text_format(svg, "<path d=\"M%d %dV%dH%d\" class=\"axis\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	text_format(svg, "<text x=\"%d\" y=\"%d\" class=\"label\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2,
	            BOTTOM + 48);
	text_append_xml(svg, x_label, strlen(x_label));
	text_format(svg,
	            "</text>\n<text transform=\"translate(20 %d) rotate(-90)\" class=\"label\" text-anchor=\"middle\">"
	            "queries answered within that time</text>\n",
	            (TOP + BOTTOM) / 2);
}

/* ---- the lines -------------------------------------------------------------------------------------------------- */

static void append_style(struct bench_text *svg, size_t index, bool last)
{
	text_format(svg, "stroke=\"%s\" stroke-width=\"%s\" stroke-dasharray=\"%s\"",
	            last ? "#000000" : line_colours[index], last ? "3" : "2.2", last ? "none" : line_dashes[index]);
}

/* Steps, as an empirical distribution is; those too small to be seen are left out. */
static void draw_series(struct bench_text *svg, struct axis axis, const struct plot_series *series)
{
	double drawn_x = x_of(axis, microseconds(series->sorted[0])), drawn_y = y_of(0);
	text_format(svg, "<path fill=\"none\" stroke-linejoin=\"round\" d=\"M%.1f %.1f", drawn_x, drawn_y);
	for (size_t i = 0; i < series->count; i++) {
		double x = x_of(axis, microseconds(series->sorted[i]));
		double y = y_of((double)(i + 1) / (double)series->count);
		if (i + 1 < series->count && fabs(x - drawn_x) < 0.3 && fabs(y - drawn_y) < 0.3)
			continue;
		text_format(svg, "H%.1fV%.1f", x, y);
		drawn_x = x;
		drawn_y = y;
	}
	text_format(svg, "H%d\" ", RIGHT);
}

static void append_figure(struct bench_text *svg, double nanoseconds)
{
	double value = microseconds(nanoseconds);
	const char *unit = value >= 1e6 ? "s" : value >= 1e3 ? "ms" : "µs";
	value = value >= 1e6 ? value / 1e6 : value >= 1e3 ? value / 1e3 : value;
	text_format(svg, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, unit);
}

static void draw_legend(struct bench_text *svg, const struct plot_series *series, size_t index, bool last)
{
	int y = TOP + 22 + 44 * (int)index;
	text_format(svg, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" ", LEGEND, LEGEND + 34, y - 5, y - 5);
	append_style(svg, index, last);
	text_format(svg, "/>\n<text x=\"%d\" y=\"%d\" class=\"label\">", LEGEND + 44, y);
	/* A long name is cut between two characters, so that it stays within the picture. */
	size_t shown = series->name_length;
	if (shown > 24)
		for (shown = 23; shown && ((unsigned char)series->name[shown] & 0xc0) == 0x80;)
			shown--;
	text_append_xml(svg, series->name, shown);
	text_format(svg, "%s</text>\n<text x=\"%d\" y=\"%d\" class=\"small\">p50 ",
	            shown < series->name_length ? "…" : "", LEGEND + 44, y + 16);
	append_figure(svg, series->p50);
	text_format(svg, " · p99 ");
	append_figure(svg, series->p99);
	text_format(svg, "</text>\n");
}

static void draw_text(struct bench_text *svg, int y, const char *class, const char *text)
{
	text_format(svg, "<text x=\"%d\" y=\"%d\" class=\"%s\">", LEFT, y, class);
	text_append_xml(svg, text, strlen(text));
	text_format(svg, "</text>\n");
}

void plot_draw(const struct plot *plot, struct bench_text *svg)
{
	text_format(svg,
	            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n"
	            "<style>text{font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;fill:#222}"
	            ".title{font-size:18px;font-weight:bold}.label{font-size:14px}.tick{font-size:12px;fill:#444}"
	            ".small{font-size:12px;fill:#555}.grid{stroke:#d9d9d9;stroke-width:1}"
	            ".faint{stroke:#f0f0f0;stroke-width:1}.axis{stroke:#444;stroke-width:1.2;fill:none}</style>\n"
	            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
	            WIDTH, HEIGHT, WIDTH, HEIGHT);
	draw_text(svg, 34, "title", plot->title);
	draw_text(svg, 58, "small", plot->subtitle);
	struct axis axis = axis_of(plot);
	draw_axes(svg, axis, plot->x_label);
	for (size_t i = 0; i < plot->series_count; i++) {
		bool last = i + 1 == plot->series_count;
		draw_series(svg, axis, &plot->series[i]);
		append_style(svg, i, last);
		text_format(svg, "/>\n");
		draw_legend(svg, &plot->series[i], i, last);
	}
	draw_text(svg, HEIGHT - 10, "small", plot->note);
	text_format(svg, "</svg>\n");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static bool ends_in(const char *path, const char *ending)
{
	size_t length = strlen(path), ending_length = strlen(ending);
	return length > ending_length && strcasecmp(path + length - ending_length, ending) == 0;
}

/* Run rsvg-convert with its standard input and output from the descriptors given (-1: /dev/null). Returns its exit code,
 * or -1 when it could not be started. */
static int run_converter(char **arguments, int input, int output)
{
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = -1;
	if (posix_spawn_file_actions_init(&actions))
		return -1;
	if (input >= 0)
		posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (output >= 0)
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int error_number = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error_number)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Whether the file could be written, or made in its folder; without touching it. */
static bool writable(const char *path)
{
	if (access(path, W_OK) == 0)
		return true;
	const char *slash = strrchr(path, '/');
	char folder[4096];
	if (errno != ENOENT || (slash && (size_t)(slash - path) >= sizeof folder - 1))
		return false;
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return access(folder, W_OK) == 0;
}

int plot_check(const char *path)
{
	bool png = ends_in(path, ".png");
	char *arguments[] = {"rsvg-convert", "--version", NULL};
	if (!png && !ends_in(path, ".svg"))
		return bench_fail("--plot writes .svg and .png, not %s", path);
	if (!writable(path))
		return bench_fail("cannot write %s: %s", path, strerror(errno));
	if (png && run_converter(arguments, -1, -1) != 0)
		return bench_fail(
		    "--plot needs rsvg-convert for .png (Debian package librsvg2-bin); .svg needs nothing");
	return 0;
}

static int convert(const char *svg, size_t length, FILE *out)
{
	char *arguments[] = {"rsvg-convert", "--format=png", "--zoom=2", NULL};
	FILE *temporary = tmpfile();
	if (!temporary)
		return bench_fail("cannot write a temporary file: %s", strerror(errno));
	int result = 0;
	if (fwrite(svg, 1, length, temporary) != length || fflush(temporary) ||
	    lseek(fileno(temporary), 0, SEEK_SET) < 0)
		result = bench_fail("cannot write a temporary file: %s", strerror(errno));
	else if (run_converter(arguments, fileno(temporary), fileno(out)) != 0)
		result = bench_fail("rsvg-convert failed");
	fclose(temporary);
	return result;
}

int plot_write(const struct plot *plot, const char *path)
{
	FILE *out = fopen(path, "wbe");
	if (!out)
		return bench_fail("cannot write %s: %s", path, strerror(errno));
	struct bench_text svg = {0};
	plot_draw(plot, &svg);
	int result = 0;
	if (ends_in(path, ".png"))
		result = convert(svg.data, svg.length, out);
	else
		fwrite(svg.data, 1, svg.length, out);
	if (!result)
		result = bench_flush(out, path);
	fclose(out);
	text_release(&svg);
	return result;
}
