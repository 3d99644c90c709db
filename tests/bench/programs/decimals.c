/* Numbers written in base ten: divisions by a constant. */
#include "program.h"

PROGRAM(decimals)
{
	u8 digits[16];
	u32 sum = 0;
	for (u32 i = 0; i < 80; i++) {
		u8 *at = data + i * 4;
		if (!HOLDS(at, 4))
			break;
		u32 value = read32(at);
		for (u32 n = 0; n < 10; n++) {
			digits[n] = '0' + value % 10;
			value /= 10;
		}
		for (u32 n = 0; n < 10; n++)
			sum = sum * 33 + digits[9 - n];
	}
	return sum;
}
