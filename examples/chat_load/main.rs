//! Load for a chat server, and a check of what it delivers.
//!
//! ```text
//! $ cargo run --release --example chat_load -- --clients 200 --groups 10 --rate 2000 --duration 5
//! [##############################] 5 s of 5 s, 39,876 deliveries a second, 0 dropped
//! 200 clients in 10 groups for 5.0 s: 10,000 posts, 199,940 deliveries (39,981 a second)
//! with those that came later, and all clients: 10,000 posts, 200,000 deliveries, 0 dropped
//! latency of a delivery: half within 211 us, 90 % 480 us, 99 % 1.21 ms, 99.9 % 2.60 ms, all 4.13 ms
//! CPU of the server 1.07 s, 5.4 us for a delivery; of the load 1.30 s
//! ...
//! in order, nothing twice, nothing lost
//! ```
//!
//! Without an address it starts a server of its own, in a process of its own, and also checks that nothing of the load is
//! left in it. The exit code is 0 if every member got every message of its group once and in order, or was told of
//! each that was dropped; 1 if not, with a line for what was wrong. `--help` lists what can be set.
//!
//! - Who is told to be slow reads nothing until the end, and then has to account for every message, too.
//! - A message is due at a time that the rate sets, and its latency counts from then: a server that keeps the senders
//!   waiting does not look better for it.
//! - Clients are tasks that read into one buffer a thread and look at a line's bytes, where it is as it is expected; JSON
//!   is parsed for all others. So the load costs less than the server, and each has its own figure for CPU time.
//!
//! What each file here is for:
//!
//! | file | |
//! |---|---|
//! | `arguments.rs` | what can be set |
//! | `run.rs` | what all clients share, and a run from its first connection to its last |
//! | `client.rs` | one client: says hello, joins, posts, reads |
//! | `lines.rs` | what a line says |
//! | `account.rs` | whether a member got what it should |
//! | `latency.rs` | a histogram, its percentiles and its picture |
//! | `progress.rs`, `numbers.rs` | the bar, and numbers that can be read |
//! | `own_server.rs` | the server that is started if there is none |

mod account;
mod arguments;
mod client;
mod latency;
mod lines;
mod numbers;
mod own_server;
mod progress;
mod run;

use std::io::{self, Write};
use std::process::ExitCode;

use arguments::Command;

/// The exit code when what was asked for cannot be, as other programs have it.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    own_server::run_if_child();
    let plan = match arguments::read(std::env::args_os()) {
        Ok(Command::Load(plan)) => plan,
        Ok(Command::Say(text)) => {
            // Who started this may have closed its output, but has no reason to stop us so.
            let _ = writeln!(io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("chat_load: {problem}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match run::run(plan) {
        Ok(wrong) if wrong.is_empty() => {
            println!("in order, nothing twice, nothing lost");
            ExitCode::SUCCESS
        }
        Ok(wrong) => {
            for line in wrong {
                println!("WRONG: {line}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("chat_load: {error}");
            ExitCode::FAILURE
        }
    }
}
