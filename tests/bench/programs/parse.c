/* Parsing and branching: Ethernet, VLAN tags, IPv4 and IPv6, TCP, UDP and ICMP, frame after frame. */
#include "program.h"

INLINE u32 big16(const u8 *at) { return at[0] << 8 | at[1]; }

INLINE u32 transport(const u8 *at, u32 protocol)
{
	switch (protocol) {
	case 6:
		return 3 + (big16(at) ^ big16(at + 2)) + ((at[13] & 2) ? 100000 : 0);
	case 17:
		return big16(at + 2) == 53 ? 7 : 5 + big16(at + 4);
	case 1:
	case 58:
		return 11 + at[0];
	default:
		return 13;
	}
}

INLINE u32 internet(const u8 *at, u32 ethertype)
{
	if (ethertype == 0x0800) {
		if (at[0] >> 4 != 4)
			return 17;
		if (big16(at + 6) & 0x3fff)
			return 19;
		u32 value = (at[0] & 15) == 5 ? transport(at + 20, at[9]) : transport(at + 24, at[9]);
		return value + at[8];
	}
	/* Of the 40 bytes of IPv6 a frame here has 32: next header and hops are there. */
	if (ethertype == 0x86dd)
		return at[6] == 58 ? 23 : 29 + at[7];
	if (ethertype == 0x0806)
		return 31 + at[7];
	return 37;
}

PROGRAM(parse)
{
	u32 seen = 0;
	PASSES(28) {
		for (u32 i = 0; i < 24; i++) {
			u8 *at = data + i * 64;
			if (!HOLDS(at, 64))
				return 0;
			u32 ethertype = big16(at + 12);
			if (ethertype == 0x8100 || ethertype == 0x88a8)
				seen = seen * 3 + 1 + internet(at + 18, big16(at + 16));
			else
				seen = seen * 3 + internet(at + 14, ethertype);
		}
	}
	return seen;
}
