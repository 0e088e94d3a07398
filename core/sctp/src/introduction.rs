//! What INIT says, to be exchanged ahead of the association: in descriptions, as `a=sctp-init` (SNAP,
//! draft-hancke-tsvwg-snap). Where both sides know each other's, messages flow at once.

use alloc::vec::Vec;
use core::fmt;

use pavane_base::random_array;
use rand_core::CryptoRng;

use crate::chunk::{Extensions, Init, Opening, RawChunk};
use crate::config::Config;
use crate::packet::{COMMON_HEADER, Header, PacketWriter, chunks};
use crate::siphash::SipKey;
use crate::types::{Tsn, VerificationTag};

/// By what a peer knows us: drawn once, and the same in everything that introduces us.
#[derive(Clone, Debug)]
pub struct Introduction {
    pub(crate) tag: VerificationTag,
    pub(crate) initial_tsn: Tsn,
    pub(crate) key: SipKey,
}

/// The bytes are no INIT that an association can be built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidIntroduction;

impl fmt::Display for InvalidIntroduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no INIT that an association can be built on")
    }
}

impl core::error::Error for InvalidIntroduction {}

impl Introduction {
    /// Draws tag, initial TSN and secrets.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        let key = SipKey::new(random_array(rng));
        let [a, b, c, d, e, f, g, h] = random_array::<8>(rng);
        let tag = VerificationTag(u32::from_be_bytes([a, b, c, d]).max(1));
        Self { tag, initial_tsn: Tsn(u32::from_be_bytes([e, f, g, h])), key }
    }

    /// The INIT chunk of an association with this configuration.
    pub fn chunk(&self, config: &Config) -> Vec<u8> {
        let mut packet = Vec::new();
        let header = Header { source_port: 0, destination_port: 0, tag: VerificationTag::ZERO };
        let mut w = PacketWriter::new(&mut packet, header, config.effective_packet());
        Init::write(&mut w, &self.opening(config));
        packet.split_off(COMMON_HEADER)
    }

    pub(crate) fn opening(&self, config: &Config) -> Opening {
        Opening::new(config, self.tag, self.initial_tsn)
    }
}

/// What the peer's INIT chunk says.
pub(crate) fn read(chunk: &[u8]) -> Result<Opening, InvalidIntroduction> {
    let raw: RawChunk<'_> = chunks(chunk).next().ok_or(InvalidIntroduction)?;
    let init = Some(raw).filter(|raw| raw.kind == Init::TYPE).and_then(|raw| Init::parse(raw).ok());
    match init {
        Some(init) if init.opening.is_valid() && init.host_name.is_none() => Ok(init.opening),
        _ => Err(InvalidIntroduction),
    }
}

impl Opening {
    /// What INIT says of us, and INIT ACK.
    pub(crate) fn new(config: &Config, tag: VerificationTag, initial_tsn: Tsn) -> Self {
        Self {
            tag,
            window: u32::try_from(config.effective_window()).unwrap_or(u32::MAX),
            outgoing: config.outgoing_streams.max(1),
            incoming: config.incoming_streams.max(1),
            initial_tsn,
            extensions: Extensions::offered(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn an_introduction_is_an_init_chunk() {
        let introduction = Introduction::new(&mut ChaCha8Rng::seed_from_u64(1));
        let config = Config::default();
        let chunk = introduction.chunk(&config);
        assert_eq!(read(&chunk), Ok(introduction.opening(&config)));
        for len in 0..20 {
            assert_eq!(read(&chunk[..len]), Err(InvalidIntroduction));
        }
    }

    /// What Chromium 156 puts into its offer behind its trial.
    #[test]
    fn chromiums_introduction_is_understood() {
        let chunk = [
            1, 0, 0, 30, 0x3a, 0xcf, 0x25, 0x82, 0, 0x50, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x55, 0x50, 0x53,
            0x73, 0xc0, 0, 0, 4, 0x80, 0x08, 0, 6, 0x82, 0xc0,
        ];
        let opening = read(&chunk).unwrap();
        assert_eq!((opening.tag, opening.window), (VerificationTag(0x3acf_2582), 5 << 20));
        assert!(opening.extensions.partial_reliability && !opening.extensions.interleaving);
    }
}
