//! Runs as many lives of two associations as are asked for (10,000 unless told), each from a seed of its own, and stops at
//! the first in which something does not hold:
//!
//! `cargo run --release --example lives -p pavane-sctp --features fuzzing -- 10000 0`

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let (count, first) = (arguments.next().unwrap_or(10_000), arguments.next().unwrap_or(0));
    (first..first + count).for_each(pavane_sctp::fuzzing::property::life);
    println!("{count} lives from seed {first} on, and everything held");
}
