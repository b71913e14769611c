# checks.mk - checks that go beyond the tests; part of the Makefile.

.PHONY: fuzz fuzz-programs check-fuzz
# Fuzz targets: run without libFuzzer on kept inputs (check-fuzz), or by it (fuzz).
FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(filter-out %/fuzz_store.c,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_LIB := $(patsubst %,$(BUILD)/%.o,tests/fuzz/fuzz.c tests/fuzz/fuzz_store.c) $(TEST_LIB)
REPLAYS  := $(FUZZ:%=$(BUILD)/fuzz/replay_%)
$(BUILD)/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.c.o $(BUILD)/tests/fuzz/replay.c.o $(FUZZ_LIB) $(BUILD)/libtrawl.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=kernel_get $^ $(LIBS) -lcmocka -o $@
$(BUILD)/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.c.o $(FUZZ_LIB) $(BUILD)/libtrawl.a
	@mkdir -p $(@D)
	$(CXX) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -Wl,--wrap=kernel_get $^ $(LIBS) -lcmocka -o $@
fuzz-programs: $(REPLAYS) $(FUZZ:%=$(BUILD)/fuzz/fuzz_%)
fuzz: ## libFuzzer on every target: [SECONDS=60] [TARGETS="query index"]; needs clang
	nice $(MAKE) -s BUILD=$(BUILD)/fuzzing CC=clang CXX=clang++ CPPFLAGS=-fsanitize=fuzzer-no-link CFLAGS="-O1 -g \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" fuzz-programs
	nice -n 19 tests/fuzz/run $(BUILD)/fuzzing/fuzz $(or $(SECONDS),60) $(TARGETS)
check-fuzz: $(REPLAYS) ## the fuzz targets' kept inputs, without libFuzzer
	BUILD=$(BUILD) tests/run_tool tests/house/test_fuzz.sh
check-tool: $(REPLAYS)

.PHONY: differential
$(BUILD)/differential: $(patsubst %,$(BUILD)/%.o,$(wildcard tests/differential/*.c)) $(TEST_LIB) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@
differential: $(BUILD)/differential ## random programs against the naive scorer: [QUERIES=1000000] [SEED=0]
	$(BUILD)/differential --queries $(or $(QUERIES),1000000) --seed $(or $(SEED),0) tests/differential/cases
check-tool: $(BUILD)/differential
