#!/bin/sh
# Compiles the plug-ins; the results are kept beside them, or in the folder that is given. Needs clang
# and llvm-strip: the versions are set by CLANG and STRIP.
set -eu
out=$(realpath "${1:-$(dirname "$0")}")
cd "$(dirname "$0")"
for source in *.c; do
	object=$out/${source%.c}.o
	# No directory of this machine may end up in the line information.
	"${CLANG:-clang-22}" -O2 -g -Wall -Werror -target bpf -mcpu=v3 \
		-ffile-prefix-map="$PWD/=" -fdebug-compilation-dir=. -c "$source" -o "$object"
	# Leaves the BTF: types, functions and source lines.
	"${STRIP:-llvm-strip-22}" -g "$object"
done
