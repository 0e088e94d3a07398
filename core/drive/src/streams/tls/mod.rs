//! TLS for streams to TURN servers, as bytes in and bytes out: rustls's, or OpenSSL's where that is what there is.

#[cfg(feature = "tls-openssl")]
mod openssl;
#[cfg(feature = "tls-rustls")]
mod rustls;

use std::fmt;
use std::sync::OnceLock;

use super::session::{Broken, Session};

/// Opens TLS sessions: who is trusted, and all else that the library lets be chosen.
#[derive(Clone)]
pub struct TlsConnector {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    #[cfg(feature = "tls-rustls")]
    Rustls(std::sync::Arc<::rustls::ClientConfig>),
    #[cfg(feature = "tls-openssl")]
    OpenSsl(::openssl::ssl::SslConnector),
}

impl TlsConnector {
    /// One of rustls's.
    #[cfg(feature = "tls-rustls")]
    pub const fn rustls(config: std::sync::Arc<::rustls::ClientConfig>) -> Self {
        Self { kind: Kind::Rustls(config) }
    }

    /// One of OpenSSL's.
    #[cfg(feature = "tls-openssl")]
    pub const fn openssl(connector: ::openssl::ssl::SslConnector) -> Self {
        Self { kind: Kind::OpenSsl(connector) }
    }

    /// One that trusts whom the operating system trusts, so that a TURN server of the house is known with the rest of the
    /// house; `None` where nobody is, or no TLS was built in. Its certificates are read once.
    pub fn system() -> Option<Self> {
        static SYSTEM: OnceLock<Option<TlsConnector>> = OnceLock::new();
        SYSTEM.get_or_init(Self::read_system).clone()
    }

    /// One that trusts certificates, in PEM, and whom they vouch for, and nobody else; `None` if they are no certificates, or no
    /// TLS was built in.
    #[cfg(feature = "tls-rustls")]
    pub fn trusting(pem: &[u8]) -> Option<Self> {
        rustls::trusting(pem).map(Self::rustls)
    }

    /// One that trusts certificates, in PEM, and whom they vouch for, and nobody else; `None` if they are no certificates, or no
    /// TLS was built in.
    #[cfg(all(feature = "tls-openssl", not(feature = "tls-rustls")))]
    pub fn trusting(pem: &[u8]) -> Option<Self> {
        openssl::trusting(pem).map(Self::openssl)
    }

    #[cfg(feature = "tls-rustls")]
    fn read_system() -> Option<Self> {
        rustls::system().map(Self::rustls)
    }

    #[cfg(all(feature = "tls-openssl", not(feature = "tls-rustls")))]
    fn read_system() -> Option<Self> {
        openssl::system().map(Self::openssl)
    }

    #[cfg(not(any(feature = "tls-rustls", feature = "tls-openssl")))]
    const fn read_system() -> Option<Self> {
        None
    }

    /// Begins a session with the server of this name, which may be an address.
    pub(super) fn connect(&self, name: &str) -> Result<Box<dyn Session>, Broken> {
        match &self.kind {
            #[cfg(feature = "tls-rustls")]
            Kind::Rustls(config) => rustls::connect(config.clone(), name),
            #[cfg(feature = "tls-openssl")]
            Kind::OpenSsl(connector) => openssl::connect(connector, name),
            #[cfg(not(any(feature = "tls-rustls", feature = "tls-openssl")))]
            _ => Err(Broken),
        }
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}
