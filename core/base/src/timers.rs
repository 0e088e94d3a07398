//! A small table of named deadlines.

use core::fmt::Debug;

use crate::Instant;

/// The names of one machine's timers: a field-less enum whose variants number its slots from 0.
pub trait TimerKind: Copy + Debug + 'static {
    /// Every timer, in the order in which simultaneous ones fire; `ALL[k.index()] == k`.
    const ALL: &'static [Self];

    /// The slot of this timer.
    fn index(self) -> usize;
}

/// The deadlines of one machine, one slot for each of `N` timers of kind `K`.
///
/// A machine has few timers, so a scan of the table beats a heap; the minimum is cached because it is asked for far more
/// often than it changes.
#[derive(Clone, Debug)]
pub struct Timers<K, const N: usize> {
    deadlines: [Option<Instant>; N],
    next: Option<Instant>,
    kinds: core::marker::PhantomData<K>,
}

impl<K: TimerKind, const N: usize> Default for Timers<K, N> {
    fn default() -> Self {
        const { assert!(K::ALL.len() == N, "one slot for each timer") };
        Self { deadlines: [None; N], next: None, kinds: core::marker::PhantomData }
    }
}

impl<K: TimerKind, const N: usize> Timers<K, N> {
    /// Starts the timer, or moves its deadline.
    pub fn set(&mut self, timer: K, at: Instant) {
        self.replace(timer, Some(at));
    }

    /// Stops the timer; nothing happens if it was not running.
    pub fn stop(&mut self, timer: K) {
        self.replace(timer, None);
    }

    /// Stops every timer.
    pub fn stop_all(&mut self) {
        self.deadlines = [None; N];
        self.next = None;
    }

    /// The timer's deadline, if it is running.
    pub fn get(&self, timer: K) -> Option<Instant> {
        self.deadlines[timer.index()]
    }

    /// The earliest deadline of all.
    pub const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Takes one timer whose deadline is at or before `now`, and stops it.
    pub fn expire(&mut self, now: Instant) -> Option<K> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        let fired = K::ALL.iter().copied().find(|k| self.get(*k).is_some_and(|at| at <= now))?;
        self.stop(fired);
        Some(fired)
    }

    fn replace(&mut self, timer: K, at: Option<Instant>) {
        let slot = &mut self.deadlines[timer.index()];
        let was = core::mem::replace(slot, at);
        match (at, self.next) {
            (Some(at), Some(next)) if at <= next => self.next = Some(at),
            (Some(at), None) => self.next = Some(at),
            _ if was.is_some() && was == self.next => {
                self.next = self.deadlines.iter().flatten().min().copied();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Kind {
        A,
        B,
    }

    impl TimerKind for Kind {
        const ALL: &'static [Self] = &[Self::A, Self::B];
        fn index(self) -> usize {
            self as usize
        }
    }

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn next_is_always_the_minimum() {
        let mut timers = Timers::<Kind, 2>::default();
        assert_eq!(timers.next(), None);
        timers.set(Kind::A, at(5));
        timers.set(Kind::B, at(3));
        assert_eq!(timers.next(), Some(at(3)));
        timers.set(Kind::B, at(9));
        assert_eq!(timers.next(), Some(at(5)));
        timers.stop(Kind::A);
        assert_eq!(timers.next(), Some(at(9)));
        timers.stop(Kind::B);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn expired_timers_fire_once_in_table_order() {
        let mut timers = Timers::<Kind, 2>::default();
        timers.set(Kind::B, at(1));
        timers.set(Kind::A, at(2));
        assert_eq!(timers.expire(at(0)), None);
        assert_eq!(timers.expire(at(2)), Some(Kind::A));
        assert_eq!(timers.expire(at(2)), Some(Kind::B));
        assert_eq!(timers.expire(at(2)), None);
        assert_eq!(timers.next(), None);
    }
}
