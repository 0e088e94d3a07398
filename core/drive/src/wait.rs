//! Waiting on shared state with nothing but wakers.
//!
//! Whoever waits holds a ticket in a list. A ticket is taken out when its future completes or is dropped, so that a list
//! is never longer than the futures that wait on it, and a dropped future leaves nothing behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pavane::{ChannelId, ReceiverId};

use crate::state::{Shared, State};

/// Those who wait for one kind of news, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    next: u64,
    waiters: BTreeMap<u64, Waiter>,
}

#[derive(Debug)]
struct Waiter {
    /// Absent once woken.
    waker: Option<Waker>,
    /// How low a level the waiter waits for; only lists of writers use it.
    level: usize,
}

impl WaitList {
    /// Puts a waiter in, or keeps it in; returns its number and a waker that is of no more use.
    fn register(&mut self, number: Option<u64>, waker: &Waker, level: usize) -> (u64, Option<Waker>) {
        let number = number.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let waiter = self.waiters.entry(number).or_insert(Waiter { waker: None, level });
        waiter.level = level;
        match &waiter.waker {
            Some(known) if known.will_wake(waker) => (number, None),
            _ => (number, waiter.waker.replace(waker.clone())),
        }
    }

    /// Takes a waiter out; returns its waker, unless it had been woken.
    fn remove(&mut self, number: u64) -> Option<Waker> {
        self.waiters.remove(&number).and_then(|waiter| waiter.waker)
    }

    /// The highest level that somebody waits for.
    pub(crate) fn highest_level(&self) -> Option<usize> {
        self.waiters.values().filter(|waiter| waiter.waker.is_some()).map(|waiter| waiter.level).max()
    }

    pub(crate) fn wake_all(&mut self, woken: &mut Vec<Waker>) {
        self.wake_at(0, woken);
    }

    /// Wakes those who wait for `level` or a higher one.
    pub(crate) fn wake_at(&mut self, level: usize, woken: &mut Vec<Waker>) {
        let satisfied = self.waiters.values_mut().filter(|waiter| waiter.level >= level);
        woken.extend(satisfied.filter_map(|waiter| waiter.waker.take()));
    }

    /// Wakes the one who came first, unless that one is awake already.
    pub(crate) fn wake_first(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.waiters.first_entry().and_then(|mut first| first.get_mut().waker.take()));
    }
}

/// Which list to wait in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListId {
    /// Events of the connection.
    Events,
    /// Any state of the connection.
    Status,
    /// Room in the connection's send buffer.
    Room,
    /// Messages of a channel.
    Readers(ChannelId),
    /// A channel's buffered amount.
    Writers(ChannelId),
    /// A channel's state.
    ChannelStatus(ChannelId),
    /// Packets of a track.
    Packets(ReceiverId),
}

/// What an attempt came to.
pub(crate) enum Attempt<T> {
    Done(T),
    /// Try again after news in the list, or once the list's level is as low as this.
    Wait(ListId, usize),
}

/// One place in a list at most; given up when dropped.
#[derive(Debug)]
pub(crate) struct Waiting {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
}

#[derive(Clone, Copy, Debug)]
struct Ticket {
    list: ListId,
    number: u64,
}

impl Waiting {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: shared.clone(), ticket: None }
    }

    /// Attempts until it is done, waiting between attempts.
    pub(crate) async fn until<T>(mut self, mut attempt: impl FnMut(&mut State) -> Attempt<T>) -> T {
        core::future::poll_fn(move |cx| self.poll(cx, &mut attempt)).await
    }

    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnOnce(&mut State) -> Attempt<T>,
    ) -> Poll<T> {
        let mut state = self.shared.lock();
        match attempt(&mut state) {
            Attempt::Done(value) => {
                give_up(&mut state, self.ticket.take());
                Poll::Ready(value)
            }
            Attempt::Wait(list, level) => {
                let number = match self.ticket.take() {
                    Some(ticket) if ticket.list == list => Some(ticket.number),
                    other => {
                        give_up(&mut state, other);
                        None
                    }
                };
                if let Some((number, useless)) =
                    state.list(list).map(|waiters| waiters.register(number, cx.waker(), level))
                {
                    self.ticket = Some(Ticket { list, number });
                    state.retire(useless);
                }
                state.registered(list);
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            give_up(&mut self.shared.lock(), self.ticket.take());
        }
    }
}

/// Takes a ticket out of its list. Of those who wait for room one is woken at a time: a woken one that leaves passes it on.
fn give_up(state: &mut State, ticket: Option<Ticket>) {
    let Some(Ticket { list, number }) = ticket else { return };
    let waker = state.list(list).and_then(|waiters| waiters.remove(number));
    if waker.is_none() && list == ListId::Room {
        state.wake_for_room();
    }
    state.retire(waker);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wake(woken: Vec<Waker>) -> usize {
        let count = woken.len();
        woken.into_iter().for_each(Waker::wake);
        count
    }

    #[test]
    fn a_waiter_is_woken_once_per_registration() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut list = WaitList::default();
        let (number, _) = list.register(None, &waker, 0);
        for expected in [1, 0] {
            let mut woken = Vec::new();
            list.wake_all(&mut woken);
            assert_eq!(wake(woken), expected);
        }
        assert_eq!(list.register(Some(number), &waker, 0).0, number, "it keeps its place");
        let mut woken = Vec::new();
        list.wake_all(&mut woken);
        wake(woken);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(list.remove(number).is_none(), "it was awake when it left");
        assert!(list.waiters.is_empty());
    }

    #[test]
    fn the_first_is_woken_until_it_leaves() {
        let mut list = WaitList::default();
        let (first, _) = list.register(None, Waker::noop(), 0);
        let (second, _) = list.register(None, Waker::noop(), 0);
        let mut woken = Vec::new();
        list.wake_first(&mut woken);
        list.wake_first(&mut woken);
        assert_eq!(woken.len(), 1, "one at a time");
        assert!(list.remove(first).is_none());
        list.wake_first(&mut woken);
        assert_eq!(woken.len(), 2);
        assert!(list.remove(second).is_none());
        assert!(list.waiters.is_empty());
    }

    #[test]
    fn levels_wake_those_who_can_go_on() {
        let mut list = WaitList::default();
        list.register(None, Waker::noop(), 100);
        list.register(None, Waker::noop(), 1000);
        assert_eq!(list.highest_level(), Some(1000));
        let mut woken = Vec::new();
        list.wake_at(500, &mut woken);
        assert_eq!((woken.len(), list.highest_level()), (1, Some(100)));
        list.wake_at(100, &mut woken);
        assert_eq!((woken.len(), list.highest_level()), (2, None));
    }
}
