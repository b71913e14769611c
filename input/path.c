#include "input/path.h"

#include <string.h>
#include <sys/stat.h>

#include "trawl.h"

/* Whether the last name of the `length` bytes can be taken back by "..": it is a folder, and no link to one elsewhere. */
static bool can_go_up(char *path, size_t length, size_t name)
{
	struct stat status;
	if (length == name || (length - name == 2 && memcmp(path + name, "..", 2) == 0))
		return false;
	path[length] = 0;
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static size_t name_start(const char *path, size_t length)
{
	while (length > 0 && path[length - 1] != '/')
		length--;
	return length;
}

void trawl_normal_path(const char *path, char *out)
{
	size_t root = path[0] == '/', length = root;
	if (root)
		out[0] = '/';
	while (*path) {
		size_t size = strcspn(path, "/");
		const char *part = path;
		path += size + (path[size] == '/');
		if (size == 0 || (size == 1 && part[0] == '.'))
			continue;
		bool up = size == 2 && memcmp(part, "..", 2) == 0;
		size_t name = name_start(out, length);
		if (up && root && length == root)
			continue; /* above the topmost folder is itself */
		if (up && can_go_up(out, length, name)) {
			length = name > root ? name - 1 : root;
			continue;
		}
		if (length > root)
			out[length++] = '/';
		memcpy(out + length, part, size);
		length += size;
	}
	if (length == 0)
		out[length++] = '.';
	out[length] = 0;
}

const char *path_normal(struct arena *arena, const char *path)
{
	char *normal = arena_new(arena, strlen(path) + 2);
	if (normal)
		trawl_normal_path(path, normal);
	return normal;
}

static bool is_here(const char *folder)
{
	return folder[0] == '.' && !folder[1];
}

const char *path_join(struct arena *arena, const char *folder, const char *name)
{
	size_t folder_length = is_here(folder) ? 0 : strlen(folder), name_length = strlen(name);
	bool slash = folder_length > 0 && folder[folder_length - 1] != '/';
	char *path = arena_new(arena, folder_length + slash + name_length + 1);
	if (!path)
		return NULL;
	memcpy(path, folder, folder_length);
	if (slash)
		path[folder_length] = '/';
	memcpy(path + folder_length + slash, name, name_length + 1);
	return path;
}

const char *path_below(const char *root, const char *path)
{
	size_t length = strlen(root);
	if (is_here(root))
		return path[0] == '/' || strncmp(path, "../", 3) == 0 || strcmp(path, "..") == 0 || is_here(path)
		           ? NULL
		           : path;
	if (strncmp(path, root, length) != 0)
		return NULL;
	if (root[length - 1] == '/')
		return path[length] ? path + length : NULL;
	return path[length] == '/' && path[length + 1] ? path + length + 1 : NULL;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}
