//! The examples run, and end.

#[path = "../examples/tick.rs"]
mod tick;

#[test]
fn a_game_server_ticks() {
    tick::main().unwrap();
}
