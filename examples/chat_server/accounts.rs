//! Who has an account, as a file says it: a line each, `name:hash`, where the hash is one of argon2's in the PHC form.
//! `chat_server hash-password NAME` makes such a line. Empty lines, and those that begin with `#`, say nothing.
//!
//! ```text
//! # The crew.
//! anna:$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$c29tZXRoaW5nIHRoYXQgaXMgdGhpcnR5LXR3by4
//! ```
//!
//! To find out whether a password is right takes some ten milliseconds and, for as long, 19 MB. The server sees to it that
//! this is done beside its work, and a few times at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params};
use parklet::chat::{Access, Secret, Users, clean_name};

use crate::names;

/// How many bad lines of a file are told. Who gives the wrong file need not read all of it.
const MAX_TOLD: usize = 10;

/// The accounts in a file.
pub(crate) struct Accounts {
    file: String,
    allow_guests: bool,
    /// What the file held when it was last read. A lock to replace it; who verifies takes a reference.
    current: Mutex<Arc<Book>>,
}

/// What a file says.
struct Book {
    accounts: Vec<Account>,
    /// Where in the list an account is, by the canonical form of its name.
    by_name: HashMap<String, usize>,
    /// Says what is compared with the password of an unknown name.
    hasher: RandomState,
}

struct Account {
    name: String,
    hash: PasswordHash,
}

impl Accounts {
    /// Reads the accounts in `file`.
    ///
    /// # Errors
    ///
    /// A line for everything that is wrong with it.
    pub(crate) fn load(file: &str, allow_guests: bool) -> Result<Self, Vec<String>> {
        Ok(Self {
            file: file.to_owned(),
            allow_guests,
            current: Mutex::new(Arc::new(Book::read(file)?)),
        })
    }

    /// Reads the file again, and returns how many accounts there are. On an error they are those from before. Who is connected
    /// stays, whatever the file says now.
    pub(crate) fn reload(&self) -> Result<usize, Vec<String>> {
        let fresh = Arc::new(Book::read(&self.file)?);
        let count = fresh.accounts.len();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *current, fresh);
        drop(current);
        drop(old);
        Ok(count)
    }

    fn current(&self) -> Arc<Book> {
        let current = self.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Users for Accounts {
    fn access(&self) -> Access {
        if self.allow_guests {
            Access::AccountsAndGuests
        } else {
            Access::Accounts
        }
    }

    fn canonical(&self, name: &str) -> String {
        names::canonical(name)
    }

    fn verify(&self, name: &str, token: &Secret) -> Option<String> {
        let book = self.current();
        let key = names::canonical(name);
        let known = book.by_name.get(&key).copied();
        // An unknown name is compared with somebody's password, always the same one's: so it takes as long as if it were
        // known, also where hashes differ in what they cost.
        let index = known.or_else(|| {
            let hash = book.hasher.hash_one(&key) as usize;
            hash.checked_rem(book.accounts.len())
        })?;
        let account = &book.accounts[index];
        let verified = Argon2::default().verify_password(token.expose().as_bytes(), &account.hash);
        (known.is_some() && verified.is_ok()).then(|| account.name.clone())
    }
}

impl Book {
    fn new() -> Self {
        Self {
            accounts: Vec::new(),
            by_name: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    fn read(file: &str) -> Result<Self, Vec<String>> {
        let bytes = fs::read(file).and_then(|bytes| {
            let not_utf8 = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8");
            String::from_utf8(bytes).map_err(not_utf8)
        });
        let text =
            bytes.map_err(|error| vec![format!("cannot use the accounts in {file}: {error}")])?;
        let mut book = Self::new();
        let mut lines = Vec::new();
        let mut problems = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let added = parse(line).and_then(|account| book.add(account, &lines));
            match added {
                Ok(()) => lines.push(index + 1),
                // Never what stands there: it may be a password that was meant to be hashed.
                Err(problem) => problems.push(format!("{file}, line {}: {problem}", index + 1)),
            }
        }
        if problems.is_empty() {
            return Ok(book);
        }
        if problems.len() > MAX_TOLD {
            let more = problems.len() - MAX_TOLD;
            problems.truncate(MAX_TOLD);
            problems.push(format!("{file}: {more} more lines are wrong"));
        }
        Err(problems)
    }

    /// Adds an account that stands on the line after these.
    fn add(&mut self, account: Account, lines: &[usize]) -> Result<(), String> {
        match self.by_name.entry(names::canonical(&account.name)) {
            Entry::Occupied(entry) => Err(format!(
                "this name is on line {} already",
                lines[*entry.get()]
            )),
            Entry::Vacant(entry) => {
                entry.insert(self.accounts.len());
                self.accounts.push(account);
                Ok(())
            }
        }
    }
}

/// One line of the file.
fn parse(line: &str) -> Result<Account, String> {
    // A hash has no colon, and a name may have one.
    let (name, hash) = line
        .trim_end()
        .rsplit_once(':')
        .ok_or("expected name:hash")?;
    check_name(name)?;
    let hash = PasswordHash::new(hash).map_err(|_| "expected a hash in PHC form, $argon2id$..")?;
    Algorithm::try_from(hash.algorithm.as_str()).map_err(|_| "expected a hash of argon2")?;
    Params::try_from(&hash).map_err(|error| format!("argon2 cannot use the hash: {error}"))?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err("the hash has an end missing".to_owned());
    }
    let name = name.to_owned();
    Ok(Account { name, hash })
}

/// Whether this can be the name of an account: one that a client can ask for, and that a line can begin with.
///
/// # Errors
///
/// Why not.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.starts_with('#') {
        return Err("a name cannot begin with #, as a remark does");
    }
    let of_guest = names::canonical(name);
    let number = of_guest.strip_prefix("guest-");
    if number.is_some_and(|number| number.parse::<u64>().is_ok()) {
        return Err("guests have such names");
    }
    if clean_name(name).as_deref() != Some(name) {
        return Err("a name has to be visible, and without white space around it");
    }
    Ok(())
}
