# checks.mk - checks that go beyond the tests; part of the Makefile.

.PHONY: fuzz fuzz-targets fuzz-programs check-fuzz
# Fuzz targets: run without libFuzzer on kept inputs (check-fuzz), or by it (fuzz).
FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out %/fuzz_store.c,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_LIB := $(patsubst %,$(BUILD)/%.o,tests/fuzz/fuzz.c tests/fuzz/fuzz_store.c tests/fuzz/templates.c) $(TEST_LIB)
REPLAYS  := $(FUZZ:%=$(BUILD)/fuzz/replay_%)
$(BUILD)/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.c.o $(BUILD)/tests/fuzz/replay.c.o $(FUZZ_LIB) $(BUILD)/libtrawl.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=kernel_get $^ $(LIBS) -lcmocka -ljansson -o $@
$(BUILD)/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.c.o $(FUZZ_LIB) $(BUILD)/libtrawl.a
	@mkdir -p $(@D)
	$(CXX) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -Wl,--wrap=kernel_get $^ $(LIBS) -lcmocka -ljansson -o $@
fuzz-programs: $(REPLAYS) $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)
fuzz-targets:
	nice $(MAKE) -s BUILD=$(BUILD)/fuzzing CC=clang CXX=clang++ CPPFLAGS=-fsanitize=fuzzer-no-link CFLAGS="-O1 -g \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" fuzz-programs
fuzz: fuzz-targets ## libFuzzer on every target: [SECONDS=60] [JOBS=1] [TARGETS="query index"]; needs clang
	nice -n 19 tests/fuzz/run $(BUILD)/fuzzing/fuzz $(or $(SECONDS),60) --jobs $(or $(JOBS),1) $(TARGETS)
check-fuzz: $(REPLAYS) ## the fuzz targets' kept inputs, without libFuzzer
	BUILD=$(BUILD) tests/run_tool tests/house/test_fuzz.sh
check-tool: $(REPLAYS)

.PHONY: differential
$(BUILD)/differential: $(patsubst %,$(BUILD)/%.o,$(wildcard tests/differential/*.c)) $(TEST_LIB) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@
differential: $(BUILD)/differential ## random programs against the naive scorer: [QUERIES=1000000] [SEED=0]
	$(BUILD)/differential --queries $(or $(QUERIES),1000000) --seed $(or $(SEED),0) tests/differential/cases
check-tool: $(BUILD)/differential

# ---- the same tests, watched ----

.PHONY: check-tsan check-threads check-valgrind check-unoptimised check-as-written
check-tsan: ## what runs in threads, under the thread sanitizer
	$(MAKE) BUILD=$(BUILD)/tsan CFLAGS="-O1 -g -fsanitize=thread" check-threads
check-threads: $(patsubst %,$(BUILD)/tests/test_%,\
               concurrency ranking index pipeline live merge compact reorder budget batch touched vocabulary)
	TRAWL_TEST_SECONDS=3600 TRAWL_ORACLE_QUERIES=100 TRAWL_CONCURRENT_COMMITS=12 TSAN_OPTIONS=die_after_fork=0 tests/run_units $^
# A compiler keeps vectors in registers, where no address can be wrong, unless it is told to optimise nothing.
check-unoptimised: ## kernels and codecs as they were written, without the optimiser
	$(MAKE) BUILD=$(BUILD)/unoptimised CFLAGS="-O0 -g" check-as-written
check-as-written: $(patsubst %,$(BUILD)/tests/test_%,bitpack encoders kernel positions snippet tokenizer top) $(REPLAYS)
	tests/run_units $(filter-out $(REPLAYS),$^)
	for target in index query postings tokenizer; do \
	  $(BUILD)/fuzz/replay_$$target --mutate 300 >$(BUILD)/$$target.log 2>&1 || { tail -40 $(BUILD)/$$target.log; exit 1; }; done
VALGRIND       := valgrind -q --error-exitcode=9 --leak-check=full --suppressions=tests/valgrind.supp
VALGRIND_TESTS := base batch bitpack format query run terms top vocabulary documents store postings
check-valgrind: ## the quicker unit tests under memcheck, with the kernel that it knows
	$(MAKE) BUILD=$(BUILD)/valgrind CFLAGS="-O1 -g" $(VALGRIND_TESTS:%=$(BUILD)/valgrind/tests/test_%)
	for test in $(VALGRIND_TESTS); do TRAWL_KERNEL=scalar $(VALGRIND) $(BUILD)/valgrind/tests/test_$$test \
	  >$(BUILD)/valgrind/$$test.log 2>&1 && echo "ok $$test" || { tail -40 $(BUILD)/valgrind/$$test.log; exit 1; }; done

# ---- another machine ----

.PHONY: check-aarch64 check-emulated
# In an emulator, which takes its time: those that show most of the processor. EMULATED="encoders format ..." runs others.
EMULATED ?= analysis_faults base batch bench bitpack compression filter game hostile_lists index kernel live metrics naive \
  positions query syntax
AARCH64  := $(abspath $(BUILD))/aarch64
check-aarch64: ## cross-built for 64-bit ARM, unit tests in an emulator: [EMULATED="kernel ranking"]
	tests/sysroot arm64 $(AARCH64)/root
	$(MAKE) BUILD=$(AARCH64) CC="aarch64-linux-gnu-gcc --sysroot=$(AARCH64)/root" AR=aarch64-linux-gnu-ar \
	  CXX="aarch64-linux-gnu-g++ --sysroot=$(AARCH64)/root" all check-emulated
# Little address space (-R), as the emulator notes something of each page of it, and an index is mapped with as much as there is.
check-emulated: $(EMULATED:%=$(BUILD)/tests/test_%)
	TRAWL_QUICK=1 TRAWL_EMULATOR="qemu-aarch64 -R 512M -L $(BUILD)/root" tests/run_units $^

# ---- the source, read by programs ----

.PHONY: tidy analyze coverage mutants
READ_FLAGS := -std=c11 -DTRAWL_FP_CONTRACT_OFF -Iinclude -I. -D_GNU_SOURCE
READ_AVX   := -mavx2 -mbmi -mbmi2 -mpopcnt -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi -mavx512vbmi2
READ_FILES  = $(filter-out %_avx2.c %_avx512.c,$(filter %.c,$(LIB_SRC)))
# A file a time: of several together clang-tidy 14 takes the lists of arguments of the later ones for uninitialised. What stands between
# programs and the C library names the parameters of the latter's functions as it likes.
TIDY = printf '%s\n' $(1) | xargs -P$(or $(JOBS),1) -I{} clang-tidy --quiet $(3) {} -- $(READ_FLAGS) $(2)
tidy: ## clang-tidy, with the checks of .clang-tidy, has nothing to say: [JOBS=1]
	$(call TIDY,$(READ_FILES) $(TOOL_SRC) $(wildcard bench/*/*.c))
	$(call TIDY,$(filter %_avx2.c %_avx512.c,$(LIB_SRC)),$(READ_AVX))
	$(call TIDY,$(wildcard tests/reliability/*.c),,--checks=-readability-inconsistent-declaration-parameter-name)
analyze: ## gcc's static analyzer has nothing to say
	for file in $(READ_FILES); do gcc -O1 -fanalyzer -Werror $(READ_FLAGS) -c $$file -o /dev/null || exit 1; done
	for file in $(filter %_avx2.c %_avx512.c,$(LIB_SRC)); do \
	  gcc -O1 -fanalyzer -Werror $(READ_FLAGS) $(READ_AVX) -c $$file -o /dev/null || exit 1; done
coverage: ## which branches the unit tests and fuzz replays take, file by file
	$(MAKE) BUILD=$(BUILD)/coverage CC=gcc CXX=g++ CFLAGS="-O0 -g --coverage" check-unit check-fuzz
	for level in scalar avx2; do for test in hostile_lists postings; do \
	  TRAWL_KERNEL=$$level $(BUILD)/coverage/tests/test_$$test >$(BUILD)/coverage/$$test-$$level.log 2>&1 || exit 1; done; done
	tests/coverage $(BUILD)/coverage $(filter base/% store/% segment/% query/% input/% tokenizer/%,$(LIB_SRC)) segment/chunk.h
mutants: ## disable each check of the decoders in turn, some test must notice: [FILES=segment/terms.c] [JOBS=2]
	$(if $(JOBS),JOBS=$(JOBS)) tests/mutants $(BUILD)/mutants $(FILES)

# ---- calls that fail ----

# test_failing_calls stands between the library and these.
FAILING := pread pwrite stat fstat statvfs statfs access flock fsync ftruncate fallocate link rename fchown fchmod realpath fopen open fcntl \
  $(addprefix mdb_,env_create env_set_mapsize env_open env_copyfd2 txn_begin txn_commit dbi_open get put cursor_open cursor_get cursor_del \
  reader_list) memory_new memory_new_zeroed memory_reserve $(addprefix buffer_,reserve append append_byte append_varint pad) \
  $(addprefix ZSTD_,CCtx_setParameter CCtx_refCDict compressCCtx)
$(BUILD)/tests/test_failing_calls: WRAPPED = $(FAILING)
