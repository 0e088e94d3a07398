//! A temporal unit out of packets.

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

use super::obu::{Head, is_dropped, leb128, leb128_len, read_leb128};
use super::{Element, Elements};
use crate::payload::descriptor::Malformed;

/// Whether an OBU is there in part.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::payload) struct Assembly {
    /// Where in the frame the OBU begins whose parts come.
    open: Option<usize>,
}

impl Assembly {
    /// Appends what a payload carries to the frame; OBUs get their sizes.
    pub(in crate::payload) fn push(&mut self, payload: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut elements = Elements::read(payload)?;
        if elements.continues != self.open.is_some() {
            return Err(Malformed);
        }
        while let Some(element) = elements.next()? {
            self.add(&element, frame)?;
        }
        Ok(())
    }

    fn add(&mut self, element: &Element<'_>, frame: &mut Vec<u8>) -> Result<(), Malformed> {
        if element.first && element.last {
            return add_whole(element.bytes, frame);
        }
        if element.first {
            Head::read(element.bytes)?;
            self.open = Some(frame.len());
        }
        frame.put(element.bytes);
        if element.last
            && let Some(start) = self.open.take()
        {
            close(frame, start)?;
        }
        Ok(())
    }

    /// Whether the frame may end here.
    pub(in crate::payload) fn finish(&mut self) -> Result<(), Malformed> {
        match self.open.take() {
            None => Ok(()),
            Some(_) => Err(Malformed),
        }
    }
}

fn add_whole(obu: &[u8], frame: &mut Vec<u8>) -> Result<(), Malformed> {
    let head = Head::read(obu)?;
    let body = obu.get(head.len()..).unwrap_or_default();
    if is_dropped(head.kind()) {
        return Ok(());
    }
    if head.has_size() {
        check_size(body)?;
        frame.put(obu);
        return Ok(());
    }
    frame.put(head.with_size(true).as_slice());
    frame.extend(leb128(body.len()));
    frame.put(body);
    Ok(())
}

/// Puts the size into an OBU whose last part has come.
fn close(frame: &mut Vec<u8>, start: usize) -> Result<(), Malformed> {
    let obu = frame.get(start..).unwrap_or_default();
    let head = Head::read(obu)?;
    let body = start + head.len();
    if is_dropped(head.kind()) {
        frame.truncate(start);
        return Ok(());
    }
    if head.has_size() {
        return check_size(&frame[body..]);
    }
    let end = frame.len();
    let size_len = leb128_len(end - body);
    frame.resize(end + size_len, 0);
    frame.copy_within(body..end, body + size_len);
    let head = head.with_size(true);
    let sized = head.as_slice().iter().copied().chain(leb128(end - body));
    frame[start..].iter_mut().zip(sized).for_each(|(to, byte)| *to = byte);
    Ok(())
}

/// Checks the size that an OBU has already: all that is there.
fn check_size(body: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(body);
    let size = read_leb128(&mut reader)?;
    if size == reader.remaining() { Ok(()) } else { Err(Malformed) }
}
