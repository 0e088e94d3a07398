//! Payload types over a whole session: one number means one thing in all bundled sections (RFC 9143 §9.1).

use alloc::vec::Vec;

use super::{Codec, CodecParameters, MediaKind};
use crate::sdp;

/// What each payload type of a session means.
#[derive(Clone, Debug, Default)]
pub(crate) struct PayloadTypes(Vec<(u8, Meaning)>);

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Codec(Codec),
    /// Retransmissions of that payload type.
    Rtx(u8),
}

impl PayloadTypes {
    /// What the sections of these descriptions say.
    pub(crate) fn in_use<'s>(sections: impl Iterator<Item = &'s sdp::MediaDescription>) -> Self {
        let mut types = Self::default();
        for section in sections {
            let Some(kind) = MediaKind::of(section) else { continue };
            for codec in CodecParameters::read(section, kind) {
                types.0.push((codec.payload_type, Meaning::Codec(codec.codec)));
                types.0.extend(codec.rtx.map(|rtx| (rtx, Meaning::Rtx(codec.payload_type))));
            }
        }
        types
    }

    /// The codecs with numbers that collide with none in use: those that they have, else those that they wish for, else
    /// free ones. Codecs for which no number is left are dropped.
    pub(crate) fn number(&mut self, codecs: &[CodecParameters]) -> Vec<CodecParameters> {
        codecs.iter().filter_map(|codec| self.number_one(codec)).collect()
    }

    fn number_one(&mut self, wish: &CodecParameters) -> Option<CodecParameters> {
        let same = |meaning: &Meaning| matches!(meaning, Meaning::Codec(known) if known.matches(&wish.codec));
        let payload_type = self.known(same).or_else(|| self.free(wish.payload_type))?;
        self.0.push((payload_type, Meaning::Codec(wish.codec.clone())));
        let rtx = wish.rtx.and_then(|rtx| {
            let repairs = Meaning::Rtx(payload_type);
            let number = self.known(|meaning| *meaning == repairs).or_else(|| self.free(rtx))?;
            self.0.push((number, repairs));
            Some(number)
        });
        Some(CodecParameters { payload_type, rtx, codec: wish.codec.clone() })
    }

    fn known(&self, is: impl Fn(&Meaning) -> bool) -> Option<u8> {
        self.0.iter().find(|(_, meaning)| is(meaning)).map(|(number, _)| *number)
    }

    /// The wanted number if it is free, else a dynamic one (RFC 3551 §6), else one of those that RTCP's packet types leave
    /// (RFC 5761 §4).
    fn free(&self, wanted: u8) -> Option<u8> {
        let taken = |number: &u8| self.0.iter().any(|(known, _)| known == number);
        core::iter::once(wanted).chain(96..=127).chain(35..=63).find(|number| !taken(number))
    }
}
