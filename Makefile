# trawl: `make help` lists what there is to make. CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX, DESTDIR may be set.
VERSION  := $(shell sed -n 's/^\#define TRAWL_VERSION "\(.*\)"/\1/p' include/trawl.h)
SOVERSION := 0
BUILD    ?= build
PREFIX   ?= /usr/local
CC       ?= cc
CXX      ?= c++
CFLAGS   ?= -O2 -g
# Warnings are errors for the compilers that ./test knows (gcc 12, clang 14). Others may know further ones.
WERROR   ?= $(if $(filter 12 14.0.6,$(shell $(CC) -dumpversion)),-Werror)
WARNINGS := -Wall -Wextra $(WERROR) -Wshadow -Wvla -Wpointer-arith -Wundef
# Fortified functions need an optimising compiler, and would hide from the sanitizers.
HARDEN   := -fstack-protector-strong $(if $(findstring -fsanitize,$(CFLAGS)),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),\
            -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))
HARDEN_LD := -Wl,-z,relro,-z,now
# base/target.h says why -ffp-contract=off, and asks for the definition.
MUST     := -fPIC -fvisibility=hidden -ffp-contract=off -DTRAWL_FP_CONTRACT_OFF -fno-math-errno -pthread -Iinclude -I. -D_GNU_SOURCE
ALL_C    := -std=c11 $(MUST) $(WARNINGS) -Wstrict-prototypes -Wmissing-prototypes $(HARDEN) $(CPPFLAGS) $(CFLAGS)
ALL_CXX  := -std=c++17 -fno-rtti $(MUST) $(WARNINGS) $(HARDEN) $(CPPFLAGS) $(CFLAGS)
ASAN     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIBS     := -llmdb -lstemmer -lunistring -lzstd -lz -lsimdjson -lstdc++ -lm -lpthread
# Without libedit (libedit-dev) the tool is built all the same, but a query typed at a terminal cannot be edited; --version says so.
LIBEDIT  := $(shell printf '\043include <stdio.h>\n\043include <histedit.h>\nint main(void) { el_end(NULL); return 0; }\n' | \
              $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -x c - -ledit -o /dev/null 2>/dev/null && echo -ledit)

LIB_DIRS := base tokenizer input store segment indexer query searcher checker
LIB_SRC  := $(wildcard $(LIB_DIRS:=/*.c)) $(wildcard input/*.cc)
TOOL_SRC := $(wildcard cli/*.c) $(wildcard bench/*.c)
LIB_OBJ  := $(addprefix $(BUILD)/,$(addsuffix .o,$(LIB_SRC)))
TOOL_OBJ := $(addprefix $(BUILD)/,$(addsuffix .o,$(TOOL_SRC)))
KERNEL_BENCH_OBJ := $(patsubst %,$(BUILD)/%.o,$(wildcard bench/kernels/*.c))
STAGE_BENCH_OBJ  := $(patsubst %,$(BUILD)/%.o,$(wildcard bench/stages/*.c))
CORPUS_GEN_OBJ   := $(patsubst %,$(BUILD)/%.o,$(wildcard bench/corpus/*.c))
TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
TEST_LIB := $(patsubst %,$(BUILD)/%.o,$(filter-out $(wildcard tests/test_*.c),$(wildcard tests/*.c)))
SOURCES  := $(foreach d,$(LIB_DIRS) include cli bench bench/corpus bench/kernels bench/stages tests tests/reliability tests/fuzz tests/differential,$(wildcard $d/*.c $d/*.h $d/*.cc))

.PHONY: all check check-unit check-tool check-asan check-layers check-format complexity bench bench-peers bench-curves bench-stages fmt install uninstall clean help $(BUILD)/trawl.pc
# Objects of tests are kept: make would delete them as intermediate, and compile them again at every second run.
.SECONDARY:
all: $(BUILD)/trawl $(BUILD)/libtrawl.a $(BUILD)/libtrawl.so ## the tool and the library, into build/

# Only kernel files get instruction-set flags: the rest runs on any x86-64. Elsewhere they are empty.
ifneq ($(filter x86_64-%,$(shell $(CC) -dumpmachine)),)
$(BUILD)/%_avx2.c.o: ISA = -mavx2 -mbmi -mbmi2 -mpopcnt
$(BUILD)/%_avx512.c.o: ISA = -mavx2 -mbmi -mbmi2 -mpopcnt -mavx512f -mavx512bw -mavx512dq -mavx512vl \
                             -mavx512vbmi -mavx512vbmi2
endif
# cmocka's assertions do not return on failure, which gcc cannot know. Tests spend their time in the library, and are many to compile.
$(BUILD)/tests/test_%.c.o: OPTIMISE = $(if $(filter -O2 -O3,$(CFLAGS)),-O1)
$(BUILD)/tests/%.c.o: ISA = $(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized) $(OPTIMISE)
$(BUILD)/cli/prompt.c.o: ISA = $(if $(LIBEDIT),-DTRAWL_LIBEDIT)
$(BUILD)/%.c.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_C) $(ISA) -MMD -MP -c $< -o $@
$(BUILD)/%.cc.o: %.cc Makefile
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXX) -MMD -MP -c $< -o $@

$(BUILD)/libtrawl.a: $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libtrawl.so.$(VERSION): $(LIB_OBJ)
	$(CC) -shared -Wl,-soname,libtrawl.so.$(SOVERSION) -Wl,--version-script=trawl.map -Wl,--no-undefined $(HARDEN_LD) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/libtrawl.so: $(BUILD)/libtrawl.so.$(VERSION)
	ln -sf $(<F) $(BUILD)/libtrawl.so.$(SOVERSION) && ln -sf $(<F) $@
$(BUILD)/trawl: $(TOOL_OBJ) $(BUILD)/libtrawl.a
	$(CC) -pie $(HARDEN_LD) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -ljansson $(LIBEDIT) -o $@
$(BUILD)/kernel_bench: $(KERNEL_BENCH_OBJ) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/stage_bench: $(STAGE_BENCH_OBJ) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/corpus_gen: $(CORPUS_GEN_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lm -o $@
$(BUILD)/tests/%: $(BUILD)/tests/%.c.o $(TEST_LIB) $(BUILD)/libtrawl.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) $^ $(LIBS) -lcmocka -o $@
# Calls that these make fail.
$(BUILD)/tests/test_input_faults: WRAPPED = read __read_chk open __open_2 fstat stat fstatat fdopendir readdir _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t
$(BUILD)/tests/test_check: WRAPPED = store_open
$(BUILD)/tests/test_store: WRAPPED = flock tree_check memory_new memory_new_zeroed buffer_reserve mdb_get mdb_cursor_get
$(BUILD)/tests/test_analysis_faults: WRAPPED = sb_stemmer_new sb_stemmer_stem u8_normalize u8_casefold getrandom cpu_level
# The files that the benches read may be JSON, as stored fields are.
$(BUILD)/tests/test_bench $(BUILD)/tests/test_lines: LIBS += -ljansson

include tests/checks.mk tests/reliability.mk

check: check-layers check-unit check-tool ## all tests
check-unit: $(TESTS) ## cmocka tests, a program a module
	tests/run_units $(TESTS)
check-tool: all $(BUILD)/kernel_bench $(BUILD)/corpus_gen ## the tool, tested from the shell
	BUILD=$(BUILD) tests/run_tool
check-asan: ## unit and tool tests under the address and undefined-behaviour sanitizers
	$(MAKE) BUILD=$(BUILD)/asan CFLAGS="$(ASAN)" check-unit check-tool
check-layers: ## the arrows between the folders point one way
	tests/check_layers
complexity: ## functions over 60 lines or six parameters have a reason in tests/complexity.txt
	tests/complexity $(BUILD)/lizard
check-format: ## clang-format has nothing to change
	clang-format --dry-run -Werror $(SOURCES)
fmt: ## format the sources
	clang-format -i $(SOURCES)
bench: all $(BUILD)/kernel_bench ## the hot loop's figures, kernel by kernel
	$(BUILD)/kernel_bench
bench-stages: $(BUILD)/stage_bench ## where the time goes while an index is built: CORPUS=FILE
	$(BUILD)/stage_bench $(CORPUS)

bench-peers: all ## trawl against its peers: CORPUS=FILE QUERIES=FILE [OUT=DIR] [PEERS=all] [ORDER=both] [INDEX_ONLY=1]
	bench/peers/run.py --trawl $(BUILD)/trawl --corpus $(CORPUS) --queries $(QUERIES) $(if $(OUT),--out $(OUT)) \
	  $(if $(PEERS),--engines $(PEERS)) $(if $(ORDER),--order $(ORDER)) $(if $(INDEX_ONLY),--index-only) --plot

bench-curves: all $(BUILD)/corpus_gen ## time, memory and latency by documents: [SIZES=10k,100k,1M] [OUT=DIR] [CORPUS=FILE QUERIES=FILE]
	bench/curves.py --trawl $(BUILD)/trawl --generator $(BUILD)/corpus_gen --out $(or $(OUT),$(BUILD)/curves) \
	  $(if $(SIZES),--sizes $(SIZES)) $(if $(CORPUS),--corpus $(CORPUS) --queries $(QUERIES))

$(BUILD)/trawl.pc: trawl.pc.in Makefile
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS@|$(LIBS)|' $< > $@
INTO := $(DESTDIR)$(PREFIX)
$(if $(word 2,x$(BUILD) )$(word 2,x$(INTO) ),$(error make cannot work with spaces in names: BUILD '$(BUILD)', DESTDIR '$(DESTDIR)', PREFIX '$(PREFIX)'))
LDCONFIG := [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ] && /sbin/ldconfig
install: all $(BUILD)/trawl.pc ## into $(DESTDIR)$(PREFIX)
	install -d $(addprefix $(INTO)/,bin include lib/pkgconfig share/man/man1)
	install -m 755 $(BUILD)/trawl $(INTO)/bin/
	install -m 644 include/trawl.h $(INTO)/include/
	install -m 644 $(BUILD)/libtrawl.a $(INTO)/lib/
	install -m 755 $(BUILD)/libtrawl.so.$(VERSION) $(INTO)/lib/
	ln -sf libtrawl.so.$(VERSION) $(INTO)/lib/libtrawl.so.$(SOVERSION)
	ln -sf libtrawl.so.$(SOVERSION) $(INTO)/lib/libtrawl.so
	install -m 644 $(BUILD)/trawl.pc $(INTO)/lib/pkgconfig/
	install -m 644 docs/trawl.1 $(INTO)/share/man/man1/
	@$(LDCONFIG) || echo "install: programs find libtrawl.so once root has run ldconfig where it is installed"
	@[ -n "$(DESTDIR)" ] || /sbin/ldconfig -p 2>/dev/null | grep -q " $(PREFIX)/lib/libtrawl.so.$(SOVERSION)$$" || \
	  echo "install: the loader does not look into $(PREFIX)/lib: link with -Wl,-rpath,$(PREFIX)/lib or set LD_LIBRARY_PATH"
uninstall: ## what install put there, and folders that are then empty
	rm -f $(addprefix $(INTO)/,bin/trawl include/trawl.h lib/libtrawl.a lib/libtrawl.so lib/libtrawl.so.$(SOVERSION) \
	  lib/libtrawl.so.$(VERSION) lib/pkgconfig/trawl.pc share/man/man1/trawl.1)
ifeq ($(filter /usr /usr/local,$(PREFIX)),)
	-cd $(INTO) && rmdir -p lib/pkgconfig share/man/man1 include bin 2>/dev/null; rmdir $(INTO) 2>/dev/null
endif
	@$(LDCONFIG) || true
clean: ## remove what was built
	rm -rf $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | expand -t 24

-include $(LIB_OBJ:.o=.d) $(TOOL_OBJ:.o=.d) $(KERNEL_BENCH_OBJ:.o=.d) $(STAGE_BENCH_OBJ:.o=.d) $(CORPUS_GEN_OBJ:.o=.d) $(TEST_LIB:.o=.d) $(TESTS:=.c.d) $(FAULTS:.o=.d)
