//! Opus (RFC 7587): a packet is a payload.

use core::time::Duration;

use super::descriptor::{Descriptor, Malformed};

/// The longest that a packet may last (RFC 6716 §3.2.5).
const MAX_DURATION: Duration = Duration::from_millis(120);

pub(super) fn describe(payload: &[u8]) -> Result<Descriptor, Malformed> {
    opus_duration(payload)?;
    Ok(Descriptor::whole(payload.len()))
}

/// How long the sound in a packet of Opus lasts (RFC 6716 §3.1, §3.2).
///
/// # Errors
/// If the packet is empty, lacks its count of frames, or would last longer than packets may.
pub fn opus_duration(packet: &[u8]) -> Result<Duration, Malformed> {
    let (first, rest) = packet.split_first().ok_or(Malformed)?;
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first().ok_or(Malformed)? & 0x3f),
    };
    let micros = match (first >> 3, first >> 3 & 3) {
        // SILK: 10, 20, 40 and 60 ms.
        (0..=11, 3) => 60_000,
        (0..=11, step) => 10_000 << step,
        // Hybrid: 10 and 20 ms.
        (12..=15, step) => 10_000 << (step & 1),
        // CELT: 2.5, 5, 10 and 20 ms.
        (_, step) => 2500 << step,
    };
    let duration = Duration::from_micros(micros) * frames;
    if frames == 0 || duration > MAX_DURATION { Err(Malformed) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_last_as_long_as_their_first_byte_says() {
        // RFC 6716 §3.1, table 2
        let millis = |packet: &[u8]| opus_duration(packet).map(|duration| duration.as_micros());
        assert_eq!(millis(&[0 << 3]), Ok(10_000));
        assert_eq!(millis(&[3 << 3]), Ok(60_000));
        assert_eq!(millis(&[10 << 3 | 1]), Ok(80_000));
        assert_eq!(millis(&[13 << 3 | 2]), Ok(40_000));
        assert_eq!(millis(&[16 << 3]), Ok(2500));
        assert_eq!(millis(&[31 << 3 | 3, 6]), Ok(120_000));
        assert_eq!(millis(&[31 << 3 | 3, 7]), Err(Malformed));
        assert_eq!(millis(&[31 << 3 | 3, 0]), Err(Malformed));
        assert_eq!(millis(&[31 << 3 | 3]), Err(Malformed));
        assert_eq!(millis(&[]), Err(Malformed));
    }
}
