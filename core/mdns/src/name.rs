//! Names as messages have them (RFC 1035 §4.1.4).
//!
//! ```text
//! |  length, 1 to 63  |  label  |  ...  |  0, the root
//!                                       or  |  11, then where in the message the rest is, 14 bits  |
//! ```

use alloc::vec::Vec;

use pavane_base::{Reader, WriteExt};

/// A name in a message, which may go on elsewhere in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'m> {
    message: &'m [u8],
    start: usize,
}

/// Labels of a name at most: one of 255 bytes has no more (RFC 1035 §2.3.4).
const MAX_LABELS: usize = 127;

/// The two bits that make of a length a pointer.
const POINTER: u8 = 0xc0;

impl<'m> Name<'m> {
    /// The name at the reader's place in `message`, which the reader then is behind.
    ///
    /// Only its shape up to the first pointer is looked at: a name that leads astray is unlike any other.
    pub(crate) fn read(message: &'m [u8], reader: &mut Reader<'m>) -> Option<Self> {
        let start = message.len() - reader.remaining();
        for _ in 0..=MAX_LABELS {
            match reader.u8().ok()? {
                0 => return Some(Self { message, start }),
                len if len & POINTER == POINTER => {
                    reader.u8().ok()?;
                    return Some(Self { message, start });
                }
                len if len & POINTER == 0 => reader.take(len.into()).ok()?,
                _ => return None,
            };
        }
        None
    }

    /// Whether this is the name that `text` writes with dots, in capitals or not (RFC 6762 §16).
    pub(crate) fn is(self, text: &str) -> bool {
        let mut labels = self.labels();
        let equal = text
            .split('.')
            .all(|label| labels.next().is_some_and(|l| l.eq_ignore_ascii_case(label.as_bytes())));
        equal && labels.next().is_none()
    }

    /// The labels, which end early where the name leads astray.
    fn labels(self) -> impl Iterator<Item = &'m [u8]> {
        let Self { message, start: mut at } = self;
        let mut left = MAX_LABELS;
        core::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            loop {
                let len = *message.get(at)?;
                if len & POINTER == POINTER {
                    let target = usize::from(u16::from_be_bytes([len & !POINTER, *message.get(at + 1)?]));
                    // A pointer leads to a prior place, so that no ring of them can be walked for ever.
                    at = Some(target).filter(|target| *target < at)?;
                } else if len == 0 || len & POINTER != 0 {
                    return None;
                } else {
                    let label = message.get(at + 1..at + 1 + usize::from(len))?;
                    at += 1 + label.len();
                    return Some(label);
                }
            }
        })
    }
}

/// Appends the name that `text` writes with dots. Its labels have 1 to 63 bytes.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    for label in text.split('.') {
        out.put_u8(label.len() as u8);
        out.put(label.as_bytes());
    }
    out.put_u8(0);
}

/// Appends a pointer to the name at `at` in the message.
pub(crate) fn write_pointer(at: u16, out: &mut Vec<u8>) {
    out.put_u16(u16::from(POINTER) << 8 | at);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &[u8], at: usize) -> Option<(Name<'_>, usize)> {
        let mut reader = Reader::new(&message[at..]);
        Name::read(message, &mut reader).map(|name| (name, reader.remaining()))
    }

    #[test]
    fn names_are_read_as_they_were_written() {
        let mut message = Vec::new();
        write("printer.local", &mut message);
        let suffix = message.len() as u16;
        message.put(b"\x03Ink");
        write_pointer(0, &mut message);
        message.push(9);
        let (name, left) = read(&message, 0).unwrap();
        assert!(name.is("printer.local") && name.is("Printer.LOCAL"));
        assert!(!name.is("printer") && !name.is("printer.local.x") && !name.is("local"));
        assert_eq!(left, message.len() - 15);
        let (name, left) = read(&message, suffix.into()).unwrap();
        assert!(name.is("ink.printer.local"));
        assert_eq!(left, 1, "behind a pointer is what follows it here");
    }

    #[test]
    fn pointers_in_a_ring_or_ahead_end_a_name() {
        let ring = [0xc0, 2, 0xc0, 0];
        assert!(!read(&ring, 0).unwrap().0.is("a"));
        assert_eq!(read(&ring, 2).unwrap().0.labels().count(), 0);
        let to_itself = [1, b'a', 0xc0, 0];
        let (name, _) = read(&to_itself, 0).unwrap();
        assert_eq!(name.labels().count(), MAX_LABELS, "a label a step, and so many steps");
        let beyond = [1, b'a', 0xc0, 200];
        assert!(!read(&beyond, 0).unwrap().0.is("a.b"));
    }

    #[test]
    fn a_name_without_an_end_is_none() {
        assert!(read(&[1, b'a'], 0).is_none());
        assert!(read(&[0xc0], 0).is_none());
        assert!(read(&[0x40, 0], 0).is_none());
        assert!(read(&[1, b'a'].repeat(MAX_LABELS + 2), 0).is_none());
    }
}
