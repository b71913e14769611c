/* cgroup.h - what control groups, of version 1, of version 2 or of both, let this process use. */
#ifndef TRAWL_BASE_CGROUP_H
#define TRAWL_BASE_CGROUP_H

#include <stdint.h>

#define CGROUP_UNLIMITED UINT64_MAX

struct cgroup_limits {
	uint64_t memory;     /* bytes */
	uint64_t processors; /* a quota of processor time, rounded up to whole processors: at least 1 */
};

/* The least limits of the process's own group and of all its ancestors that can be seen. `root` stands before every path: "" but in
 * tests. What cannot be read limits nothing. */
struct cgroup_limits cgroup_limits(const char *root);

#endif
