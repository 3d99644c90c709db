//! The unsigned and the signed interval of one width, in one piece: what is done alike for the
//! whole register ([`Wide`]) and for its low half ([`Half`]).

macro_rules! intervals {
    ($(#[$doc:meta])* $name:ident, $u:ty, $s:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) struct $name {
            pub(super) umin: $u,
            pub(super) umax: $u,
            pub(super) smin: $s,
            pub(super) smax: $s,
        }

        impl $name {
            /// Every value.
            pub(super) const UNKNOWN: $name =
                $name { umin: 0, umax: <$u>::MAX, smin: <$s>::MIN, smax: <$s>::MAX };

            /// The unsigned interval, and the signed one if it is the same set.
            #[inline]
            pub(super) const fn of_unsigned(umin: $u, umax: $u) -> $name {
                if (umin as $s) <= (umax as $s) {
                    $name { umin, umax, smin: umin as $s, smax: umax as $s }
                } else {
                    $name { umin, umax, ..$name::UNKNOWN }
                }
            }

            /// The signed interval alone.
            #[inline]
            pub(super) const fn of_signed(smin: $s, smax: $s) -> $name {
                $name { smin, smax, ..$name::UNKNOWN }
            }

            /// Both intervals have a member.
            #[inline]
            pub(super) const fn is_ordered(&self) -> bool {
                self.umin <= self.umax && self.smin <= self.smax
            }

            /// Neither the unsigned nor the signed intervals are apart.
            #[inline]
            pub(super) const fn overlaps(&self, other: &$name) -> bool {
                self.umin <= other.umax
                    && other.umin <= self.umax
                    && self.smin <= other.smax
                    && other.smin <= self.smax
            }

            /// Sums. The unsigned interval holds when both ends wrap or neither does, the signed
            /// one when neither end overflows.
            #[inline]
            pub(super) const fn add(self, other: $name) -> $name {
                let (umin, low) = self.umin.overflowing_add(other.umin);
                let (umax, high) = self.umax.overflowing_add(other.umax);
                let signed = match (
                    self.smin.checked_add(other.smin),
                    self.smax.checked_add(other.smax),
                ) {
                    (Some(smin), Some(smax)) => $name::of_signed(smin, smax),
                    _ => $name::UNKNOWN,
                };
                if low == high { $name { umin, umax, ..signed } } else { signed }
            }

            /// Differences, with the rules of [`Self::add`].
            #[inline]
            pub(super) const fn sub(self, other: $name) -> $name {
                let (umin, low) = self.umin.overflowing_sub(other.umax);
                let (umax, high) = self.umax.overflowing_sub(other.umin);
                let signed = match (
                    self.smin.checked_sub(other.smax),
                    self.smax.checked_sub(other.smin),
                ) {
                    (Some(smin), Some(smax)) => $name::of_signed(smin, smax),
                    _ => $name::UNKNOWN,
                };
                if low == high { $name { umin, umax, ..signed } } else { signed }
            }

            /// Products. An interval is given up when a product of its ends overflows.
            #[inline]
            pub(super) fn mul(self, other: $name) -> $name {
                let signed = match (
                    self.smin.checked_mul(other.smin),
                    self.smin.checked_mul(other.smax),
                    self.smax.checked_mul(other.smin),
                    self.smax.checked_mul(other.smax),
                ) {
                    (Some(a), Some(b), Some(c), Some(d)) => {
                        $name::of_signed(a.min(b).min(c).min(d), a.max(b).max(c).max(d))
                    }
                    _ => $name::UNKNOWN,
                };
                match self.umax.checked_mul(other.umax) {
                    Some(umax) => $name { umin: self.umin.wrapping_mul(other.umin), umax, ..signed },
                    None => signed,
                }
            }

            /// Left shifts by a known amount below the width. Given up when the maximum, shifted,
            /// passes the sign bit, although the unsigned interval would hold one bit longer.
            #[inline]
            pub(super) const fn lsh(self, amount: u32) -> $name {
                if self.umax > (1 << (<$u>::BITS - 1)) >> amount {
                    return $name::UNKNOWN;
                }
                let umin = self.umin.wrapping_shl(amount);
                $name { umin, umax: self.umax.wrapping_shl(amount), ..$name::UNKNOWN }
            }

            /// Logical right shifts by a known amount below the width.
            #[inline]
            pub(super) const fn rsh(self, amount: u32) -> $name {
                let umin = self.umin.wrapping_shr(amount);
                $name { umin, umax: self.umax.wrapping_shr(amount), ..$name::UNKNOWN }
            }

            /// Arithmetic right shifts by a known amount below the width.
            #[inline]
            pub(super) const fn arsh(self, amount: u32) -> $name {
                $name::of_signed(self.smin.wrapping_shr(amount), self.smax.wrapping_shr(amount))
            }

            /// What both say.
            #[inline]
            pub(super) fn meet(self, other: $name) -> $name {
                $name {
                    umin: self.umin.max(other.umin),
                    umax: self.umax.min(other.umax),
                    smin: self.smin.max(other.smin),
                    smax: self.smax.min(other.smax),
                }
            }

            /// One exchange between the unsigned and the signed interval. On the circle of values
            /// the unsigned interval is an arc that does not pass 0, the signed one an arc that
            /// does not pass the sign boundary. One that passes neither is valid for both. A signed
            /// arc from negative to non-negative is, unsigned, two arcs: if the unsigned interval
            /// meets one of them only, that one holds.
            #[inline]
            pub(super) fn cross(&mut self) {
                if self.umin as $s <= self.umax as $s {
                    self.smin = self.smin.max(self.umin as $s);
                    self.smax = self.smax.min(self.umax as $s);
                }
                if self.smin as $u <= self.smax as $u {
                    self.umin = self.umin.max(self.smin as $u);
                    self.umax = self.umax.min(self.smax as $u);
                } else if self.umax < self.smin as $u {
                    self.smin = self.umin as $s;
                    self.umax = self.umax.min(self.smax as $u);
                } else if self.umin > self.smax as $u {
                    self.smax = self.umax as $s;
                    self.umin = self.umin.max(self.smin as $u);
                }
            }
        }
    };
}

intervals! {
    /// The intervals of the whole register.
    Wide, u64, i64
}

intervals! {
    /// The intervals of the low half.
    Half, u32, i32
}
