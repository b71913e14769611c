/*
 * trawl.h - the one public header of libtrawl, a full-text search engine.
 *
 * The library indexes documents into one file (docs/FORMAT.md) and answers ranked BM25 queries from it.
 *
 *   trawl_source    yields documents from files, folders, streams (optional: documents may come from anywhere)
 *   trawl_writer    adds or replaces documents, and commits them atomically; one per file at a time
 *   trawl_index     one immutable snapshot of an index file; shared by threads; trawl_reopen gives the newest one
 *   trawl_searcher  evaluates queries against a trawl_index; one per thread; owns its results
 *
 * Rules that hold for every call
 *   - Functions that can fail return 0 (TRAWL_OK) or a negative TRAWL_E... code, and then describe the failure in
 *     the `trawl_error` they were given (which may be NULL). The library never prints, exits or aborts on input.
 *   - Strings are UTF-8, passed as pointer and length in bytes; they need no terminating NUL and may contain NULs.
 *   - Handles are opaque and owned by the caller until the matching _close or _free, which accept NULL.
 *   - A handle may be used by one thread at a time, except trawl_index, which any number of threads may share.
 *   - Never use a handle in a child process after fork(): open the file again there.
 *   - Reading needs permission to read the file, and nothing else; a reader never waits for a writer, nor a writer for a reader.
 *   - A program may open, read and close the index file itself, beside the library: no lock goes with that. It must not write to it.
 *   - A process may run with its standard descriptors closed: the library puts nothing on 0, 1 and 2.
 */
#ifndef TRAWL_H
#define TRAWL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TRAWL_API __attribute__((visibility("default")))
#else
#define TRAWL_API
#endif

#define TRAWL_VERSION "0.1.0"

/* ---- errors ---------------------------------------------------------------------------------------------------- */

enum trawl_status {
	TRAWL_OK = 0,
	TRAWL_EINVAL = -1,    /* an argument or option makes no sense */
	TRAWL_ENOMEM = -2,    /* memory ran out; nothing was half done */
	TRAWL_EIO = -3,       /* the operating system refused a read or write */
	TRAWL_ENOTFOUND = -4, /* no such file, document or term */
	TRAWL_ENOTINDEX = -5, /* the file is not a trawl index */
	TRAWL_EVERSION = -6,  /* written by a trawl of another format, mostly a newer one */
	TRAWL_ECORRUPT = -7,  /* stored bytes do not verify; the text names the place */
	TRAWL_EBUSY = -8,     /* another process is writing to the index */
	TRAWL_EFULL = -9,     /* the disk is full; the last commit is intact */
	TRAWL_ELIMIT = -10,   /* a documented limit was passed */
	TRAWL_EINPUT = -11,   /* a document or line cannot be read as its format says */
	TRAWL_ESTOPPED = -12  /* the caller's trawl_wait said so */
};

typedef struct trawl_error {
	int code;       /* TRAWL_OK or a TRAWL_E... code */
	char text[504]; /* one line, NUL-terminated, naming the place and the remedy; "" when code is 0 */
} trawl_error;

/* "corrupt", "disk full", ...: a short English name of a status. Static storage. */
TRAWL_API const char *trawl_status_name(int status);

/* The version of the library in use, as "major.minor.patch". Static storage. */
TRAWL_API const char *trawl_version(void);

/* The instruction set of the kernels in use: "scalar", "avx2" or "avx512". The environment variable TRAWL_KERNEL
 * forces one; where the processor lacks it, the functions that open an index fail with TRAWL_EINVAL. Static storage. */
TRAWL_API const char *trawl_kernel_name(void);

/* ---- what this process may use ---------------------------------------------------------------------------------- */

typedef struct trawl_limits {
	uint64_t
	    memory; /* bytes: the least of the RAM and of what control groups (version 1 and 2) and ulimit -v and -d allow */
	const char
	    *memory_limiter;  /* which of them: "RAM", "control group", "ulimit -v" or "ulimit -d". Static storage. */
	size_t memory_budget; /* a writer's, where options do not say: a quarter of that, at least 1 MiB */
	unsigned
	    processors; /* those that it may run on, and no more than the control group's quota of processor time pays for */
} trawl_limits;

/* Limits as they are now: some small files of /proc and /sys are read. What cannot be read is taken not to limit. */
TRAWL_API void trawl_get_limits(trawl_limits *limits);

/* ---- analysis: text -> terms ----------------------------------------------------------------------------------- */

typedef struct trawl_analysis {
	const char *language; /* a Snowball algorithm: "english" (default when NULL), "german", ...; or "none" */
	bool stop_words;      /* drop the language's stop words (positions keep their gaps) */
	bool fold_diacritics; /* "café" finds "cafe": drop combining marks after decomposition */
} trawl_analysis;

/* The languages that `trawl_analysis.language` accepts, ending in NULL. Static storage. */
TRAWL_API const char *const *trawl_languages(void);

/* ---- documents and where they come from ------------------------------------------------------------------------ */

typedef struct trawl_document {
	const char *id; /* unique within an index; any bytes, 1 to 4096 of them */
	size_t id_length;
	const char *title; /* searched together with text: its tokens come first, the text's follow on */
	size_t title_length;
	const char *text;
	size_t text_length;
	/* Further stored fields as the text of one JSON object, or empty. The name "_trawl" is reserved: `trawl index` puts there, as the
	 * first member, the file that a document came from; and a source takes what `trawl export` wrote there (docs/trawl.1). */
	const char *fields;
	size_t fields_length;
} trawl_document;

enum trawl_format {
	/* By content, then by name. What begins with '{' and a name, or with '[' and '{', is JSON: on standard input, in pipes and
	 * where it is named *.jsonl, *.ndjson or *.json; in other files, if its first object is a document, with an id. */
	TRAWL_FORMAT_AUTO,
	TRAWL_FORMAT_TEXT, /* one document a file; the path is the id, the first line the title */
	TRAWL_FORMAT_JSONL /* JSON objects: one a line, elements of an array, over several lines, or one behind the other */
};

/* What a source says of a file, line or object. */
enum trawl_notice {
	/* It was skipped. */
	TRAWL_SKIPPED_UNREADABLE, /* the system refused to open or to read it */
	TRAWL_SKIPPED_EMPTY,      /* it has nothing but white space */
	TRAWL_SKIPPED_BINARY,     /* it is no text; the message says what it is, and what to do */
	TRAWL_SKIPPED_DAMAGED, /* it is cut off or corrupt: what was before that is yielded, what was behind it is lost */
	TRAWL_SKIPPED_LARGE,   /* it passes a limit */
	TRAWL_SKIPPED_MALFORMED, /* it is not what its format says */
	TRAWL_SKIPPED_INDEX,     /* it belongs to an index: to `index_path`, or to one that this process has open */
	TRAWL_SKIPPED_LINK,      /* it is a symbolic link to a folder */
	/* It was taken. */
	TRAWL_NOTED_TRAILING, /* bytes behind the end of compressed data were passed over */
	TRAWL_NOTED_ENCODING, /* it is not UTF-8, and was read as windows-1252 */
	TRAWL_NOTED_REPLACED, /* bytes that are no characters became U+FFFD */
	TRAWL_NOTED_NO_TEXT, /* a document without the field for the text has one that looks like it: the message names it */
	TRAWL_NOTED_NO_WORD, /* nor has the document a letter or digit anywhere else that is searched */
	TRAWL_NOTICES        /* their number */
};

/* Called for each of them. `place` is "file", "file:line" or "file:line:column". */
typedef void trawl_diagnostic(void *context, enum trawl_notice notice, const char *place, const char *message);

/* "unreadable", "empty", ...: a short English name. Static storage. */
TRAWL_API const char *trawl_notice_name(enum trawl_notice notice);

/* Called before each read from a pipe, a terminal or the like, to wait until `descriptor` has something to read or is at its end (as
 * poll() tells). What it returns other than 0 ends the reading: trawl_source_next fails with TRAWL_ESTOPPED. */
typedef int trawl_wait(void *context, int descriptor);

/* What became of a file that a source has done with, as far as documents are concerned that came from it earlier. */
enum trawl_file_outcome {
	TRAWL_FILE_READ,  /* it was read to its end, and all that is in it was yielded */
	TRAWL_FILE_EMPTY, /* it is there and has no text: empty, binary, or of the index itself */
	TRAWL_FILE_UNREAD /* it could not be read, or not all of it: what it holds is not known. Also of a folder */
};
typedef void trawl_file_done(void *context, const char *path, enum trawl_file_outcome outcome);

typedef struct trawl_source_options {
	enum trawl_format format;
	const char *id_field; /* JSON field names; NULL: "id" (or "_id" where there is none), "title", "text" */
	const char *title_field;
	const char *text_field;
	/* A JSON object without an id is "file:line", or "file:line:column" where something is before it on its line. */
	bool auto_id;
	/* iconv's name of the encoding of files that have no byte order mark. NULL: they are UTF-8; a text file, or a line of JSON, that is
	 * not is read as windows-1252 if it looks like that, else its invalid bytes become U+FFFD; either way it is noted. */
	const char *encoding;
	/* The first bad line or file is an error instead of being skipped; but empty and binary files in a folder are passed over. */
	bool strict;
	trawl_diagnostic *diagnostic; /* may be NULL */
	void *diagnostic_context;
	trawl_wait *wait; /* NULL: wait as long as it takes */
	void *wait_context;
	/* The paths are entries found in folders: passed over when they are gone, or binary, or neither file nor folder, as if
	 * their folder were walked. */
	bool found;
	const char *const *found_below; /* the folders that these were found below, ending in NULL; or NULL */
	/* The index that the documents go to, or NULL: it is never read, nor is what belongs to it beside it (INDEX-lock, INDEX-new,
	 * INDEX-run, INDEX-compact), by whatever name: files are told by device and inode. Named, it is told to `diagnostic`; found
	 * in a folder, it is only counted. The lock files of all indexes that this process has open are left out in any case. Never
	 * open and close such a file yourself: that drops the locks by which LMDB knows the readers and the writer of this process. */
	const char *index_path;
	const char *const
	    *exclude; /* globs of what to leave out, ending in NULL; or NULL: see trawl_source_passes_over */
	bool
	    follow; /* symbolic links to folders are read as folders, each folder once; else they are told and skipped */
	trawl_file_done *file_done; /* may be NULL */
	void *file_done_context;
	/* The writer's, where it is bounded: a line or file of more than a 32nd of it (1 MiB at least) is skipped, for a document takes
	 * several times its length while it is analysed. 0: of more than 256 MiB and 1 GiB, or a 32nd of what a control group
	 * or ulimit lets the process use. */
	size_t memory_budget;
} trawl_source_options;

typedef struct trawl_source_progress {
	uint64_t documents;   /* yielded so far */
	uint64_t files;       /* opened so far */
	uint64_t bytes;       /* read so far, as stored (compressed) */
	uint64_t total_bytes; /* of all inputs as stored; 0 when unknown (a pipe) */
	uint64_t text_bytes;  /* read so far, decompressed */
	uint64_t skipped;     /* bad lines and files so far */
	uint64_t
	    left_out; /* entries of folders that are excluded, backups, or of the index; what is hidden is not counted */
} trawl_source_progress;

typedef struct trawl_source trawl_source;

/* A source over `count` paths in order: files, folders (walked recursively in byte order of the names; hidden entries and
 * backups, name~ and #name#, skipped), "-" for standard input. Each may be compressed with gzip or zstd, and be UTF-8, or UTF-16 or
 * UTF-32 with a byte order mark. Binary files are skipped, but for those that are named and have a format other than AUTO. The
 * strings are copied, but for lists in the options. Paths get their normal form, so that a file has one id however its folder is spelled.
 * A path that does not exist is TRAWL_ENOTFOUND at once; whatever is found unreadable later is skipped, unless strict. */
TRAWL_API int trawl_source_open(trawl_source **out, const char *const *paths, size_t count,
                                const trawl_source_options *options, trawl_error *error);

/* The next document: 1 and `*document` (its pointers live until the next call), 0 at the end, negative on error. */
TRAWL_API int trawl_source_next(trawl_source *source, trawl_document *document, trawl_error *error);

/* The file, in its normal form, that the last document came from; NULL: from standard input. Lives as long as the source. */
TRAWL_API const char *trawl_source_file(const trawl_source *source);

/* Who cannot read all of the files (as found when the source was opened) and look into the folders walked: what is made of them
 * should not be readable by these. */
typedef struct trawl_source_access {
	bool others_denied;
	bool group_denied;  /* the members of a file's group */
	bool many_groups;   /* files that not all others may read are of several groups, */
	unsigned int group; /* or of this one */
} trawl_source_access;
TRAWL_API void trawl_source_get_access(const trawl_source *source, trawl_source_access *access);

/* Write the normal form of a path, as the ids of files have it, to `out`, which has room for strlen(path) + 2 bytes: "a//b", "./a/b"
 * and "a/b/" are "a/b", and so is "a/c/../b" if a/c is a folder and no link to one. An absolute path stays absolute. */
TRAWL_API void trawl_normal_path(const char *path, char *out);

/* Whether a walk of the folder `root` would pass over `path` below it, both in their normal forms, for its name or a folder's above
 * it: hidden, a backup, or excluded. A glob of `options->exclude` (fnmatch) without a slash is for names at any depth, one with a
 * slash for paths below the root, or whole ones; ** goes over slashes, a slash at the end is for folders only. */
TRAWL_API bool trawl_source_passes_over(const trawl_source_options *options, const char *root, const char *path,
                                        bool is_folder);

TRAWL_API void trawl_source_get_progress(const trawl_source *source, trawl_source_progress *progress);
TRAWL_API void trawl_source_close(trawl_source *source);

/* ---- writing --------------------------------------------------------------------------------------------------- */

enum trawl_order {
	TRAWL_ORDER_AUTO,   /* similar for a commit of 65,536 documents or more, as added for a smaller one */
	TRAWL_ORDER_INPUT,  /* as they were added */
	TRAWL_ORDER_SIMILAR /* similar ones are neighbours: smaller and faster, slower to build */
};

#define TRAWL_THREADS_MAX 256

/* Called now and then, in the thread of the caller: `done` of `total` of what is going on, of which `stage` is under way ("extents",
 * "writing terms", ...; static or short-lived). Of a writer: each segment written, merge or copy of the file goes from 0 to
 * `total`, in steps of about the same time. It must not use the handle that calls it. */
typedef void trawl_progress_function(void *context, const char *stage, uint64_t done, uint64_t total);

typedef struct trawl_writer_options {
	trawl_analysis analysis; /* for a new index; for an existing one it must agree or be left zero */
	size_t
	    memory_budget; /* bytes of resident memory, kept to from 64 MiB on; at least 1 MiB; 0: a quarter of what the process may use, see trawl_limits */
	bool wait;         /* wait for another writer to finish instead of TRAWL_EBUSY */
	bool no_positions; /* smaller index without phrases and distances; for a new index only */
	bool
	    bigrams; /* lists of frequent bigrams, two words side by side: phrases many times faster, a larger index; for a new index only */
	enum trawl_order order; /* of a commit's documents in the index; hits and scores are the same but for ties */
	unsigned
	    threads;   /* at work; 0: as many as trawl_limits.processors. What is written is the same for any number */
	bool compare;  /* a document that comes again is unchanged if its bytes are, not if their hashes are */
	bool any_file; /* and if only the file differs that `trawl index` has noted in its fields */
	bool no_merge; /* commits leave segments as they are: each adds one, and searches get slower */
	trawl_progress_function
	    *progress; /* of commits, merges, and segments written while documents are added; may be NULL */
	void *progress_context;
} trawl_writer_options;

typedef struct trawl_writer_stats {
	uint64_t added;      /* documents with an id not seen before */
	uint64_t replaced;   /* documents that took the place of an older one with the same id */
	uint64_t unchanged;  /* documents with the stored one's content hash: nothing was written for them */
	uint64_t tokens;     /* of the documents added or replaced; complete after a commit */
	uint64_t text_bytes; /* title and text of these */
	uint64_t runs;       /* times the memory budget made the batch spill */
	uint64_t deleted;    /* by trawl_writer_delete */
	uint64_t
	    commits; /* that are durable, without those of merges: also one after which only merging or reopening failed */
	uint64_t segment_bytes;    /* of the segments that commits have made of these */
	uint64_t merges;           /* of segments into one, see trawl_writer_commit */
	uint64_t merge_bytes;      /* of the segments that these have made */
	uint64_t merges_failed;    /* for want of room on the disk or memory, as compactions; the commit was done */
	uint64_t compactions;      /* of the file after a commit, see trawl_writer_commit */
	uint64_t compaction_bytes; /* of the files that these have made */
} trawl_writer_stats;

typedef struct trawl_writer trawl_writer;

/* Open `path` for writing; the file is created when it does not exist. The writer owns the index's writer lock.
 * There is one writer of a file at a time; readers beside it, in this process and in others, see the last commit. */
TRAWL_API int trawl_writer_open(trawl_writer **out, const char *path, const trawl_writer_options *options,
                                trawl_error *error);

/* Add `document`, or replace the one with the same id. TRAWL_ELIMIT or TRAWL_EINPUT refuse this one document and leave
 * the batch usable; any other error ends the batch, and only _close remains. */
TRAWL_API int trawl_writer_add(trawl_writer *writer, const trawl_document *document, trawl_error *error);

/* Delete the document with this id; TRAWL_ENOTFOUND when there is none. */
TRAWL_API int trawl_writer_delete(trawl_writer *writer, const char *id, size_t id_length, trawl_error *error);

/* Make everything since the last commit visible and durable, atomically. Then, unless options.no_merge, merge segments so that
 * their number stays logarithmic in the size of the index: further commits, which change no answer. Then, if the file has more than
 * 7/4 times the live data (and 256 KiB) and nobody else reads it, replace it by a copy without free pages, as
 * trawl_compact does. After an error the writer can only be closed; the index is as it was, or (where only merging or
 * reopening it failed) has the new commit whole. What is open of the index goes on
 * answering. */
TRAWL_API int trawl_writer_commit(trawl_writer *writer, trawl_error *error);

/* Merge segments until at most `segments` are left (0: 1), each merge a commit of its own; one segment is also rewritten to drop
 * dead documents. Nothing may be uncommitted, TRAWL_EINVAL. Unless options.no_merge, the file shrinks as after a commit. A segment
 * holds 67,108,864 documents, and no merge makes one of more than a 200th of the memory budget's bytes: what is more stays in
 * several. */
TRAWL_API int trawl_writer_merge(trawl_writer *writer, size_t segments, trawl_error *error);

TRAWL_API void trawl_writer_get_stats(const trawl_writer *writer, trawl_writer_stats *stats);

/* About how many seconds it will take to write what waits for the commit, had it `more` documents like those before: estimated from the
 * time that adding took or, once some were written, from that. Without merges. */
TRAWL_API double trawl_writer_expected_seconds(const trawl_writer *writer, uint64_t more);

/* The seconds that commits, and writing segments where memory was used up, have taken so far. */
TRAWL_API double trawl_writer_written_seconds(const trawl_writer *writer);

/* Release the writer; what was not committed is dropped. */
TRAWL_API void trawl_writer_close(trawl_writer *writer);

typedef struct trawl_compaction {
	uint64_t bytes_before, bytes_after; /* of the file */
} trawl_compaction;

/* Make the file at `path` as small as it gets: merge its segments into one, copy what is in use to a new file beside it, and put that
 * in its place, durably and at once; a failure leaves the old one. Room for both is needed. Indexes that are open
 * keep the old file. `wait` as for a writer. `sizes` may be NULL. */
TRAWL_API int trawl_compact(const char *path, bool wait, trawl_compaction *sizes, trawl_error *error);

/* The same, and `progress` (NULL: nobody) is told how far each merge and the copy is. */
TRAWL_API int trawl_compact_watched(const char *path, bool wait, trawl_progress_function *progress, void *context,
                                    trawl_compaction *sizes, trawl_error *error);

/* Called now and then with the bytes that are copied, and about how many there are. */
typedef void trawl_copy_progress(void *context, uint64_t bytes, uint64_t total);

/* Copy the last commit of the index at `path` to a new file, also while a writer goes on: a copy by other means would be of several commits
 * then. Everything is verified while it is read. The new file appears whole and durable, with the mode of the index and, where that is
 * permitted, its owner and group, or not at all; TRAWL_EINVAL where there is one. Until it ends "new_path-copy" is there, which the
 * next copy takes over from one that was killed. `progress` and `bytes`, which gets the new file's size, may be NULL. */
TRAWL_API int trawl_copy(const char *path, const char *new_path, trawl_copy_progress *progress, void *context,
                         uint64_t *bytes, trawl_error *error);

/* ---- reading --------------------------------------------------------------------------------------------------- */

typedef struct trawl_index trawl_index;

/* Open the last commit of the index at `path`. */
TRAWL_API int trawl_open(trawl_index **out, const char *path, trawl_error *error);
TRAWL_API void trawl_close(trawl_index *index);

/* Open the newest commit where `index` is an older one: 1 and *out, a handle of its own; 0 and NULL when `index` is the newest, which
 * takes about a microsecond to see, so that it may be asked before each query; negative on error. `index` stays as it is, and so do its searchers, on any thread: close it when the last of them is freed.
 * An old handle costs disk space as long as it is open, for the writer cannot use again what that handle may still read. */
TRAWL_API int trawl_reopen(trawl_index **out, const trawl_index *index, trawl_error *error);

/* Call `visit` with the id of every live document, in ascending order of trawl_hit.document; the id lives until it returns.
 * What it returns other than 0 ends the walk and is returned. */
typedef int trawl_id_visitor(void *context, const char *id, size_t id_length);
TRAWL_API int trawl_walk_ids(const trawl_index *index, trawl_id_visitor *visit, void *context, trawl_error *error);

typedef struct trawl_part_stats {
	const char *name; /* "dictionary", "postings", ... Static storage. */
	uint64_t bytes;   /* of the file, with padding */
	const char *unit; /* what it grows with: "document", "posting", "token", "term"; or NULL. Static storage. */
	uint64_t units;   /* of these it has so many, those of dead documents included */
} trawl_part_stats;

#define TRAWL_PARTS_MAX 16

typedef struct trawl_index_stats {
	uint64_t documents;  /* live ones */
	uint64_t deleted;    /* replaced or deleted, still taking room */
	uint64_t terms;      /* distinct terms, summed over segments */
	uint64_t postings;   /* (term, document) pairs */
	uint64_t tokens;     /* of live documents */
	uint64_t text_bytes; /* title and text of live documents, before compression */
	uint64_t file_bytes;
	uint64_t free_bytes; /* pages of the file that the next commits will use */
	uint64_t segments;
	uint64_t generation; /* grows by one with each commit; a merge is one */
	bool positions, bigrams;
	uint64_t bigram_lists, bigram_postings; /* of frequent bigrams; 0 without them */
	trawl_analysis analysis;
	size_t part_count;
	trawl_part_stats parts[TRAWL_PARTS_MAX];
} trawl_index_stats;

TRAWL_API int trawl_get_stats(const trawl_index *index, trawl_index_stats *stats, trawl_error *error);

typedef struct trawl_segment_stats {
	uint32_t number;    /* of the segment: greater for later ones */
	uint32_t documents; /* the dead included */
	uint32_t deleted;
	uint64_t text_bytes; /* of the live documents */
	uint64_t bytes;      /* of the file, with padding */
} trawl_segment_stats;

/* One of the segments, from 0 to trawl_index_stats.segments - 1, in the order of their documents' numbers; TRAWL_EINVAL beyond. */
TRAWL_API int trawl_get_segment(const trawl_index *index, size_t which, trawl_segment_stats *stats, trawl_error *error);

/* The stored document with this id. Its pointers live until trawl_stored_free(*handle). TRAWL_ENOTFOUND if none. */
typedef struct trawl_stored trawl_stored;
TRAWL_API int trawl_fetch(const trawl_index *index, const char *id, size_t id_length, trawl_stored **handle,
                          trawl_document *document, trawl_error *error);
TRAWL_API void trawl_stored_free(trawl_stored *handle);

/* All live documents, one after the other: in ascending order of trawl_hit.document, or (as_added) in the order in which
 * they were added last. `index` must outlive the scan. */
typedef struct trawl_scan trawl_scan;
TRAWL_API int trawl_scan_new(trawl_scan **out, const trawl_index *index, bool as_added, trawl_error *error);

/* The next document: 1 and `*document` (its pointers live until the next call), 0 at the end, negative on error. */
TRAWL_API int trawl_scan_next(trawl_scan *scan, trawl_document *document, trawl_error *error);
TRAWL_API void trawl_scan_free(trawl_scan *scan);

/* ---- searching ------------------------------------------------------------------------------------------------- */

/*
 * The query syntax (docs/QUERY.md has the grammar). Words are analysed as documents are. Bare words are optional: a document matches with
 * any of them (OR) and scores by all it has; +word is required, -word excluded; "several words" is a phrase, and takes + and - too; "several
 * words"~2 allows for two others between them, a NEAR/5 b for five in any order, a BEFORE/5 b in this order. AND, OR
 * and NOT in capitals and ( ) make groups; word* and w?rd* are patterns, word~ allows for edits, word^2 weighs twice, (a b c)~2 wants two of
 * three, *:* is all documents. A word that analysis cuts in several terms is a phrase of them. In plain syntax any string is a valid
 * query: what does not parse is read as words, and trawl_query_get_note tells. Equal words of a group count as one clause. A query or
 * group of nothing but exclusions matches all other documents, with the score 1, as *:* does. Only phrases and distances on an index
 * without positions are refused, TRAWL_EINVAL.
 *
 * A group within a group scores what it would alone, as one contribution. A prefix or wildcard scores 1 (times its boost), whatever
 * terms it stands for, and stands for the 1,024 most frequent ones; a word with edits scores as a group of the 32 nearest.
 *
 * The score is BM25 (Robertson & Zaragoza 2009, in the form of Lucene 8 and later, without the factor k1 + 1):
 *     sum over query terms of  qtf * ln(1 + (N - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * length / average))
 * N documents, df of them with the term, tf in this document; length in tokens in the one-byte form of docs/FORMAT.md,
 * average exact. A phrase scores as one term whose tf is the number of its occurrences and whose idf is the sum of its
 * words'; so does a distance, by the stretches that do not overlap. Contributions are single precision, added in order of decreasing weight, equal weights in order of the
 * terms' bytes: the same bits for every kernel and segment layout.
 *
 * A filter restricts the hits and the count of matches, and changes no score. A document passes it if it matches it as a query; a
 * filter with nothing but excluded words is passed by all other documents, one without words by all. The searcher keeps the
 * documents that pass the last filter, so that it costs little to come with many queries.
 */
#define TRAWL_QUERY_MAX 8192   /* bytes of a query */
#define TRAWL_CLAUSES_MAX 1024 /* words and phrases of a query */
#define TRAWL_PHRASE_MAX 1024  /* words of a phrase */
#define TRAWL_TOP_MAX 10000    /* hits of a query */
#define TRAWL_TOP_ALL SIZE_MAX /* or every match, whatever their number: takes 48 bytes of memory a match */

enum trawl_syntax {
	TRAWL_SYNTAX_PLAIN, /* any text is a query */
	TRAWL_SYNTAX_STRICT /* what does not parse is TRAWL_EINVAL; trawl_query_error_place tells where */
};

typedef struct trawl_search_options {
	size_t top;         /* hits wanted, up to TRAWL_TOP_MAX, or TRAWL_TOP_ALL; 0: none, count only */
	bool count;         /* count all matching documents too */
	bool stable_ties;   /* equal scores in byte order of the ids, whatever the layout (slower) */
	bool set_k1, set_b; /* use the next two instead of 0.9 and 0.4 */
	float k1, b;        /* 0 <= k1 <= 1000, 0 <= b <= 1 */
	const char *filter; /* NULL: none. Else a query (the same syntax) that hits must match as well */
	size_t filter_length;
	enum trawl_syntax syntax; /* of the query; a filter is always read in plain syntax */
	unsigned minimum;         /* so many of the query's optional clauses must match; 0: any */
	bool minimum_percent;     /* `minimum` is a share of them, rounded down */
} trawl_search_options;

typedef struct trawl_hit {
	uint64_t document; /* internal number in this snapshot: ties are in ascending order of it */
	float score;
} trawl_hit;

typedef struct trawl_searcher trawl_searcher;

/* `index` must outlive the searcher. */
TRAWL_API int trawl_searcher_new(trawl_searcher **out, const trawl_index *index, trawl_error *error);
TRAWL_API void trawl_searcher_free(trawl_searcher *searcher);

/* Evaluate a query. A query without terms matches nothing. In steady state it allocates no memory. */
TRAWL_API int trawl_search(trawl_searcher *searcher, const char *query, size_t query_length,
                           const trawl_search_options *options, trawl_error *error);

/* The hits of the last query, best first: `*count` of them, living until the next trawl_search. May be NULL when there are none. */
TRAWL_API const trawl_hit *trawl_hits(const trawl_searcher *searcher, size_t *count);

/* The number of documents that match the last query; 0 unless options.count was set. */
TRAWL_API uint64_t trawl_match_count(const trawl_searcher *searcher);

typedef struct trawl_query_note {
	size_t start, length; /* bytes of the query that were read otherwise than they look */
	const char *text;     /* what became of them. Static storage */
} trawl_query_note;

/* What the last query said that was read as plain text, or could not be done, in order of its places; number `which` from 0 on. false:
 * there are no more. */
TRAWL_API bool trawl_query_get_note(const trawl_searcher *searcher, size_t which, trawl_query_note *note);

/* After TRAWL_EINVAL from strict syntax: the byte of the query that the error is about. */
TRAWL_API size_t trawl_query_error_place(const trawl_searcher *searcher);

/* The number of terms (after analysis) in the last query, and the postings they have in all: a measure of its work. */
TRAWL_API size_t trawl_query_terms(const trawl_searcher *searcher);
TRAWL_API uint64_t trawl_query_postings(const trawl_searcher *searcher);

/* The id of a hit; lives until the next call with this searcher. */
TRAWL_API int trawl_hit_id(trawl_searcher *searcher, uint64_t document, const char **id, size_t *id_length,
                           trawl_error *error);

/* The stored document of a hit; its pointers live until the next call with this searcher. */
TRAWL_API int trawl_hit_document(trawl_searcher *searcher, uint64_t document, trawl_document *stored,
                                 trawl_error *error);

typedef struct trawl_span {
	size_t start, length; /* bytes within trawl_snippet.text */
} trawl_span;

typedef struct trawl_snippet {
	const char *text; /* the fragments joined by " … ", white space folded; not NUL-terminated; raw document bytes
	                     otherwise: a terminal or a page must escape it */
	size_t length;
	const trawl_span *marks; /* the matched words, ascending */
	size_t mark_count;
	size_t fragments; /* 0 to 2 */
} trawl_snippet;

/* The part of a hit's stored document that shows best where the last query matched, of up to `width` bytes or so
 * (0: 240). Lives until the next call of this function or trawl_search. */
TRAWL_API int trawl_hit_snippet(trawl_searcher *searcher, uint64_t document, size_t width, trawl_snippet *snippet,
                                trawl_error *error);

/* ---- checking and rescuing -------------------------------------------------------------------------------------- */

typedef struct trawl_finding {
	bool harmless;    /* worth knowing, and no damage: what an unfinished commit left behind */
	uint32_t segment; /* 0: the file as a whole */
	const char
	    *part; /* of the segment: "postings", "terms", ...; else "pages", "manifest", "segments". Static storage. */
	uint64_t offset; /* of the byte in the part, or of the page in the file; UINT64_MAX: not one place */
	const char
	    *text; /* one line: what is wrong, with the term or document that it touches; lives during the call */
} trawl_finding;

/* Called for each finding, in the thread of the caller. */
typedef void trawl_finding_function(void *context, const trawl_finding *finding);

typedef struct trawl_check_options {
	bool quick; /* only the store's pages, the manifest, and what segments say of themselves */
	bool text;  /* analyse every stored document again, and compare its terms and positions with the postings; other
	               versions of libstemmer or libunistring than the index was made with may differ without damage */
	trawl_finding_function *finding;
	trawl_progress_function *progress; /* each may be NULL */
	void *context;
} trawl_check_options;

typedef struct trawl_check_result {
	uint64_t damages;   /* findings that are not harmless */
	uint64_t leftovers; /* extents that no segment of the last commit has */
	uint64_t generation, segments, documents, terms, postings, extents;
	uint64_t bytes_read;
} trawl_check_result;

/* Verify the last commit of the index at `path`, byte by byte, by a decoder of its own that trusts nothing; it goes on after
 * a finding. The file is read, never mapped before its pages have been found sound, never changed. 0 when it could be checked
 * and result->damages tells; TRAWL_ENOTFOUND, TRAWL_ENOTINDEX, TRAWL_EVERSION, TRAWL_EIO, TRAWL_ENOMEM, TRAWL_EBUSY (it
 * changes too fast) when not. Memory: some 32 bytes a document. */
TRAWL_API int trawl_check(const char *path, const trawl_check_options *options, trawl_check_result *result,
                          trawl_error *error);

typedef struct trawl_salvage_options {
	trawl_analysis analysis; /* for the new index when the old one's is lost */
	bool no_positions;       /* likewise */
	size_t memory_budget;    /* of the writer, as in trawl_writer_options */
	trawl_finding_function *finding;
	trawl_progress_function *progress; /* each may be NULL */
	void *context;
} trawl_salvage_options;

typedef struct trawl_salvage_result {
	uint64_t rescued;    /* documents in the new index */
	uint64_t lost;       /* documents known of that could not be rescued; at least so many unless lost_exact */
	bool lost_exact;     /* the commit's own counts could be read */
	bool scanned;        /* the store's tree was damaged: its pages were searched for what is whole */
	bool analysis_known; /* language and positions are those of the old index */
} trawl_salvage_result;

/* Write every live document of the index at `path` that still verifies to a new index at `new_path`, which must not exist.
 * Neither the damaged file's LMDB pages nor its manifest need to be readable. 0 also when documents were lost, or none was
 * found: then no new index is left, nor is it after an error. */
TRAWL_API int trawl_salvage(const char *path, const char *new_path, const trawl_salvage_options *options,
                            trawl_salvage_result *result, trawl_error *error);

#ifdef __cplusplus
}
#endif
#endif
