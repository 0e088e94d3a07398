//! What a server chooses from a ClientHello, and what each side says about itself in a hello.

use alloc::vec;
use alloc::vec::Vec;

use pavane_crypto::{NamedGroup, SignatureScheme};

use super::Context;
use crate::error::Failure;
use crate::messages::{
    ClientHello, ExtensionType, Extensions, NO_COMPRESSION, UNCOMPRESSED, code_list, code_list_u8_prefixed,
    contains, parse_code_list, use_srtp,
};
use crate::record::wire_version::DTLS_1_2;
use crate::{CipherSuite, Config, Incompatible, Misbehaved};

/// The suite number by which a client says what an empty renegotiation_info says (RFC 5746 §3.3).
const EMPTY_RENEGOTIATION_INFO_SCSV: u16 = 0x00ff;

/// A renegotiation_info without a renegotiation (RFC 5746 §3.2).
const EMPTY_RENEGOTIATION_INFO: [u8; 1] = [0];

/// The group that every WebRTC peer has (RFC 8827 §6.5).
const EVERYBODYS_GROUP: NamedGroup = NamedGroup::Secp256r1;

/// What a server chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) suite: CipherSuite,
    pub(super) group: NamedGroup,
    pub(super) scheme: SignatureScheme,
    pub(super) srtp_profile: Option<u16>,
}

/// The extensions that a client offers.
pub(super) fn offered_extensions(config: &Config) -> Extensions<'static> {
    let mut extensions = Extensions::default();
    extensions.push(ExtensionType::SUPPORTED_GROUPS, code_list(config.groups.iter().map(|g| g.code())));
    extensions.push(ExtensionType::EC_POINT_FORMATS, code_list_u8_prefixed(&[UNCOMPRESSED]));
    extensions.push(ExtensionType::SIGNATURE_ALGORITHMS, code_list(SignatureScheme::ALL.map(|s| s.code())));
    if !config.srtp_profiles.is_empty() {
        extensions.push(ExtensionType::USE_SRTP, use_srtp::offer(&config.srtp_profiles));
    }
    extensions.push(ExtensionType::EXTENDED_MASTER_SECRET, vec![]);
    extensions.push(ExtensionType::RENEGOTIATION_INFO, EMPTY_RENEGOTIATION_INFO.to_vec());
    extensions
}

/// The extensions with which a server answers those of `hello`: nothing that was not offered (RFC 5246 §7.4.1.4).
pub(super) fn answered_extensions(hello: &ClientHello<'_>, srtp_profile: Option<u16>) -> Extensions<'static> {
    let mut extensions = Extensions::default();
    extensions.push(ExtensionType::EXTENDED_MASTER_SECRET, vec![]);
    let signals_renegotiation = hello.extensions.get(ExtensionType::RENEGOTIATION_INFO).is_some()
        || hello.cipher_suites.contains(&EMPTY_RENEGOTIATION_INFO_SCSV);
    if signals_renegotiation {
        extensions.push(ExtensionType::RENEGOTIATION_INFO, EMPTY_RENEGOTIATION_INFO.to_vec());
    }
    if hello.extensions.get(ExtensionType::EC_POINT_FORMATS).is_some() {
        extensions.push(ExtensionType::EC_POINT_FORMATS, code_list_u8_prefixed(&[UNCOMPRESSED]));
    }
    if let Some(profile) = srtp_profile {
        extensions.push(ExtensionType::USE_SRTP, use_srtp::answer(profile));
    }
    extensions
}

/// What both hellos have to say for either side to go on.
pub(super) fn check_common_extensions(extensions: &Extensions<'_>) -> Result<(), Failure> {
    // RFC 7627 §5.2, §5.3: going on without it leaves the master secret unbound from the handshake.
    if extensions.get(ExtensionType::EXTENDED_MASTER_SECRET).is_none() {
        return Err(Incompatible::ExtendedMasterSecret.into());
    }
    // RFC 5746 §3.4, §3.6: empty in an initial handshake; who leaves it out may, since nobody renegotiates with us.
    match extensions.get(ExtensionType::RENEGOTIATION_INFO) {
        None => {}
        Some(info) if info == EMPTY_RENEGOTIATION_INFO => {}
        Some(_) => return Err(Misbehaved::Renegotiation.into()),
    }
    // RFC 8422 §5.1.2: who lists formats lists the uncompressed one.
    match extensions.get(ExtensionType::EC_POINT_FORMATS) {
        Some(formats) if !contains(formats, UNCOMPRESSED)? => Err(Misbehaved::PointFormats.into()),
        _ => Ok(()),
    }
}

/// Chooses from what a client offers, by our order of preference.
pub(super) fn choose(cx: &Context<'_>, hello: &ClientHello<'_>) -> Result<Choice, Failure> {
    check_version(hello)?;
    if !hello.compression_methods.contains(&NO_COMPRESSION) {
        return Err(Incompatible::Compression.into());
    }
    check_common_extensions(&hello.extensions)?;
    let suite = *cx
        .config
        .cipher_suites
        .iter()
        .find(|suite| hello.cipher_suites.contains(&suite.code()) && cx.can_authenticate(**suite))
        .ok_or(Incompatible::CipherSuite)?;
    let srtp_profile = hello
        .extensions
        .get(ExtensionType::USE_SRTP)
        .and_then(|offer| use_srtp::choose(offer, &cx.config.srtp_profiles));
    Ok(Choice { suite, group: choose_group(cx, hello)?, scheme: choose_scheme(cx, hello)?, srtp_profile })
}

/// A client that speaks 1.3 says what else it speaks in supported_versions; any other says its highest version.
///
/// The random of our ServerHello carries no mark of a downgrade: RFC 8446 §4.1.3 asks it of servers that speak 1.3.
fn check_version(hello: &ClientHello<'_>) -> Result<(), Failure> {
    let offered = match hello.extensions.get(ExtensionType::SUPPORTED_VERSIONS) {
        Some(versions) => {
            let (len, versions) = versions.split_first().ok_or(Misbehaved::Malformed)?;
            if usize::from(*len) != versions.len() {
                return Err(Misbehaved::Malformed.into());
            }
            parse_code_list(versions)?.contains(&DTLS_1_2)
        }
        // A newer version has a lower number.
        None => hello.version >> 8 == DTLS_1_2 >> 8 && hello.version <= DTLS_1_2,
    };
    if offered { Ok(()) } else { Err(Incompatible::Version.into()) }
}

fn choose_group(cx: &Context<'_>, hello: &ClientHello<'_>) -> Result<NamedGroup, Failure> {
    let ours = &cx.config.groups;
    let Some(theirs) = codes(hello, ExtensionType::SUPPORTED_GROUPS)? else {
        // RFC 8422 §4: who names no groups takes any.
        return if ours.contains(&EVERYBODYS_GROUP) {
            Ok(EVERYBODYS_GROUP)
        } else {
            Err(Incompatible::Group.into())
        };
    };
    ours.iter()
        .copied()
        .find(|group| theirs.contains(&group.code()))
        .ok_or_else(|| Incompatible::Group.into())
}

fn choose_scheme(cx: &Context<'_>, hello: &ClientHello<'_>) -> Result<SignatureScheme, Failure> {
    // RFC 5246 §7.4.1.4.1: who names no schemes takes those with SHA-1, which we do not make.
    let theirs = codes(hello, ExtensionType::SIGNATURE_ALGORITHMS)?.ok_or(Incompatible::SignatureScheme)?;
    choose_own_scheme(cx, &theirs)
}

/// The scheme that we sign with, out of those that the peer takes.
pub(super) fn choose_own_scheme(cx: &Context<'_>, theirs: &[u16]) -> Result<SignatureScheme, Failure> {
    let ours = cx.config.certificate.key().schemes();
    ours.iter()
        .copied()
        .find(|scheme| theirs.contains(&scheme.code()))
        .ok_or_else(|| Incompatible::SignatureScheme.into())
}

/// The codes in an extension that is one list of them.
fn codes(hello: &ClientHello<'_>, kind: ExtensionType) -> Result<Option<Vec<u16>>, Failure> {
    let Some(body) = hello.extensions.get(kind) else { return Ok(None) };
    let mut r = pavane_base::Reader::new(body);
    let list = r.prefixed_u16()?;
    if !r.is_empty() {
        return Err(Misbehaved::Malformed.into());
    }
    Ok(Some(parse_code_list(list)?))
}
