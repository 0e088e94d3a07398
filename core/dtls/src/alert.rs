//! Alerts (RFC 5246 §7.2).

use core::fmt;

use pavane_base::{Reader, Truncated};

/// What an alert says, by its number in TLS (RFC 8446 §6).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertDescription(pub u8);

impl AlertDescription {
    /// The sender will send nothing more.
    pub const CLOSE_NOTIFY: Self = Self(0);
    /// A message came that has no place there.
    pub const UNEXPECTED_MESSAGE: Self = Self(10);
    /// A record was not authentic.
    pub const BAD_RECORD_MAC: Self = Self(20);
    /// The parameters on offer have nothing in common with ours.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// A certificate is missing, broken, or not the one that was announced.
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// A field has a value that it cannot have there.
    pub const ILLEGAL_PARAMETER: Self = Self(47);
    /// A message does not follow its grammar.
    pub const DECODE_ERROR: Self = Self(50);
    /// A signature or a Finished message is wrong.
    pub const DECRYPT_ERROR: Self = Self(51);
    /// The protocol's version is not supported.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// Something failed that has nothing to do with the peer.
    pub const INTERNAL_ERROR: Self = Self(80);
    /// A second handshake was refused.
    pub const NO_RENEGOTIATION: Self = Self(100);
    /// An extension was answered that was not offered.
    pub const UNSUPPORTED_EXTENSION: Self = Self(110);

    const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}

impl fmt::Debug for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An alert as it is on the wire: one octet of level, one of description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) level: AlertLevel,
    pub(crate) description: AlertDescription,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertLevel {
    Warning,
    Fatal,
}

impl Alert {
    pub(crate) const LEN: usize = 2;

    pub(crate) const fn warning(description: AlertDescription) -> Self {
        Self { level: AlertLevel::Warning, description }
    }

    pub(crate) const fn fatal(description: AlertDescription) -> Self {
        Self { level: AlertLevel::Fatal, description }
    }

    /// Reads an alert; a level that does not exist counts as fatal.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Truncated> {
        const WARNING: u8 = 1;
        let [level, description] = Reader::new(payload).array()?;
        let level = if level == WARNING { AlertLevel::Warning } else { AlertLevel::Fatal };
        Ok(Self { level, description: AlertDescription(description) })
    }

    pub(crate) const fn to_bytes(self) -> [u8; Self::LEN] {
        let level = match self.level {
            AlertLevel::Warning => 1,
            AlertLevel::Fatal => 2,
        };
        [level, self.description.0]
    }

    /// Whether nothing comes after it.
    pub(crate) fn ends_connection(self) -> bool {
        self.level == AlertLevel::Fatal || self.description == AlertDescription::CLOSE_NOTIFY
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn alerts_round_trip() {
        for alert in [
            Alert::warning(AlertDescription::CLOSE_NOTIFY),
            Alert::fatal(AlertDescription::BAD_CERTIFICATE),
            Alert::warning(AlertDescription(199)),
        ] {
            assert_eq!(Alert::parse(&alert.to_bytes()), Ok(alert));
        }
        assert_eq!(Alert::parse(&[2]), Err(Truncated));
        assert_eq!(AlertDescription(42).to_string(), "bad_certificate");
        assert_eq!(AlertDescription(199).to_string(), "alert 199");
    }
}
