#!/bin/sh
# Compiles the programs that are rejected on purpose; the results are kept beside them. Needs clang
# and llvm-strip: the versions are set by CLANG and STRIP.
set -eu
cd "$(dirname "$0")"
for source in *.c; do
	object=${source%.c}.o
	# No directory of this machine may end up in the line information.
	"${CLANG:-clang-22}" -O2 -g -Wall -Wno-unused-variable -target bpf -mcpu=v3 -I ../../../../tests/programs \
		-ffile-prefix-map="$PWD/=" -fdebug-compilation-dir=. -c "$source" -o "$object"
	# Leaves the BTF: types, functions and source lines.
	"${STRIP:-llvm-strip-22}" -g "$object"
	echo "$object"
done
