//! Numbers that wrap: serial-number arithmetic (RFC 1982) and extension to a number that does not wrap.

/// Makes a newtype for a wrapping sequence number, compared by RFC 1982: `a` is before `b` if stepping forward from `a`
/// reaches `b` in less than half the circle.
///
/// The type has no `Ord`: the relation is not transitive around the circle.
#[macro_export]
macro_rules! serial_number {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($inner:ty);) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        $vis struct $name(pub $inner);

        #[allow(dead_code, reason = "not every sequence number needs every operation")]
        impl $name {
            /// The number `count` steps on.
            #[must_use]
            $vis const fn add(self, count: $inner) -> Self {
                Self(self.0.wrapping_add(count))
            }

            /// The number `count` steps back.
            #[must_use]
            $vis const fn sub(self, count: $inner) -> Self {
                Self(self.0.wrapping_sub(count))
            }

            /// The next number.
            #[must_use]
            $vis const fn next(self) -> Self {
                self.add(1)
            }

            /// How many steps forward lead from `earlier` to `self`, modulo the circle.
            $vis const fn since(self, earlier: Self) -> $inner {
                self.0.wrapping_sub(earlier.0)
            }

            /// Whether `self` lies strictly before `other`.
            $vis const fn is_before(self, other: Self) -> bool {
                let ahead = other.since(self);
                ahead != 0 && ahead <= <$inner>::MAX / 2
            }

            /// Whether `self` lies strictly after `other`.
            $vis const fn is_after(self, other: Self) -> bool {
                other.is_before(self)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

/// The number nearest to `expected` whose low 16 bits are `low`.
pub const fn extend_u16(low: u16, expected: u64) -> u64 {
    const CIRCLE: u64 = 1 << 16;
    let candidate = (expected & !(CIRCLE - 1)) | low as u64;
    if candidate > expected && candidate - expected > CIRCLE / 2 && candidate >= CIRCLE {
        candidate - CIRCLE
    } else if candidate < expected && expected - candidate >= CIRCLE / 2 {
        candidate.saturating_add(CIRCLE)
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    serial_number! {
        /// A number for the tests.
        struct N(u16);
    }

    #[test]
    fn every_pair_of_u16_is_ordered_one_way_at_most() {
        for distance in 0..=u16::MAX {
            let (a, b) = (N(0xfff0), N(0xfff0).add(distance));
            assert_eq!(a.is_before(b), (1..=0x7fff).contains(&distance));
            assert!(!(a.is_before(b) && b.is_before(a)));
            assert_eq!(b.since(a), distance);
            assert_eq!(a.is_after(b), b.is_before(a));
        }
        assert_eq!(N(0).sub(1), N(u16::MAX));
        assert_eq!(N(u16::MAX).next(), N(0));
    }

    #[test]
    fn extension_finds_the_nearest_number_everywhere() {
        for expected in [0_u64, 1, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x1_7fff, 0x12_3456] {
            for low in 0..=u16::MAX {
                let found = extend_u16(low, expected);
                assert_eq!(found as u16, low);
                let best = [0, 1, 2]
                    .iter()
                    .filter_map(|k| ((expected >> 16) + k).checked_sub(1))
                    .map(|high| (high << 16 | u64::from(low)).abs_diff(expected))
                    .min()
                    .unwrap();
                assert_eq!(found.abs_diff(expected), best, "{low} near {expected}");
            }
        }
    }
}
