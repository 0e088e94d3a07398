//! What every provider is held to.

use pavane_crypto_rustls::RustlsProvider;

const PROVIDER: RustlsProvider = RustlsProvider;

#[path = "../../crypto/tests/suite/determinism.rs"]
mod determinism;
#[path = "../../crypto/tests/suite/wycheproof.rs"]
mod wycheproof;
