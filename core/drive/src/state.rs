//! What handles and driver share behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use pavane::{ChannelId, CloseReason, Datagram, Event, Instant, Received, ReceiverId};

use crate::Clock;
use crate::channel::Info;
use crate::sync::{Mutex, MutexGuard};
use crate::track::Inbox;
use crate::wait::{ListId, WaitList};

/// The lock.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(peer: pavane::PeerConnection, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                peer,
                clock,
                latest: clock.now(),
                events: VecDeque::new(),
                channels: BTreeMap::new(),
                inboxes: BTreeMap::new(),
                event_waiters: WaitList::default(),
                status_waiters: WaitList::default(),
                room_waiters: WaitList::default(),
                driver: DriverState::Busy,
                ended: None,
                counters: Counters::default(),
                woken: Vec::new(),
                retired: Vec::new(),
            }),
        }
    }

    /// Locks. A panic of whoever held the lock does not concern the others: every change of the state is complete
    /// before code that is not ours can run.
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked { guard: Some(self.state.lock().unwrap_or_else(PoisonError::into_inner)) }
    }

    /// Lets the application speak to the core, and the driver follow up on it.
    pub(crate) fn command<T>(&self, command: impl FnOnce(&mut pavane::PeerConnection, Instant) -> T) -> T {
        let mut state = self.lock();
        let now = state.now();
        let result = command(&mut state.peer, now);
        state.dispatch();
        state.wake_driver();
        result
    }
}

/// The state, locked. The wakers that were collected meanwhile are woken, and dropped, once the lock is free again: with
/// the last waker a task may go, and with the task a handle, whose drop locks.
pub(crate) struct Locked<'s> {
    guard: Option<MutexGuard<'s, State>>,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.guard.as_ref().expect("the guard is there until the drop")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.guard.as_mut().expect("the guard is there until the drop")
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let woken = mem::take(&mut self.woken);
        let retired = mem::take(&mut self.retired);
        self.guard = None;
        drop(retired);
        woken.into_iter().for_each(Waker::wake);
    }
}

/// A connection, what it has told and nobody has heard yet, and who waits for what.
pub(crate) struct State {
    pub(crate) peer: pavane::PeerConnection,
    clock: Clock,
    latest: Instant,
    events: VecDeque<Event>,
    /// Boxed, for a node of the tree has room for eleven.
    channels: BTreeMap<ChannelId, Box<Entry>>,
    inboxes: BTreeMap<ReceiverId, Inbox>,
    event_waiters: WaitList,
    status_waiters: WaitList,
    room_waiters: WaitList,
    driver: DriverState,
    ended: Option<CloseReason>,
    pub(crate) counters: Counters,
    woken: Vec<Waker>,
    retired: Vec<Waker>,
}

/// A channel that a handle exists for, or an event that carries one.
struct Entry {
    info: Arc<Info>,
    readers: WaitList,
    writers: WaitList,
    status: WaitList,
}

/// Where the driver is.
enum DriverState {
    /// It was told, or is at work.
    Busy,
    /// It waits.
    Asleep(Waker),
    /// It has done its last turn.
    Gone,
}

/// What went wrong beside the protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Sends that the operating system refused.
    pub send_errors: u64,
    /// Receives that the operating system refused.
    pub receive_errors: u64,
    /// Sockets that were given up after a row of errors.
    pub sockets_lost: u64,
    /// Transmits whose local address no socket has.
    pub without_socket: u64,
    /// Messages that were dropped because their stream was not there, or did not take what waited already.
    pub stream_drops: u64,
    /// Events that were dropped because the application does not take any.
    pub events_dropped: u64,
    /// Channels of the peer that were closed because the application does not take events.
    pub channels_refused: u64,
    /// Packets of tracks that were dropped because the application does not take them.
    pub packets_dropped: u64,
}

/// How many events wait for the application. State changes beyond are dropped (the getters tell the latest state) and
/// channels that the peer opens are closed.
const MAX_EVENTS: usize = 1024;

impl State {
    /// The time, which never goes back, in whichever thread it is asked for.
    pub(crate) fn now(&mut self) -> Instant {
        self.latest = self.latest.max(self.clock.now());
        self.latest
    }

    /// The time that somebody read, unless it is later already.
    pub(crate) fn not_before(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    pub(crate) const fn clock(&self) -> Clock {
        self.clock
    }

    /// Why the connection has ended, if it has.
    pub(crate) const fn ended(&self) -> Option<&CloseReason> {
        self.ended.as_ref()
    }

    pub(crate) const fn driver_gone(&self) -> bool {
        matches!(self.driver, DriverState::Gone)
    }

    pub(crate) fn pop_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front();
        if self.events.is_empty() {
            // Events are rare once a connection is at rest, and there may be thousands of those.
            self.events = VecDeque::new();
        }
        event
    }

    pub(crate) fn list(&mut self, id: ListId) -> Option<&mut WaitList> {
        match id {
            ListId::Events => Some(&mut self.event_waiters),
            ListId::Status => Some(&mut self.status_waiters),
            ListId::Room => Some(&mut self.room_waiters),
            ListId::Readers(id) => self.channels.get_mut(&id).map(|entry| &mut entry.readers),
            ListId::Writers(id) => self.channels.get_mut(&id).map(|entry| &mut entry.writers),
            ListId::ChannelStatus(id) => self.channels.get_mut(&id).map(|entry| &mut entry.status),
            ListId::Packets(id) => self.inboxes.get_mut(&id).map(|inbox| &mut inbox.readers),
        }
    }

    /// Asks the core for the news that the waiters of a list wait for.
    pub(crate) fn registered(&mut self, list: ListId) {
        let ListId::Writers(id) = list else { return };
        let level = self.channels.get(&id).and_then(|entry| entry.writers.highest_level());
        if let (Some(level), Some(mut channel)) = (level, self.peer.channel(id)) {
            channel.set_buffered_amount_low_threshold(level);
        }
    }

    /// Gives the core a datagram, and packets of media to whoever waits for them.
    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: Datagram<'_>) {
        if let Received::Rtp(received) = self.peer.handle_datagram(now, datagram)
            && let Some(inbox) = self.inboxes.get_mut(&received.receiver)
        {
            self.counters.packets_dropped += u64::from(inbox.push(now, &received));
            inbox.readers.wake_all(&mut self.woken);
        }
    }

    /// The packets of a track that a handle exists for.
    pub(crate) fn inbox(&mut self, id: ReceiverId) -> Option<&mut Inbox> {
        self.inboxes.get_mut(&id)
    }

    /// Nobody holds one announcement of a track any more; after the last of them its packets are dropped.
    pub(crate) fn close_inbox(&mut self, id: ReceiverId) {
        let Some(inbox) = self.inboxes.get_mut(&id) else { return };
        inbox.announced -= 1;
        if inbox.announced == 0 {
            self.inboxes.remove(&id);
        }
    }

    fn wake_readers(&mut self, id: ReceiverId) {
        if let Some(inbox) = self.inboxes.get_mut(&id) {
            inbox.readers.wake_all(&mut self.woken);
        }
    }

    /// Starts to follow a channel.
    pub(crate) fn adopt(&mut self, id: ChannelId) -> Option<Arc<Info>> {
        let info = Arc::new(Info::of(&self.peer.channel(id)?));
        let entry = Entry {
            info: info.clone(),
            readers: WaitList::default(),
            writers: WaitList::default(),
            status: WaitList::default(),
        };
        self.channels.insert(id, Box::new(entry));
        Some(info)
    }

    pub(crate) fn info(&self, id: ChannelId) -> Option<Arc<Info>> {
        self.channels.get(&id).map(|entry| entry.info.clone())
    }

    /// Closes a channel that nobody holds.
    pub(crate) fn abandon(&mut self, id: ChannelId) {
        self.channels.remove(&id);
        self.close_unheld(id);
        self.dispatch();
    }

    fn close_unheld(&mut self, id: ChannelId) {
        let now = self.now();
        if let Some(mut channel) = self.peer.channel(id) {
            channel.close(now);
        }
        self.discard_messages(id);
    }

    /// Reads what came on a channel that nobody reads, so that it does not hold the window shut for the others.
    fn discard_messages(&mut self, id: ChannelId) {
        let now = self.now();
        if let Some(mut channel) = self.peer.channel(id) {
            while channel.recv(now).is_some() {}
        }
        self.wake_driver();
    }

    /// Has a waker dropped once the lock is free.
    pub(crate) fn retire(&mut self, waker: Option<Waker>) {
        self.retired.extend(waker);
    }

    pub(crate) fn wake_for_room(&mut self) {
        self.room_waiters.wake_first(&mut self.woken);
    }

    pub(crate) fn wake_driver(&mut self) {
        if matches!(self.driver, DriverState::Asleep(_))
            && let DriverState::Asleep(waker) = mem::replace(&mut self.driver, DriverState::Busy)
        {
            self.woken.push(waker);
        }
    }

    /// The driver begins a turn: commands from here on wake it.
    pub(crate) fn driver_turns(&mut self, waker: &Waker) {
        if matches!(&self.driver, DriverState::Asleep(known) if known.will_wake(waker)) {
            return;
        }
        if let DriverState::Asleep(old) = mem::replace(&mut self.driver, DriverState::Asleep(waker.clone())) {
            self.retire(Some(old));
        }
    }

    /// The driver has done its last turn.
    pub(crate) fn driver_leaves(&mut self) {
        if self.ended.is_none() {
            self.end(CloseReason::Local);
        }
        if let DriverState::Asleep(waker) = mem::replace(&mut self.driver, DriverState::Gone) {
            self.retire(Some(waker));
        }
        self.status_waiters.wake_all(&mut self.woken);
    }

    /// Takes what the core has to tell, queues it, and wakes who waits for it.
    pub(crate) fn dispatch(&mut self) {
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::ChannelAnnounced(id) => self.announced(id),
                Event::ChannelReadable(id) => match self.channels.get_mut(&id) {
                    Some(entry) => entry.readers.wake_all(&mut self.woken),
                    None => self.discard_messages(id),
                },
                Event::ChannelBufferedAmountLow(id) => self.drained(id),
                Event::ChannelOpened(id) | Event::ChannelClosing(id) | Event::ChannelClosed(id) => {
                    if let Some(entry) = self.channels.get_mut(&id) {
                        entry.wake_all(&mut self.woken);
                    }
                }
                Event::Writable => self.wake_for_room(),
                Event::FrameReadable(id) => self.wake_readers(id),
                Event::Track(track) => {
                    let receiver = track.receiver;
                    if self.queue(Event::Track(track)) {
                        self.inboxes.entry(receiver).or_default().announced += 1;
                    }
                }
                Event::TransceiverStopped(id) => {
                    self.wake_readers(id.receiver());
                    self.queue(Event::TransceiverStopped(id));
                }
                // Its end follows, and wakes whoever waits on it.
                Event::ChannelFailed(..) => {}
                Event::Closed(reason) => self.end(reason),
                state => {
                    self.queue(state);
                }
            }
        }
    }

    fn announced(&mut self, id: ChannelId) {
        if self.events.len() >= MAX_EVENTS {
            self.counters.channels_refused += 1;
            self.close_unheld(id);
        } else if self.adopt(id).is_some() {
            self.queue(Event::ChannelAnnounced(id));
        }
    }

    fn drained(&mut self, id: ChannelId) {
        let amount = self.peer.channel(id).map_or(0, |channel| channel.buffered_amount());
        if let Some(entry) = self.channels.get_mut(&id) {
            entry.writers.wake_at(amount, &mut self.woken);
        }
        self.registered(ListId::Writers(id));
    }

    /// Has an event wait for the application; says whether there was room, which there is not behind the last.
    fn queue(&mut self, event: Event) -> bool {
        let room = self.events.len() < MAX_EVENTS && self.ended.is_none();
        if room {
            self.events.push_back(event);
        } else {
            self.counters.events_dropped += 1;
        }
        self.event_waiters.wake_all(&mut self.woken);
        self.status_waiters.wake_all(&mut self.woken);
        room
    }

    fn end(&mut self, reason: CloseReason) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(reason.clone());
        self.events.push_back(Event::Closed(reason));
        for list in [&mut self.event_waiters, &mut self.status_waiters, &mut self.room_waiters] {
            list.wake_all(&mut self.woken);
        }
        self.channels.values_mut().for_each(|entry| entry.wake_all(&mut self.woken));
        self.inboxes.values_mut().for_each(|inbox| inbox.readers.wake_all(&mut self.woken));
    }
}

impl Entry {
    fn wake_all(&mut self, woken: &mut Vec<Waker>) {
        for list in [&mut self.readers, &mut self.writers, &mut self.status] {
            list.wake_all(woken);
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("events", &self.events)
            .field("channels", &self.channels.len())
            .field("ended", &self.ended)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
