/* base: the allocation hook, buffers, arenas, numbers in bytes, errors, the CPU level, files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "tests/scratch.h"
#include "tests/seed.h"

/* ---- memory ---- */

static int fail_no_more(void **state)
{
	(void)state;
	memory_fail_after(-1, false);
	return 0;
}

static bool allocation_works(void)
{
	void *p = memory_new(1);
	memory_free(p);
	return p != NULL;
}

static void hook_fails_exactly_the_chosen_allocation(void **state)
{
	(void)state;
	for (long n = 0; n < 5; n++) {
		memory_fail_after(n, false);
		for (long i = 0; i < 10; i++)
			assert_int_equal(allocation_works(), i != n);
	}
}

static void sticky_hook_fails_until_lifted(void **state)
{
	(void)state;
	memory_fail_after(2, true);
	for (int i = 0; i < 10; i++)
		assert_int_equal(allocation_works(), i < 2);
	memory_fail_after(-1, true);
	assert_true(allocation_works());
}

static void hook_reaches_every_way_to_allocate(void **state)
{
	(void)state;
	char *kept = memory_new(8);
	assert_non_null(kept);
	memcpy(kept, "trawled", 8);
	memory_fail_after(0, true);
	assert_null(memory_new(1));
	assert_null(memory_new_zeroed(1, 1));
	assert_null(memory_resize(kept, 1 << 20));
	assert_string_equal(kept, "trawled");
	struct arena arena = {0};
	assert_null(arena_new(&arena, 1));
	assert_int_equal(arena.used, 0);
	struct buffer buffer = {0};
	assert_false(buffer_append(&buffer, "x", 1));
	assert_int_equal(buffer.length, 0);
	memory_fail_after(-1, false);
	memory_free(kept);
}

static void allocations_of_nothing_are_not_failures(void **state)
{
	(void)state;
	void *a = memory_new(0), *b = memory_new_zeroed(0, 8), *c = memory_resize(NULL, 0);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	memory_free(a);
	memory_free(b);
	memory_free(c);
	memory_free(NULL);
}

static void zeroed_memory_is_zero_and_its_size_cannot_wrap(void **state)
{
	(void)state;
	unsigned char *p = memory_new_zeroed(100, 3);
	assert_non_null(p);
	for (int i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	memory_free(p);
	volatile size_t half = SIZE_MAX / 2; /* volatile: or the compiler warns that this cannot work */
	assert_null(memory_new_zeroed(half, 3));
}

static void reserve_keeps_what_was_there_and_grows_by_a_factor(void **state)
{
	(void)state;
	uint32_t *array = NULL;
	size_t capacity = 0, moves = 0;
	for (uint32_t i = 0; i < 100000; i++) {
		size_t before = capacity;
		assert_true(memory_reserve(&array, &capacity, i + 1, sizeof *array));
		assert_true(capacity > i);
		moves += capacity != before;
		array[i] = i;
	}
	for (uint32_t i = 0; i < 100000; i++)
		assert_int_equal(array[i], i);
	assert_true(moves < 40);
	memory_free(array);
}

static void reserve_loses_nothing_when_it_fails(void **state)
{
	(void)state;
	uint64_t *array = NULL;
	size_t capacity = 0;
	assert_true(memory_reserve(&array, &capacity, 1, sizeof *array));
	array[0] = 42;
	size_t before = capacity;
	assert_false(memory_reserve(&array, &capacity, SIZE_MAX / 4, sizeof *array));
	memory_fail_after(0, false);
	assert_false(memory_reserve(&array, &capacity, 1000, sizeof *array));
	assert_int_equal(capacity, before);
	assert_int_equal(array[0], 42);
	memory_free(array);
}

/* ---- buffer ---- */

static void buffer_holds_what_was_appended(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	for (int i = 0; i < 1000; i++) {
		assert_true(buffer_append(&buffer, "abc", 3));
		assert_true(buffer_append(&buffer, NULL, 0));
		assert_true(buffer_append_byte(&buffer, (uint8_t)i));
	}
	assert_int_equal(buffer.length, 4000);
	for (int i = 0; i < 1000; i++) {
		assert_memory_equal(buffer.data + 4 * i, "abc", 3);
		assert_int_equal(buffer.data[4 * i + 3], i & 0xff);
	}
	buffer_release(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.length + buffer.capacity, 0);
}

static void buffer_refuses_sizes_that_would_wrap(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	assert_true(buffer_append(&buffer, "abc", 3));
	assert_false(buffer_reserve(&buffer, SIZE_MAX));
	assert_false(buffer_reserve(&buffer, SIZE_MAX - 2));
	assert_int_equal(buffer.length, 3);
	assert_memory_equal(buffer.data, "abc", 3);
	buffer_release(&buffer);
}

static void buffer_is_unchanged_when_memory_runs_out(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	assert_true(buffer_append(&buffer, "abc", 3));
	while (buffer.length < buffer.capacity)
		assert_true(buffer_append_byte(&buffer, 'd'));
	size_t length = buffer.length;
	memory_fail_after(0, true);
	assert_false(buffer_append_byte(&buffer, 'e'));
	assert_false(buffer_append_varint(&buffer, 5));
	memory_fail_after(-1, false);
	assert_int_equal(buffer.length, length);
	assert_memory_equal(buffer.data, "abcd", 4);
	buffer_release(&buffer);
}

/* ---- arena ---- */

static void arena_gives_aligned_memory_that_does_not_overlap(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	static unsigned char *pieces[COUNT];
	static size_t sizes[COUNT];
	srand((unsigned)test_seed());
	struct arena arena = {0};
	for (int i = 0; i < COUNT; i++) {
		sizes[i] = (size_t)rand() % (i % 100 == 0 ? 200000 : 300);
		pieces[i] = arena_new(&arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], i & 0xff, sizes[i]);
	}
	for (int i = 0; i < COUNT; i++)
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(pieces[i][j], i & 0xff);
	arena_release(&arena);
	assert_null(arena.head);
	assert_int_equal(arena.used, 0);
}

static void arena_serves_requests_larger_than_its_blocks(void **state)
{
	(void)state;
	struct arena arena = {0};
	size_t large = (size_t)10 << 20;
	char *p = arena_new(&arena, large);
	assert_non_null(p);
	memset(p, 1, large);
	assert_true(arena.used >= large);
	assert_null(arena_new(&arena, SIZE_MAX));
	assert_null(arena_new(&arena, SIZE_MAX - 8));
	arena_release(&arena);
}

static bool fill_arena(struct arena *arena)
{
	for (int i = 0; i < 20; i++)
		if (!arena_new(arena, (size_t)1 << 20))
			return false;
	return true;
}

static void arena_in_steady_state_allocates_nothing(void **state)
{
	(void)state;
	struct arena arena = {0};
	assert_true(fill_arena(&arena));
	arena_reset(&arena);
	memory_fail_after(1, true); /* one block that holds what took several before */
	assert_true(fill_arena(&arena));
	arena_reset(&arena);
	memory_fail_after(0, true);
	for (int i = 0; i < 3; i++) {
		assert_true(fill_arena(&arena));
		arena_reset(&arena);
	}
	memory_fail_after(-1, false);
	arena_release(&arena);
	arena_reset(&arena);
	assert_null(arena.head);
}

static void arena_copy_copies(void **state)
{
	(void)state;
	struct arena arena = {0};
	char text[] = "herring";
	char *copy = arena_copy(&arena, text, sizeof text);
	text[0] = 'x';
	assert_string_equal(copy, "herring");
	assert_non_null(arena_copy(&arena, NULL, 0));
	arena_release(&arena);
}

/* ---- bytes ---- */

static size_t varint_write(struct buffer *buffer, uint64_t value)
{
	buffer->length = 0;
	assert_true(buffer_append_varint(buffer, value));
	return buffer->length;
}

static void check_round_trip(struct buffer *buffer, uint64_t value)
{
	size_t length = varint_write(buffer, value);
	const uint8_t *at = buffer->data;
	uint64_t read = ~value;
	assert_true(varint_read(&at, buffer->data + length, &read));
	assert_true(read == value);
	assert_ptr_equal(at, buffer->data + length);
}

static void varint_round_trips_around_every_power_of_two(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	for (unsigned bit = 0; bit < 64; bit++)
		for (int d = -2; d <= 2; d++)
			check_round_trip(&buffer, ((uint64_t)1 << bit) + (uint64_t)(int64_t)d);
	check_round_trip(&buffer, UINT64_MAX);
	buffer_release(&buffer);
}

static void varint_takes_seven_bits_a_byte(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	assert_int_equal(varint_write(&buffer, 0), 1);
	assert_int_equal(varint_write(&buffer, 127), 1);
	assert_int_equal(varint_write(&buffer, 128), 2);
	assert_memory_equal(buffer.data, "\x80\x01", 2);
	assert_int_equal(varint_write(&buffer, 300), 2);
	assert_memory_equal(buffer.data, "\xac\x02", 2);
	assert_int_equal(varint_write(&buffer, UINT64_MAX), 10);
	buffer_release(&buffer);
}

static void varint_rejects_every_truncation(void **state)
{
	(void)state;
	struct buffer buffer = {0};
	for (unsigned bit = 0; bit < 64; bit++) {
		size_t length = varint_write(&buffer, (uint64_t)1 << bit);
		for (size_t cut = 0; cut < length; cut++) {
			/* An exact copy, so that the address sanitizer sees a read past the end. */
			uint8_t *copy = malloc(cut + !cut);
			assert_non_null(copy);
			memcpy(copy, buffer.data, cut);
			const uint8_t *at = copy;
			uint64_t value;
			assert_false(varint_read(&at, copy + cut, &value));
			free(copy);
		}
	}
	buffer_release(&buffer);
}

static void varint_rejects_more_than_64_bits(void **state)
{
	(void)state;
	uint8_t bytes[16];
	uint64_t value;
	memset(bytes, 0xff, sizeof bytes);
	const uint8_t *at = bytes;
	assert_false(varint_read(&at, bytes + sizeof bytes, &value));
	bytes[9] = 0x02; /* the 65th bit */
	at = bytes;
	assert_false(varint_read(&at, bytes + sizeof bytes, &value));
	bytes[9] = 0x01;
	at = bytes;
	assert_true(varint_read(&at, bytes + sizeof bytes, &value));
	assert_true(value == UINT64_MAX);
	memset(bytes, 0x80, sizeof bytes); /* zero, eleven bytes long */
	bytes[10] = 0;
	at = bytes;
	assert_false(varint_read(&at, bytes + sizeof bytes, &value));
}

static void numbers_are_little_endian_at_any_address(void **state)
{
	(void)state;
	uint8_t bytes[16];
	for (size_t offset = 0; offset < 8; offset++) {
		memset(bytes, 0, sizeof bytes);
		store64(bytes + offset, UINT64_C(0x0102030405060708));
		assert_memory_equal(bytes + offset, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
		assert_true(load64(bytes + offset) == UINT64_C(0x0102030405060708));
		assert_int_equal(load32(bytes + offset), 0x05060708);
		assert_int_equal(load16(bytes + offset), 0x0708);
		store32(bytes + offset, 0xa0b0c0d0);
		store16(bytes + offset + 4, 0xe0f0);
		assert_memory_equal(bytes + offset, "\xd0\xc0\xb0\xa0\xf0\xe0\x02\x01", 8);
	}
}

/* The value published for XXH3-64 with seed 0 over no bytes: an index written with another hash would not be readable. */
static void hash_is_xxh3(void **state)
{
	(void)state;
	assert_true(hash_bytes("", 0) == UINT64_C(0x2d06800538d394c2));
	assert_true(hash_bytes("net", 3) != hash_bytes("ten", 3));
}

/* ---- error ---- */

static void error_carries_code_and_text(void **state)
{
	(void)state;
	trawl_error error;
	assert_int_equal(error_set(&error, TRAWL_ECORRUPT, "%s: page %d", "a.trawl", 7), TRAWL_ECORRUPT);
	assert_int_equal(error.code, TRAWL_ECORRUPT);
	assert_string_equal(error.text, "a.trawl: page 7");
	assert_int_equal(error_set(NULL, TRAWL_EINVAL, "unseen"), TRAWL_EINVAL);
	assert_int_equal(error_set_system(NULL, ENOENT, "unseen"), TRAWL_ENOTFOUND);
	assert_int_equal(error_set_memory(NULL), TRAWL_ENOMEM);
	assert_int_equal(error_set_memory(&error), TRAWL_ENOMEM);
	assert_string_equal(error.text, "out of memory");
}

static void the_code_of_a_failure_survives_a_null_error(void **state)
{
	(void)state;
	trawl_error seen;
	error_set(NULL, TRAWL_EIO, "unseen");
	assert_int_equal(error_code(NULL), TRAWL_EIO);
	error_set_memory(NULL);
	assert_int_equal(error_code(NULL), TRAWL_ENOMEM);
	error_set_system(NULL, ENOSPC, "unseen");
	assert_int_equal(error_code(NULL), TRAWL_EFULL);
	error_set(&seen, TRAWL_EBUSY, "seen");
	assert_int_equal(error_code(&seen), TRAWL_EBUSY);
	assert_int_equal(error_code(NULL), TRAWL_EFULL);
}

static void error_text_is_cut_to_fit_and_stays_one_line(void **state)
{
	(void)state;
	static char name[2000];
	trawl_error error;
	memset(name, 'n', sizeof name - 1);
	error_set(&error, TRAWL_EIO, "%s", name);
	assert_int_equal(strlen(error.text), sizeof error.text - 1);
	error_set_system(&error, EIO, "%s", name);
	assert_int_equal(strlen(error.text), sizeof error.text - 1);
	error_set(&error, TRAWL_EINPUT, "%s", "a\nb\x1b[31mc\x7f\td");
	assert_string_equal(error.text, "a?b?[31mc??d");
	error_set_system(&error, EACCES, "%s", "a\nb");
	assert_non_null(strstr(error.text, "a?b: "));
	assert_null(strchr(error.text, '\n'));
}

static void system_errors_have_the_documented_codes(void **state)
{
	(void)state;
	static const struct {
		int number, code;
	} cases[] = {{ENOSPC, TRAWL_EFULL},     {EDQUOT, TRAWL_EFULL}, {ENOMEM, TRAWL_ENOMEM},
	             {ENOENT, TRAWL_ENOTFOUND}, {EACCES, TRAWL_EIO},   {EIO, TRAWL_EIO}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		trawl_error error;
		assert_int_equal(error_set_system(&error, cases[i].number, "open x"), cases[i].code);
		assert_int_equal(error.code, cases[i].code);
		assert_memory_equal(error.text, "open x: ", 8);
		assert_string_equal(error.text + 8, strerror(cases[i].number));
	}
}

static void every_status_has_a_name_of_its_own(void **state)
{
	(void)state;
	const char *unknown = trawl_status_name(12345);
	for (int a = TRAWL_OK; a >= TRAWL_ESTOPPED; a--) {
		assert_string_not_equal(trawl_status_name(a), unknown);
		for (int b = a - 1; b >= TRAWL_ESTOPPED; b--)
			assert_string_not_equal(trawl_status_name(a), trawl_status_name(b));
	}
	assert_string_equal(trawl_status_name(TRAWL_ESTOPPED - 1), unknown);
	assert_string_equal(trawl_version(), TRAWL_VERSION);
}

/* ---- cpu ---- */

static void cpu_level_is_never_above_what_the_machine_has(void **state)
{
	(void)state;
	assert_in_range(cpu_level_available(), CPU_SCALAR, CPU_AVX512);
	assert_in_range(cpu_level(), CPU_SCALAR, cpu_level_available());
	assert_string_equal(trawl_kernel_name(), cpu_level_name(cpu_level()));
	assert_string_equal(cpu_level_name(CPU_SCALAR), "scalar");
	assert_string_equal(cpu_level_name(CPU_AVX2), "avx2");
	assert_string_equal(cpu_level_name(CPU_AVX512), "avx512");
}

/* ---- files ---- */

static void file_reads_all_but_past_the_end(void **state)
{
	(void)state;
	char bytes[8];
	const char *path = scratch_path("file");
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(file >= 0);
	assert_int_equal(file_write_all(file, "trawl", 5), 0);
	assert_int_equal(file_write_all(file, "ers", 3), 0);
	assert_int_equal(file_read_at(file, bytes, 8, 0), 8);
	assert_memory_equal(bytes, "trawlers", 8);
	assert_int_equal(file_read_at(file, bytes, 8, 5), 3);
	assert_memory_equal(bytes, "ers", 3);
	assert_int_equal(file_read_at(file, bytes, 8, 8), 0);
	close(file);
	assert_int_equal(file_read_at(file, bytes, 8, 0), -EBADF);
	assert_int_equal(file_write_all(file, bytes, 8), EBADF);
	file = open(path, O_RDONLY);
	assert_int_equal(file_write_all(file, bytes, 8), EBADF);
	close(file);
}

static void file_writes_all_of_it_to_a_pipe(void **state)
{
	(void)state;
	static uint8_t sent[1 << 20], got[1 << 20];
	int ends[2], status;
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 2654435761u >> 24);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(file_write_all(ends[1], sent, sizeof sent));
	close(ends[1]);
	size_t done = 0;
	for (ssize_t read_now; (read_now = read(ends[0], got + done, sizeof got - done)) > 0;)
		done += (size_t)read_now;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(done, sizeof sent);
	assert_memory_equal(got, sent, sizeof sent);
}

static void names_beside_a_path_are_never_cut_to_another(void **state)
{
	(void)state;
	static char path[2 * PATH_MAX];
	char name[BESIDE_BYTES];
	assert_string_equal(path_beside("/a/notes.trawl", LOCK_SUFFIX, name), "/a/notes.trawl-lock");
	for (size_t length = PATH_MAX - 16; length < sizeof path; length += length < PATH_MAX + 16 ? 1 : 1000) {
		memset(path, 'a', length);
		path[length] = 0;
		path_beside(path, "-compact-lock", name);
		bool whole = strlen(name) == length + strlen("-compact-lock");
		assert_true(whole || strlen(name) >= PATH_MAX);
		assert_true(whole || (access(name, F_OK) != 0 && errno == ENAMETOOLONG));
	}
}

static void remove_beside_removes_that_file_alone(void **state)
{
	(void)state;
	char path[1024], name[BESIDE_BYTES];
	snprintf(path, sizeof path, "%s", scratch_path("kept"));
	close(open(path, O_RDWR | O_CREAT, 0600));
	close(open(path_beside(path, "-new", name), O_RDWR | O_CREAT, 0600));
	assert_int_equal(access(name, F_OK), 0);
	remove_beside(path, "-new");
	assert_int_not_equal(access(name, F_OK), 0);
	remove_beside(path, "-new");
	assert_int_equal(access(path, F_OK), 0);
}

static void folder_of_a_path(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
	    {"notes", "."}, {"/notes", "/"}, {"a/notes", "a/"}, {"/a/b/notes", "/a/b/"}, {"./notes", "./"}};
	char folder[PATH_MAX], path[PATH_MAX + 1];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(path_folder(cases[i][0], folder), 0);
		assert_string_equal(folder, cases[i][1]);
	}
	memset(path, 'a', PATH_MAX);
	path[PATH_MAX] = 0;
	path[PATH_MAX - 3] = '/';
	assert_int_equal(path_folder(path, folder), 0);
	assert_int_equal(strlen(folder), PATH_MAX - 2);
	path[PATH_MAX - 3] = 'a';
	path[PATH_MAX - 2] = '/';
	assert_int_equal(path_folder(path, folder), ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(hook_fails_exactly_the_chosen_allocation, fail_no_more),
	    cmocka_unit_test_teardown(sticky_hook_fails_until_lifted, fail_no_more),
	    cmocka_unit_test_teardown(hook_reaches_every_way_to_allocate, fail_no_more),
	    cmocka_unit_test(allocations_of_nothing_are_not_failures),
	    cmocka_unit_test(zeroed_memory_is_zero_and_its_size_cannot_wrap),
	    cmocka_unit_test(reserve_keeps_what_was_there_and_grows_by_a_factor),
	    cmocka_unit_test_teardown(reserve_loses_nothing_when_it_fails, fail_no_more),
	    cmocka_unit_test(buffer_holds_what_was_appended),
	    cmocka_unit_test(buffer_refuses_sizes_that_would_wrap),
	    cmocka_unit_test_teardown(buffer_is_unchanged_when_memory_runs_out, fail_no_more),
	    cmocka_unit_test(arena_gives_aligned_memory_that_does_not_overlap),
	    cmocka_unit_test(arena_serves_requests_larger_than_its_blocks),
	    cmocka_unit_test_teardown(arena_in_steady_state_allocates_nothing, fail_no_more),
	    cmocka_unit_test(arena_copy_copies),
	    cmocka_unit_test(varint_round_trips_around_every_power_of_two),
	    cmocka_unit_test(varint_takes_seven_bits_a_byte),
	    cmocka_unit_test(varint_rejects_every_truncation),
	    cmocka_unit_test(varint_rejects_more_than_64_bits),
	    cmocka_unit_test(numbers_are_little_endian_at_any_address),
	    cmocka_unit_test(hash_is_xxh3),
	    cmocka_unit_test(error_carries_code_and_text),
	    cmocka_unit_test(the_code_of_a_failure_survives_a_null_error),
	    cmocka_unit_test(error_text_is_cut_to_fit_and_stays_one_line),
	    cmocka_unit_test(system_errors_have_the_documented_codes),
	    cmocka_unit_test(every_status_has_a_name_of_its_own),
	    cmocka_unit_test(cpu_level_is_never_above_what_the_machine_has),
	    cmocka_unit_test(file_reads_all_but_past_the_end),
	    cmocka_unit_test(file_writes_all_of_it_to_a_pipe),
	    cmocka_unit_test(names_beside_a_path_are_never_cut_to_another),
	    cmocka_unit_test(remove_beside_removes_that_file_alone),
	    cmocka_unit_test(folder_of_a_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
