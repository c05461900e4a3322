# trpo: the single source of truth for the build; the rock uses this file too.
#
#   make          builds build/trpo/core.so
#   make help     lists the targets

VERSION := 0.1.0
BUILD   ?= build

# ---- tools and flags ---------------------------------------------------------------------------

CC          = gcc
LUAJIT     ?= luajit
LUAROCKS   ?= luarocks
PKG_CONFIG ?= pkg-config
PYTHON     ?= python3

# LuaRocks passes LUA_INCDIR. Where that is not LuaJIT's (Debian's default is plain Lua 5.1), or without it, pkg-config
# tells where LuaJIT's headers are.
LUA_INCDIR     ?=
LUA_HEADERS    := $(or $(patsubst %/luajit.h,%,$(wildcard $(LUA_INCDIR)/luajit.h)), \
                    $(patsubst -I%,%,$(shell $(PKG_CONFIG) --cflags-only-I luajit 2>/dev/null)),$(LUA_INCDIR))
LAPACKE_INCDIR ?=
LAPACKE_LIBDIR ?=
BLAS_LIBDIR    ?=
BLAS_LIBS      ?= -llapacke -lblas
LIBFLAG        ?= -shared

# CFLAGS and LDFLAGS are the user's. OPTIMIZE and what follows is ours and comes later, so it holds:
# contraction is off because equal bits are promised, and NaN checks must work, so fast-math is never on.
CFLAGS   ?=
LDFLAGS  ?=
OPTIMIZE ?= -O3 -g
SANITIZE ?=
WERROR   ?=
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wwrite-strings -Wundef -Wvla $(if $(WERROR),-Werror)
INCLUDES := -Isrc $(addprefix -I,$(sort $(filter-out /usr/include,$(LUA_HEADERS) $(LAPACKE_INCDIR))))
C_FLAGS  := $(CFLAGS) -std=gnu11 $(OPTIMIZE) -ffp-contract=off -fno-math-errno -fvisibility=hidden -fPIC -pthread \
            $(WARNINGS) $(SANITIZE) -DTRPO_VERSION='"$(VERSION)"' $(INCLUDES)
LIBS     := $(addprefix -L,$(sort $(filter-out /usr/lib /usr/lib/%,$(LAPACKE_LIBDIR) $(BLAS_LIBDIR)))) \
            $(BLAS_LIBS) -lm -lpthread

# One file per instruction set, chosen at run time; only these files get its flags.
ifneq (,$(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)))
ISA_avx2   := -mavx2 -mfma
ISA_avx512 := -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512
endif
isa_flags = $(if $(filter %_avx2.c,$1),$(ISA_avx2))$(if $(filter %_avx512.c,$1),$(ISA_avx512))

# ---- files -------------------------------------------------------------------------------------

# Optional modules are shared objects of their own, built when pkg-config finds what they need.
SOURCES := $(sort $(shell find src -name '*.c' -not -path 'src/zip/*'))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
CORE    := $(BUILD)/trpo/core.so
ZIP     := $(if $(shell $(PKG_CONFIG) --exists libzip 2>/dev/null && echo yes),$(BUILD)/trpo/zip.so)
ZIP_OBJECTS := $(BUILD)/obj/zip/archive.o $(BUILD)/obj/zip/zip.o $(BUILD)/obj/base/fault.o
C_TESTS := $(patsubst spec/c/%.c,$(BUILD)/ctest/%,$(sort $(wildcard spec/c/*_test.c)))
MEASURES := $(patsubst bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard bench/*.c)))
LUA     := $(sort $(shell find lua -name '*.lua'))

# V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),true,printf '  %-4s %s\n' $1 $2)

# The module is built, checked and installed in any folder; some targets run programs that spaces in its path would break.
plain_path = $(if $(word 2,$(CURDIR)),$(error $@ needs a folder without spaces in its path, this one is '$(CURDIR)'))

# ---- build -------------------------------------------------------------------------------------

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: FORCE all ctest deps deps-dev demo check test check-asan check-tsan check-gc check-gc-jit check-gc-interpreter check-valgrind \
        check-python \
        lint format docs docs-check coverage bench bench-short bench-learn bench-mdp bench-peers \
        fuzz install install-files dist distcheck check-installed clean help

all: $(CORE) $(ZIP) ## build the module into build/trpo/core.so

$(CORE): $(OBJECTS) $(BUILD)/flags $(BUILD)/objects
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LIBFLAG) $(SANITIZE) $(LDFLAGS) -Wl,-z,nodelete -o $@.$$$$ $(OBJECTS) $(LIBS) \
	  && mv -f $@.$$$$ $@ || { rm -f $@.$$$$; exit 1; }

$(BUILD)/trpo/zip.so: $(ZIP_OBJECTS) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LIBFLAG) $(SANITIZE) $(LDFLAGS) -o $@.$$$$ $(ZIP_OBJECTS) $(shell $(PKG_CONFIG) --libs libzip) \
	  && mv -f $@.$$$$ $@ || { rm -f $@.$$$$; exit 1; }

$(BUILD)/obj/zip/%.o: C_FLAGS += $(shell $(PKG_CONFIG) --cflags libzip 2>/dev/null)

$(BUILD)/obj/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(C_FLAGS) $(call isa_flags,$<) -MMD -MP -c -o $@ $<

# Tests of the core in C: no Lua in them, so only the objects below the binding are linked.
ctest: $(C_TESTS)

$(BUILD)/ctest/%: spec/c/%.c $(filter-out $(BUILD)/obj/lua/%,$(OBJECTS)) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(C_FLAGS) -MMD -MP -MF $@.d $(SANITIZE) $(LDFLAGS) -o $@ $< $(filter %.o,$^) $(LIBS)

# Stamps that change with what they name: new flags rebuild all, a file that comes or goes relinks.
quote  = '$(subst ','\'',$(strip $1))'
define stamp
	@mkdir -p $(@D); new=$@.$$$$; printf '%s\n' $(call quote,$1) >$$new; \
	if cmp -s $$new $@; then rm -f $$new; else mv -f $$new $@; fi
endef
$(BUILD)/flags: FORCE
	$(call stamp,$(CC) $(C_FLAGS) $(LIBFLAG) $(LDFLAGS) $(LIBS))
$(BUILD)/objects: FORCE
	$(call stamp,$(OBJECTS))

-include $(OBJECTS:.o=.d) $(ZIP_OBJECTS:.o=.d) $(C_TESTS:=.d)

# ---- set-up ------------------------------------------------------------------------------------
# What running, building and testing need, and what only a contributor's checks need.

PACKAGES := luajit libluajit-5.1-dev luarocks lua-busted lua-luassert lua-argparse lua-cjson lua-luv \
            liblapacke-dev libopenblas-pthread-dev libzip-dev gnuplot-nox gcc libc6-dev make pkg-config
DEV_PACKAGES := lua-check lua-ldoc lua-markdown clang-format cppcheck valgrind lcov zip unzip
# What some specs drive when it is there, and skip when it is not: a browser, a cluster, Python.
SPEC_PACKAGES := chromium slurm-wlm
PYTHON_PACKAGES := python3 python3-venv
FUZZ_PACKAGES := clang libclang-rt-14-dev

deps: ## install the Debian packages that are missing for building, running and testing
	@$(call install_missing,$(PACKAGES))

deps-dev: ## install everything the other checks need, too
	@$(call install_missing,$(PACKAGES) $(DEV_PACKAGES) $(SPEC_PACKAGES) $(PYTHON_PACKAGES))

define install_missing
if ! command -v dpkg-query >/dev/null 2>&1; then \
  echo "make deps: not a Debian system, please install the like of: $(strip $1)"; \
  exit 0; \
fi; \
present=" $$(dpkg-query -W -f='$${db:Status-Abbrev}$${Package} ' $1 2>/dev/null) "; \
missing=; \
for package in $1; do \
  case "$$present" in *"ii $$package "*) ;; *) missing="$$missing $$package" ;; esac; \
done; \
[ -n "$$missing" ] || exit 0; \
echo "make deps: installing$$missing"; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
apt="apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq"; \
$$sudo $$apt update </dev/null; \
$$sudo env DEBIAN_FRONTEND=noninteractive $$apt install -y --no-install-recommends $$missing </dev/null >/dev/null
endef

demo: deps ## set up, build, solve a process exactly, train three examples, sweep over delta and gamma
	@$(MAKE) --no-print-directory all
	@rm -rf $(BUILD)/demo
	@bin/trpo solve frozen_lake --certify 1e-15 && echo
	@$(TREE) $(LUAJIT) examples/demo.lua $(BUILD)/demo

# ---- specs -------------------------------------------------------------------------------------
# SPECS=file picks some, FILTER='--filter=…' goes to Busted, RUN is put before the interpreter.

SPECS      ?= spec
FILTER     ?=
RUN        ?=
LUAJIT_ARGS ?=
BUSTED      = $(LUAJIT) $(LUAJIT_ARGS) spec/support/busted.lua --ignore-lua
# The tree's own Lua files and module come first on both paths; the specs' helpers last.
TREE        = LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$(CURDIR)/spec/?.lua;;' \
              LUA_CPATH='$(abspath $(BUILD))/?.so;;' TRPO_BUILD='$(abspath $(BUILD))' \
              OPENBLAS_NUM_THREADS=1

check: all ctest ## run the specs from the tree
	$(Q)$(TREE) $(RUN) $(BUSTED) $(FILTER) $(SPECS) </dev/null

test: deps ## set up, build and run the specs
	@$(MAKE) --no-print-directory check

# Sanitizers have builds of their own. LuaJIT is not instrumented, so their runtime is preloaded into it.
preload = env PATH='$(CURDIR)/spec/support/sanitize:$(PATH)' TRPO_LUAJIT='$(shell command -v $(LUAJIT))' \
          TRPO_PRELOAD='$(shell $(CC) -print-file-name=$1)'
# Of the many random cases, above all of finite processes, these checks run a part; what looks at sources only, they need not.
picked        = $(if $(filter spec,$(SPECS)),$1,$(SPECS))
WATCHED_SPECS = $(filter-out spec/00_%,$(sort $(wildcard spec/*_spec.lua)))
SANITIZED = OPTIMIZE='-O1 -g -fno-omit-frame-pointer' LUAJIT=luajit
check-asan: ## specs with the address, leak and undefined-behaviour sanitizers
	$(plain_path)
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan $(SANITIZED) SPECS='$(call picked,$(WATCHED_SPECS))' \
	  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
	  RUN="$(call preload,libasan.so) TRPO_CASES_SHARE=0.3 SPEC_EXACT_SHARE=0.3 \
	  ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	  LSAN_OPTIONS=suppressions=$(CURDIR)/spec/support/lsan.supp:print_suppressions=0"

# Sweeps, pictures and pages are processes of one thread each, and the programs of the documents do for long what other
# specs do in short: the address sanitizer watches them, this one need not.
TSAN_SPECS = $(filter-out spec/68_% spec/86_% spec/87_% spec/88_% spec/9%,$(WATCHED_SPECS))
# It holds a signal back while code that is not instrumented runs, as a loop in Lua that never ends.
check-tsan: ## C tests and specs with the thread sanitizer
	$(plain_path)
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/tsan $(SANITIZED) SPECS='$(call picked,$(TSAN_SPECS))' \
	  FILTER='--filter-out=the.second.signal $(FILTER)' \
	  SANITIZE='-fsanitize=thread' RUN="$(call preload,libtsan.so) TRPO_CASES_SHARE=0.1 SPEC_EXACT_SHARE=0.3 \
	  TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1:die_after_fork=0:suppressions=$(CURDIR)/spec/support/tsan.supp"

# The collector never rests, with the JIT compiler and, beside it under make -j, without; LUA_INIT reaches child processes
# too. Each file of specs has a process of its own: every collection walks the whole heap, and all files make a large one.
# Programs in C and tools have no collector.
define gc_pass
code=0; for spec in $(call picked,$(filter-out spec/0%,$(WATCHED_SPECS))); do \
  said=$$($(TREE) LUA_INIT='@$(CURDIR)/spec/support/gc.lua' $1 $(BUSTED) $(FILTER) $$spec 2>&1 </dev/null) || { code=1; echo "$$spec:"; }; \
  printf '%s\n' "$$said"; \
done; exit $$code
endef
check-gc: check-gc-jit check-gc-interpreter ## specs with the most aggressive collector, JIT on and off
check-gc-jit: all ctest
	@$(call gc_pass,TRPO_CASES_SHARE=0.3 SPEC_EXACT_SHARE=0.1)
check-gc-interpreter: all ctest
	@$(call gc_pass,TRPO_JIT=off TRPO_CASES_SHARE=0.2 SPEC_EXACT_SHARE=0.1)

# Valgrind 3.19 knows no AVX-512, and of LuaJIT only the interpreter. The C tests run under it as well, but for
# what takes the long double for its oracle, which valgrind rounds to double. Of the random cases it runs a part.
# Left out is what reaches no line of C that the rest does not, and takes minutes here: the same once more on other numbers
# of threads (which valgrind runs one at a time; the thread sanitizer has them), whole trainings, oracles in Lua.
VALGRIND_SPECS ?= $(filter-out spec/48_% spec/50_% spec/51_%,$(wildcard spec/02_* spec/[1-5]*_spec.lua))
VALGRIND_LESS  := vmath_test trig_test same.bits.on learns,.never.increases \
                  narrower.than.either narrower.than.the.observations:.the.factors by.hand,.*2.3.17 \
                  fit.after.it.on.*Pendulum fit.after.it.on.*double
valgrind = valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
           --suppressions=$(CURDIR)/spec/support/valgrind.supp
check-valgrind: ## a subset of the specs under valgrind's memcheck
	$(plain_path)
	@$(call install_missing,$(PACKAGES) $(DEV_PACKAGES))
	@$(MAKE) --no-print-directory check SPECS='$(VALGRIND_SPECS)' LUAJIT_ARGS=-joff \
	  FILTER='$(addprefix --filter-out=,$(VALGRIND_LESS)) $(FILTER)' \
	  RUN="env TRPO_ISA=avx2 TRPO_CASES_SHARE=0.05 OPENBLAS_CORETYPE=Haswell TRPO_UNDER='$(valgrind)' $(valgrind)"

# The specs that drive Python's packages: comparisons with NumPy, SciPy, Gymnasium and rliable, readers of our files. The
# packages are wheels of these very versions; where they cannot be had (no network, another Python), it says so and is done.
# A version that is not among those that there are, or does not go with the others, is a failure; so is what does not load.
PYTHON_VENV  := $(BUILD)/python
PYTHON_SPECS  = $(shell grep -l '\#python' $(wildcard spec/*_spec.lua))
PYTHON_LOADED = numpy, scipy, pandas, gymnasium, safetensors, rliable.library, tensorboard
pins_are_wrong = $(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
  && grep -Eqs 'from versions: [0-9]|ResolutionImpossible' $(PYTHON_VENV)/log \
  && ! grep -q 'connection broken by' $(PYTHON_VENV)/log
check-python: ## specs beside Python's packages, which it installs into build/python
	@$(call install_missing,$(PACKAGES) $(PYTHON_PACKAGES))
	@if $(MAKE) --no-print-directory $(PYTHON_VENV)/installed; then \
	  $(PYTHON_VENV)/bin/python -c 'import $(PYTHON_LOADED)' && \
	  $(MAKE) --no-print-directory check SPECS='$(call picked,$(PYTHON_SPECS))' FILTER='--tags=python $(FILTER)' \
	    RUN="env TRPO_PYTHON='$(abspath $(PYTHON_VENV))/bin/python'"; \
	elif $(pins_are_wrong); then \
	  echo "check-python: there is no such version as spec/support/python.txt wants, or not together with the others"; \
	  exit 1; \
	else \
	  echo "check-python: skipped, Python's packages cannot be installed here"; \
	fi

# The stamp comes last, so that an installation that was interrupted is made anew.
$(PYTHON_VENV)/installed: spec/support/python.txt
	$(call say,PIP,$(PYTHON_VENV))
	@$(PYTHON) -m venv --clear $(PYTHON_VENV)
	@$(PYTHON_VENV)/bin/python -m pip install -q --no-input --disable-pip-version-check --retries 2 --timeout 20 \
	  --only-binary :all: --no-binary rliable -r $< >$(PYTHON_VENV)/log 2>&1 || { cat $(PYTHON_VENV)/log; exit 1; }
	@touch $@

# ---- fuzzing -----------------------------------------------------------------------------------
# Each target reads hostile bytes for FUZZ_SECONDS, beginning with the seeds of the tree; what ends it stays in
# $(BUILD)/fuzz. The readers are instrumented, the rest is linked as it is.

FUZZ_SECONDS ?= 60
FUZZ    ?= $(patsubst spec/fuzz/%_fuzz.c,%,$(sort $(wildcard spec/fuzz/*_fuzz.c)))
READERS := $(addprefix src/base/,buffer.c bytes.c fault.c json.c utf8.c) \
           $(addprefix src/tensor/,packed.c npy.c bundle.c safetensors.c csv.c)

fuzz: ## fuzz the readers of files, FUZZ_SECONDS=60 each; FUZZ=npy picks one
	@$(call install_missing,$(PACKAGES) $(FUZZ_PACKAGES))
	@$(MAKE) --no-print-directory $(addprefix $(BUILD)/fuzz/,$(FUZZ))
	@for target in $(FUZZ); do \
	  mkdir -p $(BUILD)/fuzz/corpus/$$target && \
	  $(BUILD)/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=$(BUILD)/fuzz/$$target- $(BUILD)/fuzz/corpus/$$target spec/fuzz/seeds/$$target || exit 1; \
	done

$(BUILD)/fuzz/%: spec/fuzz/%_fuzz.c $(READERS) $(wildcard src/zip/archive.c) $(BUILD)/fuzz/rest.a
	$(call say,CC,$<)
	$(Q)clang -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -Isrc -Ispec/fuzz -o $@ \
	  $< $(READERS) $(if $(filter zip,$*),src/zip/archive.c) $(BUILD)/fuzz/rest.a $(LIBS) \
	  $(if $(filter zip,$*),$(shell $(PKG_CONFIG) --cflags --libs libzip))

$(BUILD)/fuzz/rest.a: $(filter-out $(READERS:src/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/lua/%,$(OBJECTS))
	@mkdir -p $(@D) && rm -f $@ && ar rc $@ $^

# ---- lint, documentation, coverage, benchmarks -------------------------------------------------

C_FILES := $(sort $(shell find src spec/c spec/fuzz -name '*.[ch]' 2>/dev/null) $(wildcard bench/*.[ch]))

lint: ## luacheck, clang-format, cppcheck, warnings as errors, current reference
	@$(call install_missing,$(PACKAGES) $(DEV_PACKAGES))
	luacheck --quiet lua spec examples bench docs .busted .luacheckrc config.ld $(wildcard rockspec/*)
	@sh -n bin/trpo && sh -n spec/support/sanitize/luajit && bash -n .ci/run
	@clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	  --suppressions-list=spec/support/cppcheck.supp -Isrc src spec/c
	@$(MAKE) --no-print-directory all ctest BUILD=$(BUILD)/lint WERROR=1
	@$(MAKE) --no-print-directory docs-check

format: ## rewrite the C files in the house style
	clang-format -i $(C_FILES)

# The reference is committed, so that it can be read where the code is.
REFERENCE := docs/reference.md
ldoc = LUA_PATH='$(CURDIR)/docs/?.lua;;' ldoc --testing --fatalwarnings --filter markdown.write .

docs: ## write the reference, docs/reference.md, from the comments in the sources
	@$(call install_missing,$(PACKAGES) $(DEV_PACKAGES))
	@$(ldoc) >$(REFERENCE).new && mv -f $(REFERENCE).new $(REFERENCE)

docs-check:
	@mkdir -p $(BUILD)
	@$(ldoc) >$(BUILD)/reference.md
	@cmp -s $(BUILD)/reference.md $(REFERENCE) || { echo "$(REFERENCE) is not current: run 'make docs'"; exit 1; }

coverage: ## line coverage of the C files by the specs
	@$(call install_missing,$(PACKAGES) $(DEV_PACKAGES))
	@rm -rf $(BUILD)/coverage
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/coverage OPTIMIZE='-O1 -g' \
	  SANITIZE='--coverage -fprofile-update=atomic'; code=$$?; \
	lcov --quiet --capture --no-external --base-directory . --directory $(BUILD)/coverage/obj \
	  --output-file $(BUILD)/coverage/lcov.info 2>$(BUILD)/coverage/lcov.log && lcov --list $(BUILD)/coverage/lcov.info && exit $$code

# CASES='fisher update' runs some of them (luajit bench/run.lua --list names them), and makes the document anew.
CASES ?=
bench: all $(MEASURES) ## speed beside the peers and the machine's limits (minutes); writes docs/performance.md
	@$(TREE) $(LUAJIT) bench/run.lua --save $(CASES)

bench-short: all $(MEASURES) ## the same in less than a minute, to see that it works
	@$(TREE) $(LUAJIT) bench/run.lua short $(CASES)

# What is measured without Lua: programs like the C tests.
$(BUILD)/bench/%: bench/%.c $(wildcard bench/*.h) $(filter-out $(BUILD)/obj/lua/%,$(OBJECTS)) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(C_FLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $< $(filter %.o,$^) $(LIBS)

bench-mdp: all $(MEASURES) ## exact MDPs, beside the peers if they are there (minutes)
	@$(TREE) $(LUAJIT) bench/mdp.lua

bench-peers: bench/.venv/installed ## install the packages that benchmarks compare with into bench/.venv

# the stamp comes last, so that an installation that was interrupted is tried again
bench/.venv/installed: bench/peers.txt
	@test -x bench/.venv/bin/pip || $(PYTHON) -m venv bench/.venv
	$(call say,PIP,bench/.venv)
	@bench/.venv/bin/pip install -qq --disable-pip-version-check -r $<
	@touch $@

bench-learn: all ## how reliably the examples learn: 20 seeds (minutes)
	@$(TREE) $(LUAJIT) bench/learn.lua

# ---- installation ------------------------------------------------------------------------------

PREFIX  ?= /usr/local
LUADIR  ?= $(PREFIX)/share/lua/5.1
LIBDIR  ?= $(PREFIX)/lib/lua/5.1
BINDIR  ?= $(PREFIX)/bin
DESTDIR ?=

install: all ## install under PREFIX, or where LuaRocks says
	@$(MAKE) --no-print-directory install-files

install-files:
	@for file in $(LUA:lua/%=%); do install -D -m 644 lua/$$file '$(DESTDIR)$(LUADIR)'/$$file || exit 1; done
	install -D -m 755 $(CORE) '$(DESTDIR)$(LIBDIR)/trpo/core.so'
	@for module in $(ZIP); do install -D -m 755 $$module '$(DESTDIR)$(LIBDIR)/trpo'/$${module##*/} || exit 1; done
	install -D -m 755 bin/trpo '$(DESTDIR)$(BINDIR)/trpo'

# A release's rockspec names the tarball under DIST_URL (ends in a slash); its source rock needs no address.
DIST_URL ?=
DIST  := $(BUILD)/dist
NAME  := trpo-$(VERSION)
FILES := $(wildcard Makefile README.md CHANGELOG.md CONTRIBUTING.md LICENSE config.ld .busted .luacheckrc \
         .clang-format .editorconfig .gitignore .ci bench bin docs examples lua rockspec spec src)

dist: $(DIST)/$(NAME)-1.src.rock ## tarball, versioned rockspec and source rock

$(DIST)/$(NAME).tar.gz: FORCE
	@mkdir -p $(@D)
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(or $(SOURCE_DATE_EPOCH),0) --exclude=runs --exclude=bench/.venv \
	  --transform='s,^,$(NAME)/,' -cf - $(FILES) | gzip -n9 >$@

$(DIST)/$(NAME)-1.rockspec: rockspec/trpo-scm-1.rockspec $(DIST)/$(NAME).tar.gz
	@sed -e 's,"scm-1","$(VERSION)-1",' -e 's,"file://\.","$(DIST_URL)$(NAME).tar.gz",' -e '/A working copy/d' $< >$@

$(DIST)/$(NAME)-1.src.rock: $(DIST)/$(NAME)-1.rockspec
	@cd $(DIST) && rm -f $(@F) && zip -qX $(@F) $(<F) $(NAME).tar.gz
	@echo "$(DIST): $(NAME).tar.gz $(NAME)-1.rockspec $(NAME)-1.src.rock"

# LuaRocks without our make variables, into a scratch tree; Debian's Lua packages count as provided rocks.
SCRATCH = $(abspath $(BUILD))/scratch
ROCKS   = env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u BUILD LUAROCKS_CONFIG=$(SCRATCH)/config.lua \
          $(LUAROCKS) --lua-version=5.1
define scratch
	@rm -rf $(SCRATCH) && mkdir -p $(SCRATCH)/work/bin $(SCRATCH)/server
	@$(LUAJIT) spec/support/luarocks_config.lua $(SCRATCH)/tree $(LUA_HEADERS) $(SCRATCH)/server >$(SCRATCH)/config.lua
	@ln -s $(SCRATCH)/tree/bin/trpo $(SCRATCH)/work/bin/trpo
	@cp -r spec examples $(SCRATCH)/work
endef
# Only the installed trpo is to be found from there.
INSTALLED = cd $(SCRATCH)/work && env PATH='$(SCRATCH)/tree/bin:$(PATH)' OPENBLAS_NUM_THREADS=1 \
            LUA_PATH='$(SCRATCH)/tree/share/lua/5.1/?.lua;$(SCRATCH)/tree/share/lua/5.1/?/init.lua;$(SCRATCH)/work/spec/?.lua;;' \
            LUA_CPATH='$(SCRATCH)/tree/lib/lua/5.1/?.so;;'

check-installed: SCRATCH := $(abspath $(BUILD))/installed
check-installed: $(DIST)/$(NAME).tar.gz ## install the rock into a scratch tree; specs and training from elsewhere
	$(plain_path)
	$(scratch)
	@tar -xzf $< -C $(SCRATCH)
	@cd $(SCRATCH)/$(NAME) && $(ROCKS) make rockspec/trpo-scm-1.rockspec
	@$(INSTALLED) $(LUAJIT) -e 'print("using " .. package.searchpath("trpo.core", package.cpath))' \
	  | grep -F $(SCRATCH)/tree/
	@$(INSTALLED) $(BUSTED) --exclude-tags=tree $(FILTER) $(SPECS) </dev/null
	@$(INSTALLED) trpo train examples/cartpole.lua --steps 10000 --quiet

# What a user does with a release, word for word.
distcheck: SCRATCH := $(abspath $(BUILD))/distcheck
distcheck: $(DIST)/$(NAME)-1.src.rock ## install the release from a local server, and try it
	$(plain_path)
	$(scratch)
	@cp $(DIST)/$(NAME)-1.* $(SCRATCH)/server && luarocks-admin --lua-version=5.1 make_manifest $(SCRATCH)/server
	$(ROCKS) install --server=$(SCRATCH)/server trpo
	@$(INSTALLED) trpo info
	@$(INSTALLED) trpo train examples/cartpole.lua --steps 10000 --quiet

# ---- the rest ----------------------------------------------------------------------------------

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-16s %s\n", $$1, $$2 }'
