//! A frame's units out of packets.

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

use super::{Carried, START_CODE, Syntax};
use crate::payload::descriptor::{Begins, Descriptor, Malformed};

/// What a payload says of its frame.
pub(in crate::payload) fn describe<S: Syntax>(payload: &[u8]) -> Result<Descriptor, Malformed> {
    let mut found: Option<Descriptor> = None;
    let mut add = |begins, kind, media_len| {
        let descriptor =
            found.get_or_insert(Descriptor { begins, keyframe: false, media_len: 0, layer: None });
        descriptor.keyframe |= S::is_key(kind);
        descriptor.media_len += media_len;
    };
    match S::read(payload)? {
        Carried::Fragment { first, header, body, .. } => {
            let kind = S::kind(&header);
            match first {
                true => add(S::begins(kind), kind, START_CODE.len() + S::HEADER_LEN + body.len()),
                false => add(Begins::No, kind, body.len()),
            }
        }
        units => each::<S>(units, |unit| {
            let kind = S::kind(unit);
            add(S::begins(kind), kind, START_CODE.len() + unit.len());
        })?,
    }
    found.ok_or(Malformed)
}

/// Calls `take` for each whole unit of a payload; there is one at least.
fn each<S: Syntax>(carried: Carried<'_>, mut take: impl FnMut(&[u8])) -> Result<(), Malformed> {
    let is_valid = |unit: &[u8]| unit.len() >= S::HEADER_LEN && S::is_plain(S::kind(unit));
    match carried {
        Carried::Unit(unit) if is_valid(unit) => take(unit),
        Carried::Units(units) if !units.is_empty() => {
            let mut units = Reader::new(units);
            while !units.is_empty() {
                let unit = units.prefixed_u16()?;
                if !is_valid(unit) {
                    return Err(Malformed);
                }
                take(unit);
            }
        }
        _ => return Err(Malformed),
    }
    Ok(())
}

/// Whether a unit is there in part.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::payload) struct Assembly {
    /// The type of the unit whose fragments come.
    open: Option<u8>,
}

impl Assembly {
    /// Appends what a payload carries to the frame.
    pub(in crate::payload) fn push<S: Syntax>(
        &mut self,
        payload: &[u8],
        frame: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        match S::read(payload)? {
            Carried::Fragment { first, last, header, body } => {
                let kind = S::kind(&header);
                match first {
                    true if self.open.is_none() => {
                        frame.put(&START_CODE);
                        frame.put(&header[..S::HEADER_LEN]);
                    }
                    false if self.open == Some(kind) => {}
                    _ => return Err(Malformed),
                }
                frame.put(body);
                self.open = (!last).then_some(kind);
                Ok(())
            }
            units if self.open.is_none() => each::<S>(units, |unit| {
                frame.put(&START_CODE);
                frame.put(unit);
            }),
            _ => Err(Malformed),
        }
    }

    /// Whether the frame may end here.
    pub(in crate::payload) fn finish(&mut self) -> Result<(), Malformed> {
        match self.open.take() {
            None => Ok(()),
            Some(_) => Err(Malformed),
        }
    }
}
