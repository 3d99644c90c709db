/* Nothing: what entering and leaving costs. */
#include "../program.h"

PROGRAM(empty)
{
	return 2;
}
