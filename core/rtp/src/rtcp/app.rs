//! What only an application understands (RFC 3550 §6.7): an SSRC, a name of four characters, data.

use alloc::vec::Vec;

use pavane_base::{Reader, Truncated, WriteExt};

use super::{kind, write_packet};
use crate::Ssrc;

/// What only an application understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct App<'a> {
    /// Who sends it.
    pub ssrc: Ssrc,
    /// Five bits of the application's.
    pub subtype: u8,
    /// The application.
    pub name: [u8; 4],
    /// What it says: whole words.
    pub data: &'a [u8],
}

impl<'a> App<'a> {
    pub(super) fn read(count: u8, body: &mut Reader<'a>) -> Result<Self, Truncated> {
        Ok(Self { ssrc: Ssrc(body.u32()?), subtype: count, name: body.array()?, data: body.rest() })
    }
}

/// Writes an application's packet; zeros fill its data up to whole words.
pub fn write_app(out: &mut Vec<u8>, app: &App<'_>) {
    write_packet(out, kind::APP, app.subtype, |out| {
        out.put_u32(app.ssrc.0);
        out.put(&app.name);
        out.put(app.data);
    });
}
