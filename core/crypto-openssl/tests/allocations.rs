//! What is done for each packet allocates nothing; alone in its process, where nothing else allocates.

use pavane_crypto_openssl::OpensslProvider;

const PROVIDER: OpensslProvider = OpensslProvider;

#[path = "../../crypto/tests/suite/allocations.rs"]
mod suite;
