/* Numbers written in base ten: divisions by a constant. */
#include "program.h"

PROGRAM(decimals)
{
	u8 digits[16];
	u32 sum = 0;
	if (!HOLDS(data, 320))
		return 0;
	PASSES(3) {
		for (u32 i = 0; i < 80; i++) {
			u32 value = read32(data + i * 4);
			for (u32 n = 0; n < 10; n++) {
				digits[n] = '0' + value % 10;
				value /= 10;
			}
			for (u32 n = 0; n < 10; n++)
				sum = sum * 33 + digits[9 - n];
		}
	}
	return sum;
}
