/*
 * /proc/self/cgroup names the group in each hierarchy: "0::/a/b" in that of version 2, "4:memory:/a/b" in one of version 1. A line of
 * /proc/self/mountinfo tells where a hierarchy is mounted, and which of its groups is seen at the mount point:
 *
 *     36 25 0:31 /a /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
 *
 * The group /a/b is then the folder /sys/fs/cgroup/memory/b. In a container the group may lie outside of what is mounted
 * (its name has ".." or another beginning): then the mount point is taken for it, which is what such a container sees as its own.
 */
#include "base/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define LINE_BYTES (4 * PATH_MAX)

struct hierarchy {
	const char *controller; /* of version 1; NULL: version 2 */
	bool has_path, mounted, holds_path;
	char path[PATH_MAX], root[PATH_MAX], point[PATH_MAX];
};

/* ---- the two lists ---- */

/* The next line without its end; of one that is too long the beginning. */
static bool read_line(FILE *file, char line[LINE_BYTES])
{
	if (!fgets(line, LINE_BYTES, file))
		return false;
	size_t length = strcspn(line, "\n");
	bool whole = line[length] == '\n';
	line[length] = 0;
	for (int c = 0; !whole && c != '\n' && c != EOF;)
		c = getc(file);
	return true;
}

static FILE *open_file(const char *root, const char *path)
{
	char name[2 * PATH_MAX];
	int length = snprintf(name, sizeof name, "%s%s", root, path);
	return length > 0 && (size_t)length < sizeof name ? file_open_stream(name, "re") : NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

static bool copy_path(char out[PATH_MAX], const char *path)
{
	size_t length = strlen(path);
	if (*path != '/' || length >= PATH_MAX)
		return false;
	memcpy(out, path, length + 1);
	return true;
}

static void read_paths(const char *root, struct hierarchy *hierarchies, size_t count)
{
	char line[LINE_BYTES];
	FILE *file = open_file(root, "/proc/self/cgroup");
	while (file && read_line(file, line)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(++controllers, ':') : NULL;
		if (!path)
			continue;
		*path++ = 0;
		for (size_t i = 0; i < count; i++) {
			struct hierarchy *hierarchy = &hierarchies[i];
			const char *wanted = hierarchy->controller;
			bool is_it = wanted ? has_word(controllers, wanted) : !*controllers;
			if (is_it && copy_path(hierarchy->path, path))
				hierarchy->has_path = true;
		}
	}
	if (file)
		fclose(file);
}

/* "\040" is a space. */
static void undo_octal(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++, to++) {
		unsigned value;
		if (*from == '\\' && sscanf(from, "\\%3o", &value) == 1 && from[1] && from[2] && from[3]) {
			*to = (char)value;
			from += 3;
		} else {
			*to = *from;
		}
	}
	*to = 0;
}

/* What of the group's path lies below the group that is mounted; NULL: it lies elsewhere. */
static const char *path_below(const struct hierarchy *hierarchy, const char *root)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	const char *below = hierarchy->path + length;
	if (strstr(hierarchy->path, "/..") || strncmp(hierarchy->path, root, length) != 0)
		return NULL;
	return !*below || *below == '/' ? below : NULL;
}

/* Of several mounts of a hierarchy that one is best which holds the group, and of these one that shows more of its ancestors. */
static void take_mount(struct hierarchy *hierarchy, const char *root, const char *point)
{
	bool holds = path_below(hierarchy, root) != NULL;
	bool is_better = holds && (!hierarchy->holds_path || strlen(root) < strlen(hierarchy->root));
	if (hierarchy->mounted && !is_better)
		return;
	hierarchy->mounted = copy_path(hierarchy->root, root) && copy_path(hierarchy->point, point);
	hierarchy->holds_path = hierarchy->mounted && holds;
}

static void read_mount(char *line, struct hierarchy *hierarchies, size_t count)
{
	char *rest = strstr(line, " - "), *save = NULL;
	char *fields[5], *described[3];
	if (!rest)
		return;
	*rest = 0;
	rest += 3;
	for (int i = 0; i < 5; i++)
		if (!(fields[i] = strtok_r(i ? NULL : line, " ", &save)))
			return;
	for (int i = 0; i < 3; i++)
		if (!(described[i] = strtok_r(i ? NULL : rest, " ", &save)))
			return;
	undo_octal(fields[3]);
	undo_octal(fields[4]);
	for (size_t i = 0; i < count; i++) {
		const char *controller = hierarchies[i].controller;
		bool is_it = controller ? strcmp(described[0], "cgroup") == 0 && has_word(described[2], controller)
		                        : strcmp(described[0], "cgroup2") == 0;
		if (is_it && hierarchies[i].has_path)
			take_mount(&hierarchies[i], fields[3], fields[4]);
	}
}

static void read_mounts(const char *root, struct hierarchy *hierarchies, size_t count)
{
	char line[LINE_BYTES];
	FILE *file = open_file(root, "/proc/self/mountinfo");
	while (file && read_line(file, line))
		read_mount(line, hierarchies, count);
	if (file)
		fclose(file);
}

/* ---- the limits ---- */

/* A number of digits alone: "max", "-1", what is no number and what does not fit limits nothing. */
static uint64_t parse_number(const char **at)
{
	uint64_t value = 0;
	const char *digit = *at;
	if (*digit < '0' || *digit > '9')
		return CGROUP_UNLIMITED;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*digit - '0'), &value))
			return CGROUP_UNLIMITED;
	bool ends = !*digit || *digit == ' ';
	*at = *digit ? digit + 1 : digit;
	return ends ? value : CGROUP_UNLIMITED;
}

static bool read_limit(const char *folder, const char *name, char line[LINE_BYTES])
{
	char path[2 * PATH_MAX];
	int length = snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = length > 0 && (size_t)length < sizeof path ? file_open_stream(path, "re") : NULL;
	bool found = file && read_line(file, line);
	if (file)
		fclose(file);
	return found;
}

static uint64_t read_number(const char *folder, const char *name)
{
	char line[LINE_BYTES];
	const char *at = line;
	return read_limit(folder, name, line) ? parse_number(&at) : CGROUP_UNLIMITED;
}

/* "QUOTA PERIOD" */
static uint64_t read_quota(const char *folder, uint64_t *period)
{
	char line[LINE_BYTES];
	const char *at = line;
	uint64_t quota = read_limit(folder, "cpu.max", line) ? parse_number(&at) : CGROUP_UNLIMITED;
	*period = quota == CGROUP_UNLIMITED ? CGROUP_UNLIMITED : parse_number(&at);
	return quota;
}

/* Version 1 alone tells of ancestors that cannot be seen. */
static uint64_t read_hierarchical(const char *folder)
{
	static const char name[] = "hierarchical_memory_limit ";
	char path[2 * PATH_MAX], line[LINE_BYTES];
	uint64_t value = CGROUP_UNLIMITED;
	int length = snprintf(path, sizeof path, "%s/memory.stat", folder);
	FILE *file = length > 0 && (size_t)length < sizeof path ? file_open_stream(path, "re") : NULL;
	while (file && read_line(file, line))
		if (strncmp(line, name, sizeof name - 1) == 0) {
			const char *at = line + sizeof name - 1;
			value = parse_number(&at);
		}
	if (file)
		fclose(file);
	return value;
}

static void take_least(uint64_t *least, uint64_t value)
{
	*least = value < *least ? value : *least;
}

static void take_quota(struct cgroup_limits *limits, uint64_t quota, uint64_t period)
{
	if (quota == CGROUP_UNLIMITED || period == CGROUP_UNLIMITED || !quota || !period)
		return;
	take_least(&limits->processors, quota / period + (quota % period != 0));
}

static void read_folder(const struct hierarchy *hierarchy, const char *folder, struct cgroup_limits *limits)
{
	uint64_t quota, period;
	if (!hierarchy->controller) {
		take_least(&limits->memory, read_number(folder, "memory.max"));
		take_least(&limits->memory, read_number(folder, "memory.high"));
		quota = read_quota(folder, &period);
		take_quota(limits, quota, period);
	} else if (strcmp(hierarchy->controller, "memory") == 0) {
		take_least(&limits->memory, read_number(folder, "memory.limit_in_bytes"));
		take_least(&limits->memory, read_hierarchical(folder));
	} else {
		quota = read_number(folder, "cpu.cfs_quota_us");
		period = read_number(folder, "cpu.cfs_period_us");
		take_quota(limits, quota, period);
	}
}

/* The group's folder, and each above it up to the mount point. */
static void read_groups(const char *root, const struct hierarchy *hierarchy, struct cgroup_limits *limits)
{
	char folder[2 * PATH_MAX];
	const char *below = hierarchy->holds_path ? path_below(hierarchy, hierarchy->root) : "";
	int top = snprintf(folder, sizeof folder, "%s%s", root, hierarchy->point);
	if (top < 0 || (size_t)top + strlen(below) >= sizeof folder)
		return;
	strcpy(folder + top, below);
	for (;;) {
		read_folder(hierarchy, folder, limits);
		char *last = strrchr(folder + top, '/');
		if (!last)
			return;
		*last = 0;
	}
}

struct cgroup_limits cgroup_limits(const char *root)
{
	struct hierarchy hierarchies[] = {{.controller = NULL}, {.controller = "memory"}, {.controller = "cpu"}};
	const size_t count = sizeof hierarchies / sizeof *hierarchies;
	struct cgroup_limits limits = {CGROUP_UNLIMITED, CGROUP_UNLIMITED};
	read_paths(root, hierarchies, count);
	read_mounts(root, hierarchies, count);
	for (size_t i = 0; i < count; i++)
		if (hierarchies[i].mounted)
			read_groups(root, &hierarchies[i], &limits);
	return limits;
}
