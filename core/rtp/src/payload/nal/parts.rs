//! A frame's units on their way into packets.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::ops::Range;

use bytes::Bytes;
use pavane_base::WriteExt;

use super::{Dividing, Syntax, Units};
use crate::payload::bytes::{Payload, Prefix};
use crate::payload::fragment::Fragments;
use crate::payload::packetizer::Part;

/// A frame on its way into packets, which [`check`](super::check) has passed.
#[derive(Clone, Debug)]
pub(in crate::payload) struct Parts<S> {
    frame: Bytes,
    /// The unit whose turn it is.
    next: Option<Range<usize>>,
    divided: Option<Divided>,
    max_len: usize,
    dividing: Dividing,
    syntax: PhantomData<S>,
}

/// A unit that goes in fragments.
#[derive(Clone, Debug)]
struct Divided {
    unit: Range<usize>,
    first: bool,
    fragments: Fragments,
}

impl<S: Syntax> Parts<S> {
    pub(in crate::payload) fn new(frame: Bytes, max_len: usize, dividing: Dividing) -> Self {
        let next = Units::new(&frame).and_then(|mut units| units.next());
        Self { frame, next, divided: None, max_len, dividing, syntax: PhantomData }
    }

    fn unit_behind(&self, unit: &Range<usize>) -> Option<Range<usize>> {
        // A unit ends where zeros or a start code begin, or at the end.
        let rest = self.frame.get(unit.end..)?;
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        Units::behind(&self.frame, unit.end + zeros + 1).next()
    }

    /// The units that go into a packet with `first`: how many bytes they take, and the last of them.
    fn joined(&self, first: &Range<usize>) -> Option<(usize, Range<usize>)> {
        if self.dividing == Dividing::Forbidden {
            return None;
        }
        let mut len = S::HEADER_LEN + LENGTH_LEN + first.len();
        let mut last = first.clone();
        while let Some(next) = self.unit_behind(&last)
            && len + LENGTH_LEN + next.len() <= self.max_len
        {
            len += LENGTH_LEN + next.len();
            last = next;
        }
        (last != *first).then_some((len, last))
    }

    /// Writes the units from `first` to `last` into one payload.
    fn join(&self, first: Range<usize>, last: &Range<usize>, len: usize) -> Bytes {
        let mut out = Vec::with_capacity(len);
        out.resize(S::HEADER_LEN, 0);
        let mut header = None;
        let mut next = Some(first);
        while let Some(unit) = next.filter(|unit| unit.end <= last.end) {
            let bytes = &self.frame[unit.clone()];
            header = Some(S::join(header, bytes));
            // What fits into a packet has a length of two bytes: the largest is not larger than that.
            out.put_u16(bytes.len() as u16);
            out.put(bytes);
            next = self.unit_behind(&unit);
        }
        out[..S::HEADER_LEN].copy_from_slice(&header.unwrap_or_default()[..S::HEADER_LEN]);
        out.into()
    }

    fn next_fragment(&mut self) -> Option<Part> {
        let divided = self.divided.as_mut()?;
        let piece = divided.fragments.next()?;
        let first = core::mem::replace(&mut divided.first, false);
        let last = divided.fragments.is_empty();
        let prefix = S::fragment_prefix(&self.frame[divided.unit.clone()], first, last);
        if last {
            self.divided = None;
        }
        Some(Part { payload: Payload::new(prefix, piece), marker: last && self.next.is_none() })
    }
}

/// The length before each of several units in a packet.
const LENGTH_LEN: usize = 2;

impl<S: Syntax> Iterator for Parts<S> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        if self.divided.is_some() {
            return self.next_fragment();
        }
        let unit = self.next.take()?;
        if unit.len() > self.max_len {
            self.next = self.unit_behind(&unit);
            let body = self.frame.slice(unit.start + S::HEADER_LEN..unit.end);
            let fragments = Fragments::new(body, self.max_len - S::FRAGMENT_PREFIX_LEN);
            self.divided = Some(Divided { unit, first: true, fragments });
            return self.next_fragment();
        }
        let shared = match self.joined(&unit) {
            Some((len, last)) => {
                self.next = self.unit_behind(&last);
                self.join(unit, &last, len)
            }
            None => {
                self.next = self.unit_behind(&unit);
                self.frame.slice(unit)
            }
        };
        Some(Part { payload: Payload::new(Prefix::default(), shared), marker: self.next.is_none() })
    }
}
