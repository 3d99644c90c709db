// SPDX-License-Identifier: Apache-2.0 OR MIT
/* No program. */
int nothing = 1;
