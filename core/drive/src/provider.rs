//! The provider of cryptography that the features name.

use std::sync::Arc;

use pavane::crypto::Provider;

/// aws-lc-rs by the feature `rustls`, else OpenSSL by the feature `openssl`.
pub fn default_provider() -> Arc<dyn Provider> {
    #[cfg(feature = "rustls")]
    return pavane_crypto_rustls::provider();
    #[cfg(not(feature = "rustls"))]
    return pavane_crypto_openssl::provider();
}
