//! The checksum of an SCTP packet: CRC32c (RFC 9260 §6.8, appendix A).
//!
//! With the feature `std` the processor's own instructions do it, if it is found to have them when the program runs; that
//! cannot be found out without the operating system, so that a table does the work otherwise.

/// The checksum of `bytes`, in the order of its bytes on the wire.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 4] {
    whole(bytes).to_le_bytes()
}

#[cfg(feature = "std")]
fn whole(bytes: &[u8]) -> u32 {
    // The algorithm is 32 bits wide; the crate's results are 64 for all.
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

#[cfg(not(feature = "std"))]
fn whole(bytes: &[u8]) -> u32 {
    !update(!0, bytes)
}

/// The checksum of a packet whose checksum field is filled already: of `head`, four bytes of zero, and `tail`.
pub(crate) fn checksum_around_field(head: [u8; 8], tail: &[u8]) -> [u8; 4] {
    let mut start = [0; 12];
    start[..8].copy_from_slice(&head);
    (!update(update(!0, &start), tail)).to_le_bytes()
}

/// Shifts `bytes` into the register.
#[cfg(feature = "std")]
fn update(register: u32, bytes: &[u8]) -> u32 {
    use crc_fast::{CrcAlgorithm, Digest};

    // Below this length setting the crate's state up costs more than the table does.
    if bytes.len() < 16 {
        return table::shift_in(register, bytes);
    }
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(register));
    digest.update(bytes);
    // The crate's final inversion is taken back.
    !(digest.finalize() as u32)
}

#[cfg(not(feature = "std"))]
fn update(register: u32, bytes: &[u8]) -> u32 {
    table::shift_in(register, bytes)
}

mod table {
    //! Eight bytes at a time, by eight tables.

    /// Shifts `bytes` into the register.
    pub(super) fn shift_in(mut register: u32, bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in words {
            let [a, b, c, d] = (register ^ u32::from_le_bytes([*a, *b, *c, *d])).to_le_bytes();
            register = look_up(7, a)
                ^ look_up(6, b)
                ^ look_up(5, c)
                ^ look_up(4, d)
                ^ look_up(3, *e)
                ^ look_up(2, *f)
                ^ look_up(1, *g)
                ^ look_up(0, *h);
        }
        for byte in rest {
            register = register >> 8 ^ look_up(0, register as u8 ^ byte);
        }
        register
    }

    fn look_up(table: usize, byte: u8) -> u32 {
        TABLES[table][byte as usize]
    }

    /// `TABLES[n][byte]` is what `byte` does to the register when `n` bytes of zero follow it.
    static TABLES: [[u32; 256]; 8] = tables();

    const fn tables() -> [[u32; 256]; 8] {
        let mut tables = [[0; 256]; 8];
        let mut byte = 0;
        while byte < 256 {
            let mut register = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                register = if register & 1 != 0 { register >> 1 ^ POLYNOMIAL } else { register >> 1 };
                bit += 1;
            }
            tables[0][byte] = register;
            byte += 1;
        }
        let mut n = 1;
        while n < 8 {
            let mut byte = 0;
            while byte < 256 {
                let before = tables[n - 1][byte];
                tables[n][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
                byte += 1;
            }
            n += 1;
        }
        tables
    }

    /// Castagnoli's, in reversed order of bits.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
}

#[cfg(test)]
mod tests {
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    /// RFC 3720 §B.4, and the INIT of RFC 9653 §3 whose checksum is zero.
    #[test]
    fn published_vectors_hold() {
        let vectors = include_str!("../testdata/crc32c.txt");
        let mut count = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#')) {
            let (data, crc) = line.split_once(' ').expect("data and checksum");
            let (data, crc) = (hex(data), hex(crc));
            assert_eq!(checksum(&data)[..], crc[..], "{line}");
            assert_eq!((!table::shift_in(!0, &data)).to_le_bytes()[..], crc[..], "{line}");
            if let Some((head, rest)) = data.split_first_chunk::<8>()
                && rest.starts_with(&[0; 4])
            {
                assert_eq!(checksum_around_field(*head, &rest[4..])[..], crc[..], "{line}");
            }
            count += 1;
        }
        assert_eq!(count, 7);
    }

    #[test]
    fn the_field_counts_as_zero_whatever_it_holds() {
        for len in [12, 13, 100, 255, 256, 257, 1188, 16_000] {
            let mut packet: Vec<u8> = (0..len).map(|i: u32| (i * 31) as u8).collect();
            packet[8..12].fill(0);
            let right = checksum(&packet);
            packet[8..12].fill(0xaa);
            let head = *packet.first_chunk().unwrap();
            assert_eq!(checksum_around_field(head, &packet[12..]), right);
        }
    }

    fn hex(digits: &str) -> Vec<u8> {
        let pairs: Vec<String> =
            digits.as_bytes().chunks(2).map(|p| p.iter().map(|b| *b as char).collect()).collect();
        pairs.iter().map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
    }
}
