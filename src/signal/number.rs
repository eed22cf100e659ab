//! A signal's number, by its name.

use signal_hook::consts;
use signal_hook::low_level::signal_name;
use std::fmt;

/// A signal: a number with a name.
///
/// The constants have the names of the shell's `kill`, without `SIG`.
///
/// # Examples
///
/// ```
/// use parklet::signal::Signal;
///
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::from_raw(15), Signal::TERM);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// Names them.
macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident = $number:ident;)*) => {
        impl Signal {
            $($(#[$doc])* pub const $name: Signal = Signal(consts::$number);)*
        }
    };
}

signals! {
    /// The terminal is gone; services read their files again.
    HUP = SIGHUP;
    /// Ctrl-C.
    INT = SIGINT;
    /// Ctrl-\.
    QUIT = SIGQUIT;
    /// For the program's own use.
    USR1 = SIGUSR1;
    /// For the program's own use.
    USR2 = SIGUSR2;
    /// A write to a pipe or socket that nobody reads. Rust programs ignore it, and the write fails.
    PIPE = SIGPIPE;
    /// An alarm clock of the system's.
    ALRM = SIGALRM;
    /// The wish that the process end: what `kill` sends, and whoever stops services.
    TERM = SIGTERM;
    /// A child process has ended or stopped.
    CHLD = SIGCHLD;
    /// The process goes on after it was stopped.
    CONT = SIGCONT;
    /// Ctrl-Z.
    TSTP = SIGTSTP;
    /// A process in the background reads from the terminal.
    TTIN = SIGTTIN;
    /// A process in the background writes to the terminal.
    TTOU = SIGTTOU;
    /// Urgent data on a socket.
    URG = SIGURG;
    /// The terminal has another size.
    WINCH = SIGWINCH;
    /// A descriptor is ready, where it was told to say so.
    IO = SIGIO;
}

impl Signal {
    /// The signal of this number, which may be one without a name here.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::signal::Signal;
    /// assert_eq!(Signal::from_raw(40).to_string(), "signal 40");
    /// ```
    pub const fn from_raw(number: i32) -> Signal {
        Signal(number)
    }

    /// Its number on this system.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::signal::Signal;
    /// assert_eq!(Signal::INT.as_raw(), 2);
    /// ```
    pub const fn as_raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({self})")
    }
}
