//! Pavane's cryptographic provider on OpenSSL.
