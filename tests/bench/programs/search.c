/* Search for a string of four bytes, each compared by itself, wherever it is in a packet. */
#include "program.h"

PROGRAM(search)
{
	if (!HOLDS(data, 64))
		return 0;
	u8 a = data[40], b = data[41], c = data[42], d = data[43];
	u32 found = 0;
	for (u32 i = 0; i < 1400; i++) {
		u8 *at = data + i;
		if (!HOLDS(at, 4))
			break;
		if (at[0] == a && at[1] == b && at[2] == c && at[3] == d)
			found = found * 5 + i;
	}
	return found;
}
