/* limits: what control groups allow, read from made-up trees of /proc and /sys; resource limits of this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "tests/scratch.h"
#include "trawl.h"

#define V2_MOUNT "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MEMORY_MOUNT "36 24 0:31 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
#define CPU_MOUNT "37 24 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:10 - cgroup cgroup rw,cpu,cpuacct\n"
#define OTHER_MOUNTS                                                                                                   \
	"22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n24 22 0:20 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"

/* A file of the tree, and the folders above it. */
static void put(const char *path, const char *content)
{
	char name[8192];
	snprintf(name, sizeof name, "%s%s", scratch_path("tree"), path);
	for (char *slash = name + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(name, 0777);
		*slash = '/';
	}
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

static void put_proc(const char *groups, const char *mounts)
{
	put("/proc/self/cgroup", groups);
	put("/proc/self/mountinfo", mounts);
}

static struct cgroup_limits limits(void)
{
	return cgroup_limits(scratch_path("tree"));
}

static void without_proc_nothing_is_limited(void **state)
{
	(void)state;
	assert_true(limits().memory == CGROUP_UNLIMITED);
	assert_true(limits().processors == CGROUP_UNLIMITED);
	put("/proc/self/cgroup", "0::/a\n");
	assert_true(limits().memory == CGROUP_UNLIMITED);
}

static void version_2_limits_by_max_and_high_of_each_ancestor(void **state)
{
	(void)state;
	put_proc("0::/a/b/c\n", OTHER_MOUNTS V2_MOUNT);
	assert_true(limits().memory == CGROUP_UNLIMITED);
	put("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
	put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
	assert_true(limits().memory == CGROUP_UNLIMITED);
	assert_true(limits().processors == CGROUP_UNLIMITED);
	put("/sys/fs/cgroup/a/b/c/memory.max", "400000000\n");
	assert_int_equal(limits().memory, 400000000);
	put("/sys/fs/cgroup/a/b/c/memory.high", "300000000\n");
	assert_int_equal(limits().memory, 300000000);
	put("/sys/fs/cgroup/a/b/memory.max", "200000000\n");
	assert_int_equal(limits().memory, 200000000);
	put("/sys/fs/cgroup/a/memory.high", "100000000\n");
	assert_int_equal(limits().memory, 100000000);
	put("/sys/fs/cgroup/memory.max", "50000000"); /* of a container's own hierarchy */
	assert_int_equal(limits().memory, 50000000);
	put("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
	assert_int_equal(limits().processors, 3);
	put("/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
	assert_int_equal(limits().processors, 1);
	put("/sys/fs/cgroup/a/b/cpu.max", "1000 100000\n");
	assert_int_equal(limits().processors, 1);
}

static void version_1_has_a_hierarchy_for_each_controller(void **state)
{
	(void)state;
	put_proc("12:cpu,cpuacct:/jobs\n5:cpuset:/other\n4:memory:/jobs/one\n1:name=systemd:/memory\n",
	         OTHER_MOUNTS CPU_MOUNT MEMORY_MOUNT);
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "80000000\n");
	put("/sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "90000000\n");
	put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
	assert_int_equal(limits().memory, 80000000);
	assert_true(limits().processors == CGROUP_UNLIMITED);
	put("/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "150000\n");
	put("/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000\n");
	assert_int_equal(limits().processors, 2);
	/* An ancestor that is out of sight is told of nevertheless. */
	put("/sys/fs/cgroup/memory/jobs/one/memory.stat", "cache 1\nhierarchical_memory_limit 70000000\nrss 2\n");
	assert_int_equal(limits().memory, 70000000);
}

static void both_versions_are_looked_at_where_both_are(void **state)
{
	(void)state;
	put_proc("4:memory:/a\n0::/b\n",
	         OTHER_MOUNTS MEMORY_MOUNT "40 24 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "80000000\n");
	put("/sys/fs/cgroup/unified/b/cpu.max", "400000 100000\n");
	assert_int_equal(limits().memory, 80000000);
	assert_int_equal(limits().processors, 4);
	put("/sys/fs/cgroup/unified/b/memory.max", "60000000\n");
	assert_int_equal(limits().memory, 60000000);
}

/* Without a namespace of its own a container sees its group's path as the host does, but mounted is that group alone. */
static void a_container_sees_its_own_group_at_the_mount_point(void **state)
{
	(void)state;
	static const char docker[] =
	    OTHER_MOUNTS "36 24 0:31 /docker/abc /sys/fs/cgroup/memory ro master:9 - cgroup cgroup rw,memory\n";
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "80000000\n");
	put("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "70000000\n");
	put_proc("4:memory:/docker/abc\n", docker);
	assert_int_equal(limits().memory, 80000000);
	put_proc("4:memory:/docker/abc/inner\n", docker);
	assert_int_equal(limits().memory, 70000000);
	put_proc("4:memory:/docker/abcd/inner\n", docker); /* elsewhere */
	assert_int_equal(limits().memory, 80000000);
	put_proc("4:memory:/\n", docker);
	assert_int_equal(limits().memory, 80000000);
}

static void a_group_outside_of_the_namespace_counts_as_the_mount_point(void **state)
{
	(void)state;
	put("/sys/fs/memory.max", "1\n"); /* where ".." would lead */
	put("/sys/fs/cgroup/memory.max", "80000000\n");
	put_proc("0::/../sibling\n", OTHER_MOUNTS V2_MOUNT);
	assert_int_equal(limits().memory, 80000000);
	put_proc("0::/..\n", OTHER_MOUNTS V2_MOUNT);
	assert_int_equal(limits().memory, 80000000);
	put_proc("0::/\n", "35 24 0:30 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	assert_int_equal(limits().memory, 80000000);
}

static void of_several_mounts_that_one_counts_which_shows_the_group(void **state)
{
	(void)state;
	static const char elsewhere[] = "50 24 0:30 /other /mnt/other rw - cgroup2 cgroup2 rw\n",
	                  alone[] = "51 24 0:30 /a/b /mnt/alone rw - cgroup2 cgroup2 rw\n";
	char mounts[1024];
	put("/mnt/other/memory.max", "1\n");
	put("/sys/fs/cgroup/a/memory.max", "80000000\n");
	put("/sys/fs/cgroup/a/b/memory.max", "90000000\n");
	put("/mnt/alone/memory.max", "90000000\n");
	snprintf(mounts, sizeof mounts, "%s%s%s", elsewhere, alone, V2_MOUNT);
	put_proc("0::/a/b\n", mounts);
	assert_int_equal(limits().memory, 80000000);
	snprintf(mounts, sizeof mounts, "%s%s%s", V2_MOUNT, alone, elsewhere);
	put_proc("0::/a/b\n", mounts);
	assert_int_equal(limits().memory, 80000000);
}

static void mount_points_may_have_any_name(void **state)
{
	(void)state;
	put_proc("0::/a b\n", "35 24 0:30 / /mnt/control\\040groups rw - cgroup2 none rw\n");
	put("/mnt/control groups/a b/memory.max", "80000000\n");
	assert_int_equal(limits().memory, 80000000);
}

static void a_group_that_was_removed_leaves_its_ancestors(void **state)
{
	(void)state;
	put_proc("0::/a/gone (deleted)\n", V2_MOUNT);
	put("/sys/fs/cgroup/a/memory.max", "80000000\n");
	assert_int_equal(limits().memory, 80000000);
}

static void what_is_no_number_limits_nothing(void **state)
{
	(void)state;
	static const char *const memory[] = {"",         "\n",   "max\n", "-1\n",      "12x\n",
	                                     "0x1000\n", " 5\n", "1e6",   "1000000.5", "99999999999999999999999999\n"};
	static const char *const quotas[] = {"",         "max",         "max max",       "100000", "100000 ",
	                                     "100000 0", "0 100000",    "-5 100000",     "a b",    "100000 -1",
	                                     "x 100000", "100000 100x", "100000x 100000"};
	put_proc("0::/\n", V2_MOUNT);
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
		put("/sys/fs/cgroup/memory.max", memory[i]);
		assert_true(limits().memory == CGROUP_UNLIMITED);
	}
	for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
		put("/sys/fs/cgroup/cpu.max", quotas[i]);
		assert_true(limits().processors == CGROUP_UNLIMITED);
	}
	put("/sys/fs/cgroup/cpu.max", "18446744073709551614 1\n");
	assert_true(limits().processors == UINT64_MAX - 1);
	put("/sys/fs/cgroup/memory.max", "0\n");
	assert_int_equal(limits().memory, 0);
}

static void lists_that_make_no_sense_limit_nothing(void **state)
{
	(void)state;
	static const char *const garbage[] = {
	    "",
	    "\n\n:\n::\n0:\n0::\n0::a\n",
	    "0",
	    " - \n - cgroup2\n1 2 3 4 - cgroup2 a b\n1 2 3 4 5 - cgroup2\n",
	    "1 2 3 relative /sys/fs/cgroup rw - cgroup2 a b\n1 2 3 / relative rw - cgroup2 a b\n",
	};
	put("/sys/fs/cgroup/memory.max", "5\n");
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
		put_proc(garbage[i], V2_MOUNT);
		assert_true(limits().memory == CGROUP_UNLIMITED);
		put_proc("0::/\n", garbage[i]);
		assert_true(limits().memory == CGROUP_UNLIMITED);
	}
}

static void lines_of_any_length_are_passed_over(void **state)
{
	(void)state;
	char *mounts = malloc(200000), *groups = malloc(200000);
	assert_true(mounts && groups);
	strcpy(mounts, "22 1 8:1 / / rw - overlay overlay lowerdir=");
	memset(mounts + strlen(mounts), 'x', 100000);
	strcpy(mounts + 100000, "\n" V2_MOUNT);
	strcpy(groups, "4:memory:/");
	memset(groups + 10, 'y', 100000);
	strcpy(groups + 100000, "\n0::/a\n");
	put_proc(groups, mounts);
	put("/sys/fs/cgroup/a/memory.max", "80000000\n");
	assert_int_equal(limits().memory, 80000000);
	free(mounts);
	free(groups);
}

/* What `check` finds in a child with a resource limit. */
static int in_child(int resource, rlim_t most, int (*check)(void))
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct rlimit limit = {most, most};
		_exit(setrlimit(resource, &limit) ? 99 : check());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int says_address_space(void)
{
	trawl_limits told;
	trawl_error error;
	trawl_get_limits(&told);
	error_set_memory(&error);
	return told.memory == 40000000 && told.memory_budget == 10000000 &&
	       strcmp(told.memory_limiter, "ulimit -v") == 0 &&
	       strstr(error.text, "40 MB of address space (ulimit -v)");
}

static int says_data(void)
{
	trawl_limits told;
	trawl_error error;
	trawl_get_limits(&told);
	error_set_memory(&error);
	return told.memory == 50000000 && strcmp(told.memory_limiter, "ulimit -d") == 0 &&
	       strstr(error.text, "50 MB of data (ulimit -d)");
}

static int has_a_least_budget(void)
{
	trawl_limits told;
	trawl_get_limits(&told);
	return told.memory == 1000 && told.memory_budget == (1 << 20);
}

static void resource_limits_are_obeyed_and_named(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its shadow takes more address space */
#endif
	assert_int_equal(in_child(RLIMIT_AS, 40000000, says_address_space), 1);
	assert_int_equal(in_child(RLIMIT_DATA, 50000000, says_data), 1);
	assert_int_equal(in_child(RLIMIT_DATA, 1000, has_a_least_budget), 1);
}

static void processors_are_those_of_the_affinity_mask(void **state)
{
	(void)state;
	cpu_set_t before, one;
	trawl_limits told;
	assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
	assert_in_range(limits_processors(), 1, CPU_COUNT(&before));
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
	trawl_get_limits(&told);
	assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
	assert_int_equal(told.processors, 1);
}

static void there_is_always_some_limit(void **state)
{
	(void)state;
	trawl_limits told;
	trawl_get_limits(&told);
	assert_true(told.memory > 0 && told.memory <= (uint64_t)sysconf(_SC_PHYS_PAGES) * 65536);
	assert_true(told.memory_budget >= told.memory / 4);
	assert_non_null(told.memory_limiter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(without_proc_nothing_is_limited, clear),
	    cmocka_unit_test_teardown(version_2_limits_by_max_and_high_of_each_ancestor, clear),
	    cmocka_unit_test_teardown(version_1_has_a_hierarchy_for_each_controller, clear),
	    cmocka_unit_test_teardown(both_versions_are_looked_at_where_both_are, clear),
	    cmocka_unit_test_teardown(a_container_sees_its_own_group_at_the_mount_point, clear),
	    cmocka_unit_test_teardown(a_group_outside_of_the_namespace_counts_as_the_mount_point, clear),
	    cmocka_unit_test_teardown(of_several_mounts_that_one_counts_which_shows_the_group, clear),
	    cmocka_unit_test_teardown(mount_points_may_have_any_name, clear),
	    cmocka_unit_test_teardown(a_group_that_was_removed_leaves_its_ancestors, clear),
	    cmocka_unit_test_teardown(what_is_no_number_limits_nothing, clear),
	    cmocka_unit_test_teardown(lists_that_make_no_sense_limit_nothing, clear),
	    cmocka_unit_test_teardown(lines_of_any_length_are_passed_over, clear),
	    cmocka_unit_test(resource_limits_are_obeyed_and_named),
	    cmocka_unit_test(processors_are_those_of_the_affinity_mask),
	    cmocka_unit_test(there_is_always_some_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
