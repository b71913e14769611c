#include "cli/readers.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/terminal.h"

/* The group that a new file at `path` gets: ours, or that of its folder, if it is so marked. */
static gid_t group_of_new(const char *path)
{
	char folder[PATH_MAX];
	struct stat status;
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	if (length >= sizeof folder)
		return getegid();
	memcpy(folder, path, length);
	strcpy(folder + length, length ? "" : ".");
	return stat(folder, &status) == 0 && status.st_mode & S_ISGID ? status.st_gid : getegid();
}

void limit_readers(const trawl_source *source, const char *path, bool quiet)
{
	trawl_source_access access;
	struct stat status;
	if (stat(path, &status) == 0)
		return;
	trawl_source_get_access(source, &access);
	/* What is not for all others is for the members of its own group at most. */
	bool foreign = access.others_denied && (access.many_groups || access.group != group_of_new(path));
	mode_t denied = (access.others_denied ? 0006 : 0) | (access.group_denied || foreign ? 0060 : 0);
	mode_t before = umask(0);
	umask(before | denied);
	if (!quiet && denied & ~before & 0044)
		complain("%s is made for its owner%s only, as some of what goes into it is; chmod changes that", path,
		         denied & 0040 ? "" : " and group");
}
