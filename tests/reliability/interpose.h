/*
 * interpose.h - stand between a program and the system calls that change files, to count, fail, record or kill.
 *
 * interpose.c is linked into the fault harness, where children of a fork obey `fault_plan`, and is a library to be
 * preloaded into any program, which obeys the environment:
 *
 *   FAULT_FOLDER    only calls on files in this folder, named by its absolute path, count
 *   FAULT_CALLS     the calls that count: names joined by commas; or "change" for all that change something
 *   FAULT_AT        the number of the call that is struck, from 1
 *   FAULT_KILL      "before" or "after": the struck call is the process's last
 *   FAULT_ERROR     an errno: the struck call fails with it; or "short": it writes or reads a part of its bytes
 *   FAULT_TIMES     how many calls are struck, one after the other: 1 unless said, 0: all that follow
 *   FAULT_COUNTERS  a file that outlives the process, ending in two u64: calls counted, calls struck
 *   FAULT_LOG       a file to which every change is appended as a `struct fault_record`
 *   FAULT_NAMELESS  "no": files without a name cannot be made
 *   FAULT_MALLOC    the number of the malloc, calloc or realloc that is struck instead of a system call
 */
#ifndef TRAWL_TESTS_RELIABILITY_INTERPOSE_H
#define TRAWL_TESTS_RELIABILITY_INTERPOSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_call {
	CALL_OPEN,
	CALL_CREATE, /* open with O_CREAT of a file that is not there; mkostemp */
	CALL_READ,
	CALL_PREAD,
	CALL_MMAP,
	CALL_WRITE,
	CALL_PWRITE,
	CALL_WRITEV,
	CALL_PWRITEV,
	CALL_FSYNC,
	CALL_FDATASYNC,
	CALL_MSYNC,
	CALL_FTRUNCATE,
	CALL_RENAME,
	CALL_LINK,
	CALL_UNLINK,
	CALL_COUNT
};

#define CALLS_CHANGE                                                                                                   \
	(1u << CALL_CREATE | 1u << CALL_WRITE | 1u << CALL_PWRITE | 1u << CALL_WRITEV | 1u << CALL_PWRITEV |           \
	 1u << CALL_FSYNC | 1u << CALL_FDATASYNC | 1u << CALL_MSYNC | 1u << CALL_FTRUNCATE | 1u << CALL_RENAME |       \
	 1u << CALL_LINK | 1u << CALL_UNLINK)

enum fault_kill { KILL_NOT, KILL_BEFORE, KILL_AFTER };

struct fault_plan {
	char folder[512];
	uint32_t calls; /* a bit for each enum fault_call */
	uint64_t at;    /* 0: none is struck */
	enum fault_kill kill;
	int error;        /* errno; 0 and not `cut`: no failure */
	bool cut;         /* a short write or read */
	uint64_t times;   /* calls struck from there on; 0: all */
	bool no_nameless; /* the file system knows no files without a name (O_TMPFILE) */
	int log;          /* descriptor, or -1 */
	atomic_ulong counted, struck;
};

/* The plan in force; the harness points it to memory that it shares with its children. */
extern struct fault_plan *fault_plan;

/* ---- the log of changes ---- */

enum fault_change {
	CHANGE_CREATE = 1,
	CHANGE_WRITE,
	CHANGE_SYNC,
	CHANGE_TRUNCATE,
	CHANGE_RENAME,
	CHANGE_LINK,
	CHANGE_UNLINK
};

struct fault_record {
	uint32_t change;
	uint32_t durable; /* CHANGE_WRITE through O_SYNC or O_DSYNC: on the disk when it returns */
	uint64_t inode;
	uint64_t offset; /* of a write; the size of a truncation */
	uint64_t bytes;  /* that follow: what was written; or a name within the folder, with its NUL, or two of them */
};

#endif
