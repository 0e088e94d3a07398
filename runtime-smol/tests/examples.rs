//! The examples run, and end.

use std::error::Error;

#[path = "../examples/transfer.rs"]
mod transfer;

#[test]
fn a_file_goes_over() -> Result<(), Box<dyn Error + Send + Sync>> {
    transfer::main()
}
