/* An integer loop: additions, multiplications, exclusive ors. */
#include "program.h"

PROGRAM(integers)
{
	if (!HOLDS(data, 64))
		return 0;
	u64 a = read64(data), b = read64(data + 8);
	for (u32 i = 0; i < 2000; i++) {
		a = a * 5 + i;
		b = (b ^ a) - (a >> 3);
		a += b & 0xffff;
	}
	return fold(a ^ b);
}
