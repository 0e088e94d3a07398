//! The examples run, and end.

#[path = "../examples/custom_loop.rs"]
mod custom_loop;

#[test]
fn a_loop_of_ones_own() {
    custom_loop::main().unwrap();
}
