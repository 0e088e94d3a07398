//! The values of single header extensions.

use core::time::Duration;

use pavane_base::serial_number;

use crate::NtpTime;

/// How loud a packet's sound is (RFC 6464 §3): `V` and seven bits of −dBov.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender believes that it is speech.
    pub voice: bool,
    /// How far below the loudest it is in dB, 0 to 127; 127 is silence.
    pub below_full: u8,
}

impl AudioLevel {
    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        Some(Self { voice: first & 0x80 != 0, below_full: first & 0x7f })
    }

    /// The value's byte.
    pub fn to_bytes(self) -> [u8; 1] {
        [if self.voice { 0x80 } else { 0 } | self.below_full.min(127)]
    }
}

/// When a packet was sent: seconds in 6.18 fixed point, which wraps after 64 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteSendTime(u32);

impl AbsoluteSendTime {
    /// The send time of this moment.
    pub const fn from_ntp(time: NtpTime) -> Self {
        Self((time.0 >> 14) as u32 & 0xff_ffff)
    }

    /// The 24 bits.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [a, b, c] = *bytes.first_chunk()?;
        Some(Self(u32::from_be_bytes([0, a, b, c])))
    }

    /// The value's bytes.
    pub const fn to_bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// The time from `earlier` to `self`, at most 64 s.
    pub const fn since(self, earlier: Self) -> Duration {
        let units = self.0.wrapping_sub(earlier.0) & 0xff_ffff;
        Duration::from_nanos((units as u64 * 1_000_000_000) >> 18)
    }
}

serial_number! {
    /// A packet's number in its transport, over all streams (draft-holmer-rmcat-transport-wide-cc-extensions §2).
    pub struct TransportSequence(u16);
}

impl TransportSequence {
    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().map(|bytes| Self(u16::from_be_bytes(*bytes)))
    }

    /// The value's bytes.
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }
}

/// What feedback a packet asks for (transport-wide-cc-02): `T` and 15 bits of count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackRequest {
    /// Whether the arrival times are wanted.
    pub timing: bool,
    /// Over how many packets, this one the last.
    pub count: u16,
}

impl FeedbackRequest {
    /// Reads what follows the number; none if no feedback is asked for.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let word = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
        (word & 0x7fff != 0).then_some(Self { timing: word & 0x8000 != 0, count: word & 0x7fff })
    }

    /// The bytes that follow the number.
    pub const fn to_bytes(self) -> [u8; 2] {
        ((self.timing as u16) << 15 | self.count & 0x7fff).to_be_bytes()
    }
}

/// By how much a picture has to be turned clockwise to be upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Not at all.
    #[default]
    None,
    /// By 90 degrees.
    Quarter,
    /// By 180 degrees.
    Half,
    /// By 270 degrees.
    ThreeQuarters,
}

/// How the camera was held (3GPP TS 26.114 §6.2.3.3): `0000 C F R R`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoOrientation {
    /// Whether it is the camera at the back.
    pub back_camera: bool,
    /// Whether left and right are swapped.
    pub flipped: bool,
    /// How the picture is to be turned.
    pub rotation: Rotation,
}

impl VideoOrientation {
    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let rotation = match first & 3 {
            0 => Rotation::None,
            1 => Rotation::Quarter,
            2 => Rotation::Half,
            _ => Rotation::ThreeQuarters,
        };
        Some(Self { back_camera: first & 8 != 0, flipped: first & 4 != 0, rotation })
    }

    /// The value's byte.
    pub const fn to_bytes(self) -> [u8; 1] {
        [(self.back_camera as u8) << 3 | (self.flipped as u8) << 2 | self.rotation as u8]
    }
}

/// Bounds for the delay between capture and rendering, in steps of 10 ms: 12 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// The least delay in steps of 10 ms.
    pub min: u16,
    /// The greatest delay in steps of 10 ms.
    pub max: u16,
}

impl PlayoutDelay {
    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [a, b, c] = *bytes.first_chunk()?;
        let word = u32::from_be_bytes([0, a, b, c]);
        Some(Self { min: (word >> 12) as u16, max: word as u16 & 0xfff })
    }

    /// The value's bytes.
    pub fn to_bytes(self) -> [u8; 3] {
        let word = u32::from(self.min.min(0xfff)) << 12 | u32::from(self.max.min(0xfff));
        let [_, a, b, c] = word.to_be_bytes();
        [a, b, c]
    }
}

/// When the media was captured, by its capturer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteCaptureTime {
    /// The moment.
    pub at: NtpTime,
    /// What is to be added to the sender's clock to get the capturer's, in 32.32 fixed point seconds.
    pub clock_offset: Option<i64>,
}

impl AbsoluteCaptureTime {
    /// Reads the value.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (at, rest) = bytes.split_first_chunk()?;
        let clock_offset = rest.first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
        Some(Self { at: NtpTime(u64::from_be_bytes(*at)), clock_offset })
    }

    /// Writes the value into `buffer`; returns what was written.
    pub fn write(self, buffer: &mut [u8; 16]) -> &[u8] {
        buffer[..8].copy_from_slice(&self.at.0.to_be_bytes());
        match self.clock_offset {
            Some(offset) => {
                buffer[8..].copy_from_slice(&offset.to_be_bytes());
                buffer
            }
            None => &buffer[..8],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back() {
        for byte in 0..=255_u8 {
            assert_eq!(AudioLevel::parse(&[byte]).unwrap().to_bytes(), [byte]);
            assert_eq!(VideoOrientation::parse(&[byte]).unwrap().to_bytes(), [byte & 0x0f]);
        }
        let delay = PlayoutDelay { min: 0xabc, max: 0x123 };
        assert_eq!(delay.to_bytes(), [0xab, 0xc1, 0x23]);
        assert_eq!(PlayoutDelay::parse(&delay.to_bytes()), Some(delay));
        for clock_offset in [None, Some(-5)] {
            let time = AbsoluteCaptureTime { at: NtpTime(77), clock_offset };
            assert_eq!(AbsoluteCaptureTime::parse(time.write(&mut [0; 16])), Some(time));
        }
        let request = FeedbackRequest { timing: true, count: 5 };
        let [a, b] = request.to_bytes();
        assert_eq!(FeedbackRequest::parse(&[0, 9, a, b]), Some(request));
        assert_eq!(FeedbackRequest::parse(&[0, 9, 0x80, 0]), None);
    }

    #[test]
    fn send_times_wrap_after_64_seconds() {
        let at = |ms| AbsoluteSendTime::from_ntp(NtpTime::from_unix(Duration::from_millis(ms)));
        for start in (0..64_000).step_by(777) {
            let passed = at(start + 250).since(at(start));
            assert!(passed.abs_diff(Duration::from_millis(250)) < Duration::from_micros(8), "{passed:?}");
        }
        assert_eq!(AbsoluteSendTime::parse(&at(1).to_bytes()), Some(at(1)));
        assert_eq!(AbsoluteSendTime::parse(&[1, 2]), None);
    }
}
