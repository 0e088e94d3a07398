//! STUN and TURN servers as an application names them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use pavane_ice::{Server, ServerUrl, ServerUrlError, Service};

use crate::ice;

/// One or more URLs of STUN and TURN servers, with the credentials for them.
///
/// ```
/// use pavane::IceServer;
///
/// let stun = IceServer::new(["stun:stun.example.org"]);
/// let turn = IceServer::new(["turn:turn.example.org?transport=udp", "turns:turn.example.org:443"])
///     .credentials("user", "secret");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[doc(alias = "RTCIceServer")]
pub struct IceServer {
    urls: Vec<String>,
    credentials: Option<ice::LongTermCredentials>,
}

impl IceServer {
    /// Servers with these URLs, of the schemes `stun`, `turn` and `turns` (RFC 7064, RFC 7065).
    pub fn new<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Self {
        Self { urls: urls.into_iter().map(Into::into).collect(), credentials: None }
    }

    /// Sets the name and the password that TURN servers want.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, credential: impl Into<String>) -> Self {
        let (username, password) = (username.into(), credential.into());
        self.credentials = Some(ice::LongTermCredentials { username, password });
        self
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer").field("urls", &self.urls).finish_non_exhaustive()
    }
}

/// A server that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IceServerError {
    /// A URL is none of a server, or of none that can be used.
    Url(ServerUrlError),
    /// A TURN server has no credentials, or a name of more than 508 bytes (RFC 8489 §14.3).
    Credentials,
    /// There are too many URLs.
    TooMany {
        /// How many there may be.
        max: usize,
    },
}

/// How many URLs are taken.
const MAX_URLS: usize = 16;

/// RFC 8489 §14.3.
const MAX_USERNAME: usize = 508;

impl IceServerError {
    /// The name of the exception.
    pub const fn dom_name(&self) -> &'static str {
        match self {
            Self::Url(ServerUrlError::Unsupported) => "NotSupportedError",
            Self::Url(_) => "SyntaxError",
            Self::Credentials => "InvalidAccessError",
            Self::TooMany { .. } => "OperationError",
        }
    }
}

impl fmt::Display for IceServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Credentials => f.write_str("a TURN server has no usable credentials"),
            Self::TooMany { max } => write!(f, "there are more than {max} URLs of servers"),
        }
    }
}

impl core::error::Error for IceServerError {}

/// One server for each URL.
pub(crate) fn resolve(servers: &[IceServer]) -> Result<Vec<Server>, IceServerError> {
    let mut resolved = Vec::new();
    for server in servers {
        for url in &server.urls {
            if resolved.len() == MAX_URLS {
                return Err(IceServerError::TooMany { max: MAX_URLS });
            }
            let url: ServerUrl = url.parse().map_err(IceServerError::Url)?;
            let fits = |user: &ice::LongTermCredentials| user.username.len() <= MAX_USERNAME;
            let credentials = match url.service {
                Service::Turn(_) | Service::TurnTls => {
                    Some(server.credentials.clone().filter(fits).ok_or(IceServerError::Credentials)?)
                }
                _ => None,
            };
            resolved.push(Server { url, credentials });
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn each_url_is_a_server_and_relays_want_credentials() {
        let stun = IceServer::new(["stun:a.example"]);
        let turn = IceServer::new(["turn:b.example", "turns:b.example"]);
        assert_eq!(resolve(&[stun.clone(), turn.clone()]), Err(IceServerError::Credentials));
        let servers = resolve(&[stun.clone(), turn.credentials("user", "secret")]).unwrap();
        assert_eq!(servers.len(), 3);
        assert_eq!(servers[0].credentials, None);
        assert_eq!(servers[2].credentials.as_ref().unwrap().username, "user");
        let wrong = resolve(&[IceServer::new(["stuns:a.example"])]).unwrap_err();
        assert_eq!(wrong.dom_name(), "NotSupportedError");
        let many = vec![stun; MAX_URLS + 1];
        assert_eq!(resolve(&many), Err(IceServerError::TooMany { max: MAX_URLS }));
    }
}
