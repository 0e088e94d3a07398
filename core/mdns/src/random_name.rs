//! The names that hide addresses.

use alloc::string::String;
use core::fmt::Write;

use pavane_base::rand_core::CryptoRng;
use pavane_base::random_array;

/// Draws a name: a version 4 UUID and `.local` (draft-ietf-mmusic-mdns-ice-candidates §3.1.1).
pub fn random_name(rng: &mut dyn CryptoRng) -> String {
    let mut uuid: [u8; 16] = random_array(rng);
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    let mut name = String::with_capacity(UUID_LEN + SUFFIX.len());
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            name.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name + SUFFIX
}

/// Whether a name looks like one that hides an address: a UUID and `.local`. Others should not be resolved, for a peer could
/// have us speak to devices with well-known names (draft-ietf-mmusic-mdns-ice-candidates §3.2.2).
pub fn hides_an_address(name: &str) -> bool {
    let Some((uuid, suffix)) = name.split_at_checked(UUID_LEN) else { return false };
    let is_uuid = uuid.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    is_uuid && suffix.eq_ignore_ascii_case(SUFFIX)
}

const UUID_LEN: usize = 36;
const SUFFIX: &str = ".local";

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn what_is_drawn_is_of_the_right_form() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..100 {
            let name = random_name(&mut rng);
            assert!(hides_an_address(&name), "{name}");
            assert_eq!(name.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&name.as_bytes()[19]));
        }
        assert_ne!(random_name(&mut rng), random_name(&mut rng));
    }

    #[test]
    fn other_names_hide_nothing() {
        for name in [
            "printer.local",
            "1f4712db-ea17-4bcf-a596-105139dfd8bf.example",
            "1f4712db-ea17-4bcf-a596-105139dfd8b.local",
            "",
        ] {
            assert!(!hides_an_address(name), "{name}");
        }
        assert!(hides_an_address("1F4712DB-EA17-4BCF-A596-105139DFD8BF.LOCAL"));
    }
}
