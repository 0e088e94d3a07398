//! The beginning of a frame's uncompressed header: whether it is a key frame, and its size.

/// What the beginning of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) keyframe: bool,
    /// The width and height; key frames have them. The largest, 65536, is told as 65535.
    pub(super) size: Option<(u16, u16)>,
}

impl FrameHeader {
    /// Reads the uncompressed header, as the VP9 bitstream specification has it in §6.2.
    pub(super) fn read(frame: &[u8]) -> Option<Self> {
        let mut bits = Bits { bytes: frame, at: 0 };
        if bits.take(2)? != 0b10 {
            return None;
        }
        let profile = bits.take(1)? | bits.take(1)? << 1;
        if profile == 3 {
            bits.take(1)?;
        }
        let show_existing_frame = bits.take(1)? == 1;
        let keyframe = !show_existing_frame && bits.take(1)? == 0;
        if !keyframe {
            return Some(Self { keyframe, size: None });
        }
        // Whether it is shown, and whether it is resilient to errors.
        bits.take(2)?;
        Some(Self { keyframe, size: read_size(&mut bits, profile) })
    }
}

fn read_size(bits: &mut Bits<'_>, profile: u32) -> Option<(u16, u16)> {
    const SYNC_CODE: u32 = 0x49_8342;
    const RGB: u32 = 7;
    if bits.take(24)? != SYNC_CODE {
        return None;
    }
    if profile >= 2 {
        bits.take(1)?;
    }
    let subsampling_is_told = profile & 1 == 1;
    match bits.take(3)? {
        RGB if subsampling_is_told => bits.take(1)?,
        RGB => 0,
        _ if subsampling_is_told => bits.take(4)?,
        _ => bits.take(1)?,
    };
    let mut side = || Some(bits.take(16)?.saturating_add(1).min(u16::MAX.into()) as u16);
    Some((side()?, side()?))
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_tells_its_size() {
        // Profile 0, shown; sync code; colour space 1, range 0; 320 by 180.
        let key = [0x82, 0x49, 0x83, 0x42, 0x20, 0x13, 0xf0, 0x0b, 0x30];
        let expected = FrameHeader { keyframe: true, size: Some((320, 180)) };
        assert_eq!(FrameHeader::read(&key), Some(expected));
        let delta = [0x86, 0x00];
        assert_eq!(FrameHeader::read(&delta), Some(FrameHeader { keyframe: false, size: None }));
        assert_eq!(FrameHeader::read(&[0x00]), None);
        assert_eq!(FrameHeader::read(&[]), None);
    }
}
