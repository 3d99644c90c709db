/* A hash in the manner of murmur: words, multiplications, rotations. */
#include "program.h"

INLINE u32 rotate(u32 value, u32 by) { return value << by | value >> (32 - by); }

PROGRAM(murmur)
{
	u32 hash = 0x9747b28c;
	if (!HOLDS(data, 1400))
		return 0;
	PASSES(4) {
		for (u32 i = 0; i < 350; i++) {
			u32 word = read32(data + i * 4) * 0xcc9e2d51;
			hash ^= rotate(word, 15) * 0x1b873593;
			hash = rotate(hash, 13) * 5 + 0xe6546b64;
		}
	}
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}
