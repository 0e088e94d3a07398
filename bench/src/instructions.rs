//! Instructions by valgrind's count, which does not depend on what else the machine does.

use std::process::Command;

use crate::transfer::CASES;
use crate::{Arguments, Stack, media, setup, transfer, with_peer};

/// What a profiler wants to see: one stack doing one thing.
pub fn once(arguments: &Arguments, number: usize, amount: u64) {
    const SETUP: usize = CASES.len();
    const MEDIA: usize = SETUP + 1;
    for stack in arguments.stacks() {
        match CASES.get(number) {
            Some(case) => with_peer!(stack, transfer::once, case, amount, arguments.turn),
            None if number == SETUP => with_peer!(stack, setup::once, amount, arguments.turn),
            None if number == MEDIA => media::once(stack, amount),
            None => media::fanout::once(stack, amount),
        }
    }
}

/// Prints the table: the difference between twice the work and the work, which leaves out what happens once.
pub fn report(arguments: &Arguments) {
    println!("\nInstructions, both ends.\n");
    println!("| what | stack | instructions | to Pavane's |");
    println!("|---|---|---|---|");
    // As few as are enough: valgrind is slow, and so are some of the stacks.
    const MESSAGES: u64 = 512;
    const CONNECTIONS: u64 = 8;
    for (number, case) in CASES.iter().enumerate() {
        // A quarter more is sent to open the windows.
        let done = (MESSAGES + MESSAGES / 4) as f64;
        rows(arguments, &format!("{}, a message", case.title()), |stack| {
            difference(arguments, stack, number, MESSAGES).map(|count| count / done)
        });
    }
    // Written to handed over.
    const PACKETS: u64 = 2000;
    rows(arguments, "a packet of RTP, 1200 bytes, AES-128-GCM", |stack| {
        difference(arguments, stack, CASES.len() + 1, PACKETS).map(|count| count / PACKETS as f64)
    });
    rows(arguments, "a set-up", |stack| {
        difference(arguments, stack, CASES.len(), CONNECTIONS).map(|count| count / CONNECTIONS as f64)
    });
}

fn rows(arguments: &Arguments, title: &str, count: impl Fn(Stack) -> Option<f64>) {
    let mut first = None;
    for stack in arguments.stacks() {
        let Some(count) = count(stack) else {
            println!("| {title} | {} | valgrind fails | – |", stack.name());
            continue;
        };
        let ratio = count / *first.get_or_insert(count);
        println!("| {title} | {} | {count:.0} | {ratio:.2} |", stack.name());
    }
}

fn difference(arguments: &Arguments, stack: Stack, number: usize, amount: u64) -> Option<f64> {
    Some(total(arguments, stack, number, 2 * amount)? - total(arguments, stack, number, amount)?)
}

/// Runs this program under valgrind and takes the count out of what it says.
fn total(arguments: &Arguments, stack: Stack, number: usize, amount: u64) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(["--only", stack.name()])
        .args(["--turn", &arguments.turn.to_string()])
        .args(["--once", &number.to_string()])
        .args(["--amount", &amount.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}
