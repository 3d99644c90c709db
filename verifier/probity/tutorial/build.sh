#!/bin/sh
# Compiles the plug-ins of the tutorial for the examples of the library's pages; the results are kept
# beside them. Needs clang, and the command `probity` for the header.
set -eu
cd "$(dirname "$0")"
probity="${PROBITY:-cargo run -q -p probity-cli --}"
$probity spec header gate.bpfspec > gate.h
grep -v client_put admit.c > leaky.c
for name in admit leaky; do
	"${CLANG:-clang-22}" -g -O2 -target bpf -fdebug-compilation-dir=. -c $name.c -o $name.o
done
rm gate.h leaky.c
