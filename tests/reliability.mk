# reliability.mk - faults, damage and long runs (docs/RELIABILITY.md); part of the Makefile.

.PHONY: reliability reliability-quick reliability-programs starve-asan testers
# The fault harness stands between itself and the system calls, so that it needs its functions seen by the libraries.
FAULTS   := $(patsubst %,$(BUILD)/%.o,$(filter-out %/interpose_environment.c %/starve.c %/growth.c,\
            $(wildcard tests/reliability/*.c)) tests/naive.c tests/random_corpus.c)
$(BUILD)/tests/reliability/faults: $(FAULTS) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--export-dynamic $^ $(LIBS) -ldl -o $@
$(BUILD)/tests/reliability/interpose.so: $(BUILD)/tests/reliability/interpose.c.o $(BUILD)/tests/reliability/interpose_environment.c.o
	$(CC) -shared $(CFLAGS) $(LDFLAGS) $^ -ldl -lpthread -o $@
# No interposer here, which the sanitizers would not like.
$(BUILD)/tests/reliability/starve: $(patsubst %,$(BUILD)/tests/%.c.o,reliability/starve reliability/options random_corpus) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/tests/reliability/growth: $(patsubst %,$(BUILD)/tests/%.c.o,reliability/growth reliability/options random_corpus) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

reliability-programs: all $(BUILD)/tests/reliability/faults $(BUILD)/tests/reliability/interpose.so
starve-asan:
	$(MAKE) BUILD=$(BUILD)/asan CFLAGS="$(ASAN)" $(BUILD)/asan/tests/reliability/starve
reliability: reliability-programs starve-asan testers ## faults of every kind, in full: [HARNESSES="kill calls"], for a day
	tests/reliability/run --build $(BUILD) $(HARNESSES)
testers: $(BUILD)/tests/test_damage $(BUILD)/differential $(BUILD)/tests/test_concurrency $(BUILD)/tests/reliability/growth
	! command -v clang >/dev/null || $(MAKE) fuzz-targets
reliability-quick: reliability-programs starve-asan ## a fixed part of them, in minutes
	tests/reliability/run --quick --build $(BUILD) $(HARNESSES)

# ---- damage, in full ----

.PHONY: damage damage-bits damage-flips damage-pages damage-tail damage-writers
DAMAGE = TRAWL_TEST='$(1)' TRAWL_DAMAGES=$(2) TRAWL_DAMAGE_JOBS=$(or $(JOBS),1) $(BUILD)/tests/test_damage
damage: damage-bits damage-flips damage-pages damage-tail damage-writers ## all of the next five
damage-bits: $(BUILD)/tests/test_damage ## every bit of a tiny index, flipped: [JOBS=2]
	$(call DAMAGE,every_bit*,1000000000)
damage-flips: $(BUILD)/tests/test_damage ## random bits of a larger index: [N=100000]
	$(call DAMAGE,flipped_bits_of_a_larger*,$(or $(N),100000))
damage-pages: $(BUILD)/tests/test_damage ## zeroed, swapped, torn and stale pages of a larger index: [N=10000]
	$(call DAMAGE,pages_of_a_larger*,$(or $(N),10000))
damage-tail: $(BUILD)/tests/test_damage ## truncation at every byte of an index's tail, and elsewhere: [N=100000]
	$(call DAMAGE,a_truncated*,$(or $(N),100000))
damage-writers: $(BUILD)/tests/test_damage ## writers on damaged files: [N=20000]
	$(call DAMAGE,a_*writer*,$(or $(N),20000))

# ---- a long life ----

.PHONY: growth
growth: $(BUILD)/tests/reliability/growth ## memory, descriptors and file size over a long life: [SECONDS=3600]
	$(BUILD)/tests/reliability/growth seconds=$(or $(SECONDS),3600) folder=$(or $(FOLDER),/dev/shm)
