//! The file in which messages are kept: a database of redb's, and what is written to it. Everything here blocks; how it
//! is read stands in `page.rs`.
//!
//! ```text
//! groups    name             ─► Row: its number, its last id, how many messages, the ids that were left out
//! messages  (number, id)     ─► (time, sender, text)
//! marks     a word           ─► a number: the version, the next number of a group, whether the file was closed, the last
//!                               id that may have been given in groups that never came to be here
//! ```
//!
//! A write is one transaction: after a kill it is there or it is not. After a failure the file is closed, and whoever
//! wants to go on opens it again.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use parklet::chat::history::KeptMessage;
use redb::{Database, DatabaseError, ReadableTable, Table, TableDefinition};

/// The file's name in its directory.
const FILE_NAME: &str = "history.redb";

/// The form of the tables. Another one is not touched.
const VERSION: u64 = 1;

/// How much of the file is kept in memory: most reads are of the last messages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// So many ids are left out after the server was ended in haste: more than any group has in the moment that is lost
/// then, so that no id is given to two messages.
const IDS_LEFT_OUT: u64 = 1 << 20;

/// The greatest number of gaps that are remembered; beyond that, who has not been there for so long is told too many missed
/// messages.
const MAX_GAPS: usize = 16;

const GROUPS: TableDefinition<'_, &str, Row> = TableDefinition::new("groups");
pub(super) const MESSAGES: TableDefinition<'_, (u64, u64), Message> =
    TableDefinition::new("messages");
const MARKS: TableDefinition<'_, &str, u64> = TableDefinition::new("marks");

/// See [`Found::last_lost_id`].
const LAST_LOST_ID: &str = "last lost id";

/// Number, last id, messages, gaps.
type Row = (u64, u64, u64, Vec<(u64, u64)>);

/// Time, sender, text. Bytes, so that those of a broken file are looked at before they are believed.
pub(super) type Message = (u64, Option<&'static [u8]>, &'static [u8]);

/// What went wrong: for the operator, who knows from it what was tried with which file.
#[derive(Debug)]
pub(crate) struct Problem(pub(super) String);

impl<E: std::error::Error> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much is kept of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) messages: u64,
    /// In milliseconds.
    pub(super) age: u64,
}

/// One group, as it is in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupOnDisk {
    pub(super) number: u64,
    pub(super) last_id: u64,
    pub(super) messages: u64,
    /// The time of the oldest message.
    pub(super) oldest: u64,
    pub(super) left_out: Vec<Range<u64>>,
}

/// What is in the file when it is opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) groups: Vec<(String, GroupOnDisk)>,
    /// The greatest id that may have been given in a group that is not there: one that had not been written yet when a server
    /// was ended in haste. Groups that are new begin above it.
    pub(super) last_lost_id: u64,
}

/// What is to be written to one group.
pub(super) struct Addition {
    pub(super) name: Arc<str>,
    /// The greatest id that was given, also to a message that is not kept.
    pub(super) last_id: u64,
    pub(super) messages: Vec<Arc<KeptMessage>>,
}

/// The file, open; nobody else has it open meanwhile.
pub(super) struct HistoryFile {
    pub(super) database: Database,
    pub(super) path: PathBuf,
    bounds: Bounds,
}

impl HistoryFile {
    /// Opens the file in `directory`, or makes it, and returns what is in it. After this and until it is closed, a look at
    /// the file shows that it was not; if that is found, ids are left out, unless the server that knows them `goes_on`.
    pub(super) fn open(
        directory: &Path,
        bounds: Bounds,
        goes_on: bool,
    ) -> Result<(Self, Found), Problem> {
        let path = directory.join(FILE_NAME);
        attempt("open", &path, || {
            let file = open_file(directory, &path)?;
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES);
            builder.create_with_file_format_v3(true);
            let database = builder.create_file(file).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => {
                    Problem("another server has it open".to_owned())
                }
                error => error.into(),
            })?;
            let history = Self {
                database,
                path: path.clone(),
                bounds,
            };
            let found = history.begin(goes_on)?;
            Ok((history, found))
        })
    }

    /// Reads what groups there are, and leaves the mark that the file is open.
    fn begin(&self, goes_on: bool) -> Result<Found, Problem> {
        let mut found = Found::default();
        self.change(|groups, messages, marks| {
            let mark =
                |name| -> Result<_, Problem> { Ok(marks.get(name)?.map(|value| value.value())) };
            let version = mark("version")?.unwrap_or(VERSION);
            if version != VERSION {
                let problem = format!("its version is {version}, and this server knows {VERSION}");
                return Err(Problem(problem));
            }
            let was_closed = mark("open")?.unwrap_or(0) == 0;
            found.last_lost_id = mark(LAST_LOST_ID)?.unwrap_or(0);
            for group in groups.iter()? {
                let (name, row) = group?;
                let (number, last_id, count, gaps) = row.value();
                let left_out = gaps.into_iter().map(|(start, end)| start..end);
                let mut group = GroupOnDisk {
                    number,
                    last_id,
                    messages: count,
                    oldest: oldest(messages, number)?,
                    left_out: left_out.collect(),
                };
                if !was_closed && !goes_on {
                    group.leave_ids_out();
                }
                found.groups.push((name.value().to_owned(), group));
            }
            if !was_closed && !goes_on {
                for (name, group) in &found.groups {
                    groups.insert(name.as_str(), group.row())?;
                }
                found.last_lost_id += IDS_LEFT_OUT;
                marks.insert(LAST_LOST_ID, found.last_lost_id)?;
            }
            marks.insert("version", VERSION)?;
            marks.insert("open", 1)?;
            Ok(())
        })?;
        Ok(found)
    }

    /// Keeps messages, forgets those that are too many or too old, and returns what there is then of each group.
    pub(super) fn write(
        &self,
        additions: &[Addition],
        now: u64,
    ) -> Result<Vec<GroupOnDisk>, Problem> {
        attempt("write to", &self.path, || {
            let mut written = Vec::with_capacity(additions.len());
            self.change(|groups, messages, marks| {
                for addition in additions {
                    let mut group = match groups.get(&*addition.name)? {
                        Some(row) => GroupOnDisk::of(row.value()),
                        None => GroupOnDisk {
                            number: next_number(marks)?,
                            left_out: ids_up_to(
                                marks.get(LAST_LOST_ID)?.map_or(0, |mark| mark.value()),
                            ),
                            ..GroupOnDisk::default()
                        },
                    };
                    for kept in &addition.messages {
                        let from = kept.from.as_ref().map(String::as_bytes);
                        let value = (kept.time, from, kept.message.as_bytes());
                        let is_new = messages.insert((group.number, kept.id), value)?.is_none();
                        group.messages += u64::from(is_new);
                    }
                    group.last_id = group.last_id.max(addition.last_id);
                    self.trim(messages, &mut group, now)?;
                    groups.insert(&*addition.name, group.row())?;
                    written.push(group);
                }
                Ok(())
            })?;
            Ok(written)
        })
    }

    /// Forgets what is too old in these groups, and the groups of which nothing is left then. Returns what there is then
    /// of each.
    pub(super) fn expire(&self, names: &[Arc<str>], now: u64) -> Result<Vec<GroupOnDisk>, Problem> {
        attempt("write to", &self.path, || {
            let mut left = Vec::with_capacity(names.len());
            self.change(|groups, messages, _| {
                for name in names {
                    let row = groups.get(&**name)?.map(|row| row.value());
                    let mut group = row.map_or_else(GroupOnDisk::default, GroupOnDisk::of);
                    self.trim(messages, &mut group, now)?;
                    if group.messages == 0 {
                        groups.remove(&**name)?;
                    } else {
                        groups.insert(&**name, group.row())?;
                    }
                    left.push(group);
                }
                Ok(())
            })?;
            Ok(left)
        })
    }

    /// Leaves the mark that all is in order.
    pub(super) fn close(&self) -> Result<(), Problem> {
        attempt("close", &self.path, || {
            self.change(|_, _, marks| {
                marks.insert("open", 0)?;
                Ok(())
            })
        })
    }

    /// Closes the file as it is, after a failure.
    pub(super) fn abandon(self: Arc<Self>) {
        let path = self.path.clone();
        // That it fails again is no news.
        let _ = attempt("close", &path, || {
            drop(self);
            Ok(())
        });
    }

    /// Makes one change, of which all is there after a kill, or nothing.
    fn change(
        &self,
        make: impl FnOnce(
            &mut Table<'_, &'static str, Row>,
            &mut Table<'_, (u64, u64), Message>,
            &mut Table<'_, &'static str, u64>,
        ) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let done = || -> Result<(), Problem> {
            let mut transaction = self.database.begin_write()?;
            // Otherwise all of the file is read at the start after a kill.
            transaction.set_quick_repair(true);
            make(
                &mut transaction.open_table(GROUPS)?,
                &mut transaction.open_table(MESSAGES)?,
                &mut transaction.open_table(MARKS)?,
            )?;
            transaction.commit()?;
            Ok(())
        };
        done()
    }

    /// Forgets the oldest messages of a group, as many as there are too many, and those that are too old.
    fn trim(
        &self,
        messages: &mut Table<'_, (u64, u64), Message>,
        group: &mut GroupOnDisk,
        now: u64,
    ) -> Result<(), Problem> {
        let surplus = group.messages.saturating_sub(self.bounds.messages);
        let young = now.saturating_sub(self.bounds.age);
        let mut gone = Vec::new();
        group.oldest = u64::MAX;
        for entry in messages.range(all_of(group.number))? {
            let (key, value) = entry?;
            let time = value.value().0;
            if gone.len() as u64 >= surplus && time >= young {
                group.oldest = time;
                break;
            }
            gone.push(key.value());
        }
        for key in &gone {
            messages.remove(key)?;
        }
        group.messages = group.messages.saturating_sub(gone.len() as u64);
        Ok(())
    }
}

impl GroupOnDisk {
    fn of((number, last_id, messages, gaps): Row) -> Self {
        Self {
            number,
            last_id,
            messages,
            oldest: u64::MAX,
            left_out: gaps.into_iter().map(|(start, end)| start..end).collect(),
        }
    }

    fn row(&self) -> Row {
        let gaps = self.left_out.iter().map(|gap| (gap.start, gap.end));
        (self.number, self.last_id, self.messages, gaps.collect())
    }

    /// Goes on with ids that nobody can have been given.
    fn leave_ids_out(&mut self) {
        let start = self.last_id + 1;
        self.last_id += IDS_LEFT_OUT;
        self.left_out.push(start..self.last_id + 1);
        let surplus = self.left_out.len().saturating_sub(MAX_GAPS);
        self.left_out.drain(..surplus);
    }
}

/// The ids that a group has left out which begins after this one.
pub(super) fn ids_up_to(last_lost_id: u64) -> Vec<Range<u64>> {
    let left_out = 1..last_lost_id + 1;
    (!left_out.is_empty())
        .then_some(left_out)
        .into_iter()
        .collect()
}

/// The time of the oldest message of a group.
fn oldest(messages: &Table<'_, (u64, u64), Message>, number: u64) -> Result<u64, Problem> {
    let first = messages.range(all_of(number))?.next().transpose()?;
    Ok(first.map_or(u64::MAX, |(_, value)| value.value().0))
}

/// The keys of a group's messages.
fn all_of(number: u64) -> Range<(u64, u64)> {
    (number, 0)..(number + 1, 0)
}

/// A number that no group has had yet.
fn next_number(marks: &mut Table<'_, &'static str, u64>) -> Result<u64, Problem> {
    let number = marks.get("next number")?.map_or(0, |mark| mark.value());
    marks.insert("next number", number + 1)?;
    Ok(number)
}

/// The file, made if it is not there; nobody but the server may look into it.
fn open_file(directory: &Path, path: &Path) -> Result<File, Problem> {
    if !fs::metadata(directory)?.is_dir() {
        return Err(Problem(format!("{} is no directory", directory.display())));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    Ok(options.open(path)?)
}

thread_local! {
    /// What panics in this thread is told by other means.
    static IS_TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Tries something with the file. A broken one may make redb panic; that is a failure like any other, and told like any
/// other.
pub(super) fn attempt<T>(
    what: &str,
    path: &Path,
    work: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_TRYING.get() {
                tell(panic);
            }
        }));
    });
    IS_TRYING.set(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_TRYING.set(false);
    let done = done.unwrap_or_else(|panic| Err(said_in_panic(&*panic)));
    done.map_err(|cause| {
        let path = path.display();
        Problem(format!("cannot {what} the history {path}: {cause}"))
    })
}

fn said_in_panic(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Problem(format!(
        "it is damaged: {}",
        text.unwrap_or("a check failed")
    ))
}
