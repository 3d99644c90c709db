/* Functions that call functions, none of them inlined. */
#include "program.h"

APART u64 third(u64 a, u64 b)
{
	return (a ^ b >> 7) * 0x9e3779b97f4a7c15ull;
}

APART u64 second(u64 a, u64 b, u64 c)
{
	return third(a + c, b) + (b << 3 ^ c);
}

APART u64 first(u64 a, u64 b)
{
	if (a & 1)
		return second(a, b, 3);
	return third(a, b + 1) ^ b;
}

PROGRAM(calls)
{
	u64 mixed = 1;
	for (u32 i = 0; i < 380; i++) {
		u8 *at = data + i * 4;
		if (!HOLDS(at, 4))
			break;
		mixed = first(read32(at), mixed);
	}
	return fold(mixed);
}
