//! `chat_server hash-password NAME`: makes a line for the file of accounts.
//!
//! The password is typed twice, unseen, or comes as one line through a pipe. It never stands on the command line, which other
//! people on the machine, and the shell's history, can read.

use std::io::{self, BufRead, IsTerminal};

use argon2::{Argon2, PasswordHasher};

use crate::accounts;

/// The longest password taken from a pipe, so that a wrong file is no password: what fits on a line of the protocol by far.
const MAX_LENGTH: u64 = 1024;

/// The line for the account `name`, whose password is asked for.
///
/// # Errors
///
/// Why there is none.
pub(crate) fn line(name: &str) -> Result<String, String> {
    accounts::check_name(name)?;
    let password = password().map_err(|error| format!("cannot read a password: {error}"))?;
    if password.is_empty() {
        return Err("an empty password is none".to_owned());
    }
    // A salt of its own comes with each hash.
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| format!("cannot hash the password: {error}"))?;
    Ok(format!("{name}:{hash}"))
}

fn password() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    let password = rpassword::prompt_password("password: ")?;
    if rpassword::prompt_password("once more: ")? != password {
        return Err(io::Error::other("these were two different ones"));
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    // One more for its line break.
    input.take(MAX_LENGTH + 1).read_line(&mut line)?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.len() as u64 > MAX_LENGTH {
        let text = format!("it is longer than {MAX_LENGTH} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(password.to_owned())
}
