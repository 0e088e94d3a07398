//! Byte streams with start codes (Annex B).

use core::ops::Range;

/// The units of a byte stream, one after the other, without start codes and the zeros around them.
#[derive(Clone, Debug)]
pub(super) struct Units<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Units<'a> {
    /// The units of a stream; `None` if it does not begin with a start code.
    pub(super) fn new(stream: &'a [u8]) -> Option<Self> {
        let zeros = stream.iter().take_while(|byte| **byte == 0).count();
        (zeros >= 2 && stream.get(zeros) == Some(&1)).then_some(Self { stream, at: zeros + 1 })
    }

    /// The units behind a place.
    pub(super) const fn behind(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }
}

impl Iterator for Units<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = self.stream.get(self.at..).filter(|rest| !rest.is_empty())?;
            let (len, next) = match find_start_code(rest) {
                Some(found) => (found, found + 3),
                None => (rest.len(), rest.len()),
            };
            let unit = rest.get(..len).unwrap_or_default();
            // A unit does not end with a zero; those that follow belong to the stream.
            let trailing = unit.iter().rev().take_while(|byte| **byte == 0).count();
            let start = self.at;
            self.at += next;
            if len > trailing {
                return Some(start..start + len - trailing);
            }
        }
    }
}

/// Where the next 00 00 01 is.
fn find_start_code(bytes: &[u8]) -> Option<usize> {
    let mut end = 2;
    while let Some(last) = bytes.get(end) {
        end += match last {
            0 => 1,
            1 if bytes[end - 2..end] == [0, 0] => return Some(end - 2),
            // Neither this byte nor the two before it begin a start code.
            _ => 3,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn units_are_found_between_start_codes_of_any_length() {
        let stream = [0, 0, 0, 1, 9, 8, 0, 0, 1, 7, 0, 0, 0, 0, 1, 0, 0, 1, 6, 0, 1, 0, 2, 0, 0, 3, 0];
        let units: Vec<_> = Units::new(&stream).unwrap().map(|unit| &stream[unit]).collect();
        assert_eq!(units, [&[9, 8][..], &[7], &[6, 0, 1, 0, 2, 0, 0, 3]]);
        assert!(
            Units::new(&[0, 1, 2]).is_none() && Units::new(&[]).is_none() && Units::new(&[5; 9]).is_none()
        );
        assert_eq!(Units::new(&[0, 0, 1]).unwrap().count(), 0);
    }

    #[test]
    fn every_place_of_a_start_code_is_found() {
        for at in 0..40 {
            for fill in [0xff, 1, 2] {
                let mut bytes = [fill; 43];
                bytes[at..at + 3].copy_from_slice(&[0, 0, 1]);
                assert_eq!(find_start_code(&bytes), Some(at));
                bytes[at + 2] = 3;
                assert_eq!(find_start_code(&bytes), None);
            }
        }
    }
}
