//! A terminal of 80 columns and 24 rows with the client on it: a pseudo-terminal on which one types, and what somebody in
//! front of it would see.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::chat_support::example;

/// When a test gives up waiting: long after a busy machine has done anything here.
const PATIENCE: Duration = Duration::from_secs(60);

const ROWS: u16 = 24;
const COLUMNS: u16 = 80;

/// See the head of this file.
pub(crate) struct Terminal {
    child: Child,
    master: File,
    /// Kept open, so that what the client wrote last can be read, and the modes looked at, when it has ended.
    slave: File,
    seen: Arc<Seen>,
}

struct Seen {
    screen: Mutex<vt100::Parser>,
    changed: Condvar,
}

impl Terminal {
    /// The client with these arguments, in UTC, and without colours.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[("NO_COLOR", "1")])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let master = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = File::options().read(true).write(true).open(name).unwrap();
        let size = Winsize {
            ws_row: ROWS,
            ws_col: COLUMNS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        let stream = || Stdio::from(slave.try_clone().unwrap());
        let child = Command::new(example("chat_client"))
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env("TZ", "UTC")
            .env_remove("NO_COLOR")
            .env_remove("CHAT_CLIENT_PASSWORD")
            .envs(environment.iter().copied())
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        let [rows, columns] = [ROWS, COLUMNS].map(|size| NonZero::new(size).unwrap());
        let seen = Arc::new(Seen {
            screen: Mutex::new(vt100::Parser::new(rows, columns, 0)),
            changed: Condvar::new(),
        });
        let (showing, mut output) = (seen.clone(), master.try_clone().unwrap());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let mut screen = showing.screen.lock().unwrap();
                screen.process(&bytes[..length]);
                showing.changed.notify_all();
            }
        });
        Self {
            child,
            master,
            slave,
            seen,
        }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until what is to be seen is as it should be.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        let mut screen = self.lock();
        while !is_so(screen.screen()) {
            let rest = PATIENCE.saturating_sub(start.elapsed());
            let contents = screen.screen().contents();
            assert!(!rest.is_zero(), "waited for {what}, and see:\n{contents}");
            screen = self.seen.changed.wait_timeout(screen, rest).unwrap().0;
        }
    }

    /// Waits until a row ends with `text`.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        self.wait_until(text, |screen| {
            rows(screen).iter().any(|row| row.ends_with(text))
        });
    }

    /// Waits until the cursor stands behind `text`, and nothing else is in its row.
    #[track_caller]
    pub(crate) fn line_is(&self, text: &str) {
        self.wait_until(text, |screen| cursor_line(screen) == text);
    }

    /// What is seen now.
    pub(crate) fn rows(&self) -> Vec<String> {
        rows(self.lock().screen())
    }

    /// Looks at the screen as it is now.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.lock().screen())
    }

    /// How the terminal is set.
    pub(crate) fn modes(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    /// Waits until nobody sees what is typed. Nothing tells when that is so.
    #[track_caller]
    pub(crate) fn hides_what_is_typed(&self) {
        let start = Instant::now();
        while self.modes().local_modes.contains(LocalModes::ECHO) {
            assert!(start.elapsed() < PATIENCE, "what is typed can be seen");
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits for the end of the client, and returns its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not end: {:#?}",
                self.rows()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn lock(&self) -> MutexGuard<'_, vt100::Parser> {
        self.seen.screen.lock().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rows with something in them.
pub(crate) fn rows(screen: &vt100::Screen) -> Vec<String> {
    let rows = screen.rows(0, COLUMNS).map(|row| row.trim_end().to_owned());
    rows.filter(|row| !row.is_empty()).collect()
}

/// What stands before the cursor in its row, if there is nothing behind it.
pub(crate) fn cursor_line(screen: &vt100::Screen) -> String {
    let (row, column) = screen.cursor_position();
    let text = |from, width| screen.rows(from, width).nth(row.into()).unwrap_or_default();
    if text(column, COLUMNS - column).trim().is_empty() {
        text(0, column)
    } else {
        format!(
            "{:?} before the cursor, and more behind it",
            text(0, column)
        )
    }
}
