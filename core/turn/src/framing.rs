//! ChannelData messages, and where messages end in a stream (RFC 8656 §12.4, §12.5).
//!
//! ```text
//! |  channel, 16 bits: 0x4000..=0x4fff  |  length, 16 bits  |  data  |  over a stream: 0 to 3 bytes of padding  |
//! ```

use core::fmt;
use core::ops::{Range, RangeInclusive};

use pavane_base::Reader;

/// The bytes before a channel's data.
pub(crate) const CHANNEL_HEADER_LEN: usize = 4;

/// The numbers that channels have.
pub(crate) const CHANNELS: RangeInclusive<u16> = 0x4000..=0x4fff;

/// Whether a message's first byte is that of a channel's (RFC 7983 §7).
pub(crate) const fn is_channel_data(first: u8) -> bool {
    matches!(first, 0x40..=0x4f)
}

/// The channel of a ChannelData message, and where its data lies.
pub(crate) fn read(message: &[u8]) -> Option<(u16, Range<usize>)> {
    let mut reader = Reader::new(message);
    let number = reader.u16().ok().filter(|number| CHANNELS.contains(number))?;
    let data = reader.prefixed_u16().ok()?;
    Some((number, CHANNEL_HEADER_LEN..CHANNEL_HEADER_LEN + data.len()))
}

/// The bytes before a channel's data.
pub(crate) const fn header(number: u16, len: u16) -> [u8; CHANNEL_HEADER_LEN] {
    let ([a, b], [c, d]) = (number.to_be_bytes(), len.to_be_bytes());
    [a, b, c, d]
}

/// What a stream carries is neither STUN nor a channel's data; nothing behind it can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTurn;

impl fmt::Display for NotTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream does not carry TURN messages")
    }
}

impl core::error::Error for NotTurn {}

/// How long the message is that a stream goes on with, padding included; `None` while too little of it is there to tell.
///
/// # Errors
/// If it is no message of TURN.
pub fn message_len(stream: &[u8]) -> Result<Option<usize>, NotTurn> {
    const STUN_HEADER_LEN: usize = 20;
    let Some(first) = stream.first() else { return Ok(None) };
    let header = match first {
        0..=3 => STUN_HEADER_LEN,
        first if is_channel_data(*first) => CHANNEL_HEADER_LEN,
        _ => return Err(NotTurn),
    };
    let len = stream.get(2..4).and_then(|len| <[u8; 2]>::try_from(len).ok()).map(u16::from_be_bytes);
    Ok(len.map(|len| header + usize::from(len).next_multiple_of(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_comes_apart_as_it_was_put_together() {
        let mut message = header(0x4001, 3).to_vec();
        message.extend_from_slice(b"abc");
        assert_eq!(read(&message), Some((0x4001, 4..7)));
        // RFC 8656 §12.5: over UDP padding is allowed.
        message.push(0);
        assert_eq!(read(&message), Some((0x4001, 4..7)));
        assert!((0..7).all(|len| read(&message[..len]).is_none()));
        assert_eq!(read(&header(0x5000, 0)), None);
        assert_eq!(read(&header(0x3fff, 0)), None);
    }

    #[test]
    fn a_stream_is_cut_at_its_messages() {
        assert_eq!(message_len(&[]), Ok(None));
        assert_eq!(message_len(&[0, 1, 0]), Ok(None));
        assert_eq!(message_len(&[0, 1, 0, 8]), Ok(Some(28)));
        assert_eq!(message_len(&header(0x4000, 5)), Ok(Some(12)));
        assert_eq!(message_len(&header(0x4000, 8)), Ok(Some(12)));
        assert_eq!(message_len(&header(0x4fff, u16::MAX)), Ok(Some(4 + 65_536)));
        assert_eq!(message_len(&[0x50]), Err(NotTurn));
        assert_eq!(message_len(&[0x80, 0]), Err(NotTurn));
    }
}
