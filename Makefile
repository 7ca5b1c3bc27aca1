# make run      installs the system packages that are missing, builds, and opens the window on the demo collection;
#               without a display it draws the demo's maps into PNG files and says where they are
# make test     everything that is checked: format, lints, documentation, tests, and the pictures of `make run`
# make install  puts the program and the demo collection under PREFIX (default: ~/.local)
# make demo     extracts the demo collection anew from assets/demo/audio
# make lint     format, lints and documentation alone
# make deps     the system packages of `make test` alone
#
# One profile and one target folder for everything, so that nothing is compiled twice.

SHELL := /bin/sh
CARGO ?= cargo
PREFIX ?= $(HOME)/.local
FLAGS := --release --locked
TAGSCAPE := $(CARGO) run $(FLAGS) --quiet --
MAPS := target/demo-maps

# Mesa's layer that asks a display server for the preferred GPU complains where there is none.
maps views cargo-test: export NODEVICE_SELECT := 1

.PHONY: run test install demo lint deps deps-run build fmt clippy doc cargo-test maps views
.NOTPARALLEL:

run: deps-run build
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" != Linux ]; then \
		$(TAGSCAPE); \
	else \
		echo 'no display: drawing the demo collection into files'; \
		$(MAKE) --no-print-directory maps; \
	fi

test: deps lint cargo-test maps views

lint: fmt clippy doc

deps:
	@tests/setup/system-packages.sh test

deps-run:
	@tests/setup/system-packages.sh run

build:
	$(CARGO) build $(FLAGS)

fmt:
	$(CARGO) fmt --check

# Lints and documentation over the dependencies of the real build: `cargo clippy` and `cargo doc` would check all of them once more.
LINT := RUSTC_WORKSPACE_WRAPPER="$(CURDIR)/tests/setup/lint-rustc.sh"

clippy:
	$(LINT) TAGSCAPE_LINT=clippy $(CARGO) test $(FLAGS) --no-run

doc:
	$(LINT) TAGSCAPE_LINT=doc $(CARGO) build $(FLAGS) --lib

cargo-test:
	@tests/setup/run-tests.sh $(CARGO) $(FLAGS)

# The demo collection as pictures, without a window: what `make run` shows where there is no display.
maps:
	@rm -rf $(MAPS) && mkdir -p $(MAPS)
	$(TAGSCAPE) render --space msd-musicnn-embeddings --out $(MAPS)/segments.png
	$(TAGSCAPE) render --space msd-musicnn-embeddings --view trajectories --out $(MAPS)/trajectories.png
	$(TAGSCAPE) render --space msd-musicnn-embeddings --3d --out $(MAPS)/segments-3d.png
	$(TAGSCAPE) render --space msd-musicnn-taggrams --method original --axes rock,electronic --out $(MAPS)/tags.png
	$(TAGSCAPE) render --space mtt-vgg-embeddings --theme light --out $(MAPS)/light.png
	@for name in segments trajectories segments-3d tags light; do test -s $(MAPS)/$$name.png && echo "$(CURDIR)/$(MAPS)/$$name.png" || exit 1; done

# The pictures of docs/views.md, made anew.
VIEWS := docs/views
SHOT := $(TAGSCAPE) render --space msd-musicnn-embeddings --size 1120x700
views:
	@mkdir -p $(VIEWS)
	@for theme in dark light; do \
	  for view in segments trajectories averages density; do $(SHOT) --theme $$theme --view $$view --out $(VIEWS)/$$view-$$theme.png || exit 1; done; \
	  $(SHOT) --theme $$theme --view trajectories --3d --out $(VIEWS)/space-$$theme.png || exit 1; \
	  $(SHOT) --theme $$theme --method tsne --color-by tag:metal --labels tags --out $(VIEWS)/names-$$theme.png || exit 1; \
	  $(SHOT) --theme $$theme --method tsne --highlight tag:metal\>0.3 --out $(VIEWS)/chosen-$$theme.png || exit 1; \
	done

# The library's own folder is replaced as a whole: the files of an older demo do not stay.
install: build
	@mkdir -p '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/tagscape'
	@target=$$($(CARGO) metadata --format-version 1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p') && \
		install -m 755 "$$target/release/tagscape" '$(DESTDIR)$(PREFIX)/bin/tagscape'
	@rm -rf '$(DESTDIR)$(PREFIX)/share/tagscape/demo'
	@cp -R assets/demo '$(DESTDIR)$(PREFIX)/share/tagscape/demo'
	@cp LICENSE-MIT LICENSE-APACHE models/LICENSE-musicnn '$(DESTDIR)$(PREFIX)/share/tagscape/'
	@echo 'installed: $(DESTDIR)$(PREFIX)/bin/tagscape'

demo: build
	assets/make_demo.py --collection
