//! Readiness of streams and listeners, as loops and tasks see it.

use super::Streams;
use super::entry::Entry;
use crate::Host;

/// Where the streams and listeners of a driver are. Places are counted from 0; one that is vacant may be filled again.
pub trait StreamTable<H: Host> {
    /// How many places there are.
    fn count(&self) -> usize;

    /// What is at a place, if there is anything.
    fn source(&mut self, index: usize) -> Option<StreamSource<'_, H>>;

    /// The next place that was filled since this was asked, for registering what is there where readiness is watched.
    fn poll_opened(&mut self) -> Option<usize>;

    /// Whether what is there has nothing to read, so that [`set_readable`](Self::set_readable) is to be called when that
    /// changes.
    fn awaits_readable(&self, index: usize) -> bool;

    /// Says that there may be something to read, or to accept.
    fn set_readable(&mut self, index: usize);

    /// Whether what is there does not take what there is to send, or has no peer yet, so that
    /// [`set_writable`](Self::set_writable) is to be called when that changes.
    fn awaits_writable(&self, index: usize) -> bool;

    /// Says that something may be sent.
    fn set_writable(&mut self, index: usize);
}

/// What is at a place.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "TCP has these two")]
pub enum StreamSource<'t, H: Host> {
    /// A stream.
    Stream(&'t mut H::Stream),
    /// A listener.
    Listener(&'t mut H::Listener),
}

impl<H: Host, O: Copy> StreamTable<H> for Streams<H, O> {
    fn count(&self) -> usize {
        self.listeners.len() + self.entries.len()
    }

    fn source(&mut self, index: usize) -> Option<StreamSource<'_, H>> {
        let streams = index.checked_sub(self.listeners.len());
        match streams {
            None => self.listeners.get_mut(index).map(|slot| StreamSource::Listener(&mut slot.listener)),
            Some(index) => {
                let owned = self.entries.get_mut(index)?.as_mut()?;
                Some(StreamSource::Stream(&mut owned.entry.stream))
            }
        }
    }

    fn poll_opened(&mut self) -> Option<usize> {
        self.opened.pop_front()
    }

    fn awaits_readable(&self, index: usize) -> bool {
        match index.checked_sub(self.listeners.len()) {
            None => !self.listeners[index].readable,
            Some(_) => self.entry(index).is_some_and(Entry::awaits_readable),
        }
    }

    fn set_readable(&mut self, index: usize) {
        match index.checked_sub(self.listeners.len()) {
            None => self.listeners[index].readable = true,
            Some(_) => self.entry_mut(index).into_iter().for_each(|entry| entry.readable = true),
        }
    }

    fn awaits_writable(&self, index: usize) -> bool {
        self.entry(index).is_some_and(Entry::awaits_writable)
    }

    fn set_writable(&mut self, index: usize) {
        if let Some(entry) = self.entry_mut(index) {
            entry.writable = true;
        }
    }
}

impl<H: Host, O> Streams<H, O> {
    fn entry(&self, index: usize) -> Option<&Entry<H::Stream>> {
        let index = index.checked_sub(self.listeners.len())?;
        self.entries.get(index)?.as_ref().map(|owned| &owned.entry)
    }

    fn entry_mut(&mut self, index: usize) -> Option<&mut Entry<H::Stream>> {
        let index = index.checked_sub(self.listeners.len())?;
        self.entries.get_mut(index)?.as_mut().map(|owned| &mut owned.entry)
    }
}
