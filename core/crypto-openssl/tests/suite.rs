//! What every provider is held to.

use pavane_crypto_openssl::OpensslProvider;

const PROVIDER: OpensslProvider = OpensslProvider;

#[path = "../../crypto/tests/suite/determinism.rs"]
mod determinism;
#[path = "../../crypto/tests/suite/wycheproof.rs"]
mod wycheproof;
