/* Index files come into being whole, on file systems that LMDB can live with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/create.h"
#include "tests/scratch.h"
#include "trawl.h"

static trawl_error error;

static void put_file(const char *path, const char *bytes)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(bytes, file);
	fclose(file);
}

static void network_file_systems_are_told_from_local_ones(void **state)
{
	(void)state;
	static const uint64_t shared[] = {0x6969, 0x517B, 0xFE534D42, 0xFF534D42, 0x00C36400, 0x5346414F};
	/* ext4, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS, and FUSE, which may be either */
	static const uint64_t local[] = {0xEF53,     0x58465342, 0x9123683E, 0x01021994,
	                                 0x794C7630, 0x2FC12FC1, 0xF2F52010, 0x65735546};
	for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
		assert_true(file_system_is_shared(shared[i]));
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		assert_false(file_system_is_shared(local[i]));
}

static void a_new_file_has_both_first_pages_and_no_other_name(void **state)
{
	(void)state;
	struct stat status;
	const char *path = scratch_path("x.trawl"), *half = scratch_path("x.trawl-new");
	assert_int_equal(create_file(path, &error), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_nlink, 1);
	assert_true(status.st_size >= 2 * 4096);
	assert_int_equal(access(half, F_OK), -1);
}

static void what_a_killed_creator_left_is_in_nobody_s_way(void **state)
{
	(void)state;
	const char *path = scratch_path("x.trawl"), *half = scratch_path("x.trawl-new");
	put_file(half, "the beginning of somethi");
	assert_int_equal(create_file(path, &error), 0);
	assert_int_equal(access(half, F_OK), -1);
	trawl_writer *writer;
	assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), 0);
	assert_int_equal(trawl_writer_commit(writer, &error), 0);
	trawl_writer_close(writer);
}

static void a_file_that_is_there_stays(void **state)
{
	(void)state;
	char bytes[32] = "";
	const char *path = scratch_path("x.trawl");
	put_file(path, "somebody's letters");
	assert_int_equal(create_file(path, &error), 0);
	FILE *file = fopen(path, "r");
	assert_non_null(fgets(bytes, sizeof bytes, file));
	fclose(file);
	assert_string_equal(bytes, "somebody's letters");
}

static void processes_that_create_one_file_get_one_file(void **state)
{
	(void)state;
	enum { PROCESSES = 8 };
	const char *path = scratch_path("x.trawl");
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			_exit(create_file(path, &error) != 0);
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	trawl_writer *writer;
	assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), 0);
	trawl_writer_close(writer);
}

static void a_writer_removes_what_killed_ones_left(void **state)
{
	(void)state;
	const char *path = scratch_path("x.trawl"), *run = scratch_path("x.trawl-run");
	const char *half = scratch_path("x.trawl-new");
	assert_int_equal(create_file(path, &error), 0);
	put_file(run, "a run");
	put_file(half, "a file");
	trawl_writer *writer;
	assert_int_equal(trawl_writer_open(&writer, path, NULL, &error), 0);
	assert_int_equal(access(run, F_OK), -1);
	assert_int_equal(access(half, F_OK), -1);
	trawl_writer_close(writer);
}

static void a_folder_that_is_missing_is_named(void **state)
{
	(void)state;
	char path[1100];
	snprintf(path, sizeof path, "%s/x.trawl", scratch_path("missing"));
	assert_true(create_file(path, &error) < 0);
	assert_non_null(strstr(error.text, "missing/x.trawl"));
}

static void files_in_this_folder_and_in_the_root_have_folders_too(void **state)
{
	(void)state;
	char here[1024], *long_path = malloc(PATH_MAX + 100);
	assert_non_null(getcwd(here, sizeof here));
	put_file(scratch_path("file"), "");
	assert_int_equal(chdir(dirname(strcpy(long_path, scratch_path("file")))), 0);
	assert_int_equal(create_file("plain", &error), 0);
	assert_int_equal(access(scratch_path("plain"), F_OK), 0);
	assert_int_equal(check_file_system("absent", &error), 0);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(sync_folder("/absent"), 0);
	memset(long_path, 'x', PATH_MAX + 99);
	long_path[PATH_MAX + 99] = 0;
	long_path[PATH_MAX + 90] = '/';
	assert_int_equal(sync_folder(long_path), ENAMETOOLONG);
	assert_int_equal(check_file_system(long_path, &error), 0); /* opening it tells */
	assert_int_equal(create_file(long_path, &error), TRAWL_EIO);
	free(long_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(network_file_systems_are_told_from_local_ones, clear),
	    cmocka_unit_test_teardown(a_new_file_has_both_first_pages_and_no_other_name, clear),
	    cmocka_unit_test_teardown(what_a_killed_creator_left_is_in_nobody_s_way, clear),
	    cmocka_unit_test_teardown(a_file_that_is_there_stays, clear),
	    cmocka_unit_test_teardown(processes_that_create_one_file_get_one_file, clear),
	    cmocka_unit_test_teardown(a_writer_removes_what_killed_ones_left, clear),
	    cmocka_unit_test_teardown(a_folder_that_is_missing_is_named, clear),
	    cmocka_unit_test_teardown(files_in_this_folder_and_in_the_root_have_folders_too, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
