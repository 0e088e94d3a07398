//! What fuzzers call.

use alloc::string::ToString;

use crate::SessionDescription;

/// Reads any text; what can be read is written and read again to the same.
///
/// # Panics
/// If it is not.
pub fn session_description(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Ok(description) = text.parse::<SessionDescription>() {
        let again = description.to_string().parse::<SessionDescription>();
        assert_eq!(again.as_ref(), Ok(&description));
    }
}
