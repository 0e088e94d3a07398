//! Those that are written in Rust.

use bytes::Bytes;
use pavane::srtp::{Profile, Role, Session};
use pavane_crypto_rustls::RustlsProvider;

/// Both ends of a transport, and packets on their way.
pub trait Engine {
    /// Takes packets that are to be protected.
    fn load(&mut self, packets: Vec<Vec<u8>>);

    /// Protects them.
    fn protect(&mut self);

    /// Unprotects what came of that.
    fn unprotect(&mut self);
}

/// What DTLS would have exported.
pub struct Keys {
    pub profile: Profile,
    material: Vec<u8>,
    salt_len: usize,
}

impl Keys {
    pub fn of(profile: Profile) -> Self {
        let salt_len = match profile {
            Profile::AeadAes128Gcm | Profile::AeadAes256Gcm => 12,
            _ => 14,
        };
        let material = (0..profile.keying_material_len() as u8).collect();
        Self { profile, material, salt_len }
    }

    /// The master key and master salt that the client sends with.
    pub fn sending(&self) -> (&[u8], &[u8]) {
        let (keys, salts) = self.material.split_at(self.material.len() - 2 * self.salt_len);
        (&keys[..keys.len() / 2], &salts[..self.salt_len])
    }
}

struct Ours {
    ends: [Session; 2],
    packets: Vec<Vec<u8>>,
}

/// Pavane's.
pub fn ours(keys: &Keys) -> Option<Box<dyn Engine>> {
    let make = |role| Session::new(&RustlsProvider, keys.profile, role, &keys.material).unwrap();
    Some(Box::new(Ours { ends: [make(Role::Client), make(Role::Server)], packets: Vec::new() }))
}

impl Engine for Ours {
    fn load(&mut self, packets: Vec<Vec<u8>>) {
        self.packets = packets;
    }

    fn protect(&mut self) {
        for packet in &mut self.packets {
            self.ends[0].protect_rtp(packet, 0).unwrap();
        }
    }

    fn unprotect(&mut self) {
        for packet in &mut self.packets {
            self.ends[1].unprotect_rtp(packet).unwrap();
        }
    }
}

struct Rtc {
    ends: [rtc::srtp::context::Context; 2],
    packets: Vec<Vec<u8>>,
    sealed: Vec<bytes::BytesMut>,
}

/// rtc-srtp's, on aws-lc-rs.
pub fn rtc(keys: &Keys) -> Option<Box<dyn Engine>> {
    use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
    use rtc::srtp::protection_profile::ProtectionProfile;

    let profile = match keys.profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::Aes128CmHmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        _ => return None,
    };
    let provider = rtc::crypto::default_provider().unwrap();
    let (key, salt) = keys.sending();
    let make = || {
        let (rtp, rtcp) = (srtp_replay_protection(1024), srtcp_replay_protection(1024));
        rtc::srtp::context::Context::new(key, salt, profile, Some(rtp), Some(rtcp), provider.crypto())
            .unwrap()
    };
    Some(Box::new(Rtc { ends: [make(), make()], packets: Vec::new(), sealed: Vec::new() }))
}

impl Engine for Rtc {
    fn load(&mut self, packets: Vec<Vec<u8>>) {
        self.packets = packets;
        self.sealed.clear();
    }

    fn protect(&mut self) {
        for packet in &self.packets {
            self.sealed.push(self.ends[0].encrypt_rtp(packet).unwrap());
        }
    }

    fn unprotect(&mut self) {
        for packet in &self.sealed {
            self.ends[1].decrypt_rtp(packet).unwrap();
        }
    }
}

struct Webrtc {
    ends: [webrtc_srtp::context::Context; 2],
    packets: Vec<Vec<u8>>,
    sealed: Vec<Bytes>,
}

/// webrtc-srtp's.
pub fn webrtc(keys: &Keys) -> Option<Box<dyn Engine>> {
    use webrtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
    use webrtc_srtp::protection_profile::ProtectionProfile;

    let profile = match keys.profile {
        Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        Profile::Aes128CmHmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
        Profile::Aes128CmHmacSha1_32 => ProtectionProfile::Aes128CmHmacSha1_32,
        _ => return None,
    };
    let (key, salt) = keys.sending();
    let make = || {
        let (rtp, rtcp) = (srtp_replay_protection(1024), srtcp_replay_protection(1024));
        webrtc_srtp::context::Context::new(key, salt, profile, Some(rtp), Some(rtcp)).unwrap()
    };
    Some(Box::new(Webrtc { ends: [make(), make()], packets: Vec::new(), sealed: Vec::new() }))
}

impl Engine for Webrtc {
    fn load(&mut self, packets: Vec<Vec<u8>>) {
        self.packets = packets;
        self.sealed.clear();
    }

    fn protect(&mut self) {
        for packet in &self.packets {
            self.sealed.push(self.ends[0].encrypt_rtp(packet).unwrap());
        }
    }

    fn unprotect(&mut self) {
        for packet in &self.sealed {
            self.ends[1].decrypt_rtp(packet).unwrap();
        }
    }
}
