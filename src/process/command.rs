//! What to start, and how.

use super::{Child, ExitStatus, Output, Stdio};
use crate::io::Explain;
use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::path::Path;

/// Starts a program: std's `Command`, and what it starts is waited for without blocking.
///
/// What only std's knows (numbers of users, a first argument of its own, closures between `fork` and `exec`) is set
/// through [`as_std_mut`](Command::as_std_mut), or on std's before `From` makes one of these of it.
///
/// # Examples
///
/// ```
/// use parklet::process::{Command, Stdio};
///
/// # parklet::task::block_on(async {
/// let output = Command::new("sh")
///     .args(["-c", "echo $GREETING >&2; exit 3"])
///     .env("GREETING", "hello")
///     .output()
///     .await?;
/// assert_eq!(output.stderr, b"hello\n");
/// assert_eq!(output.status.code(), Some(3));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Command {
    /// std's.
    command: std::process::Command,
    /// Which streams were set: the others are what `spawn` and `output` make of them.
    is_set: Streams,
    /// Whether a child that is dropped ends.
    kill_on_drop: bool,
}

/// Something about each standard stream.
#[derive(Debug, Default, Clone, Copy)]
struct Streams {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Command {
    /// For a program by its path, or by a name that is looked for in `PATH`; without arguments, in this directory and
    /// environment.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// let mut command = Command::new("ls");
    /// assert_eq!(command.as_std().get_program(), "ls");
    /// ```
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        std::process::Command::new(program).into()
    }

    /// Adds an argument. It goes to the program as it is: no shell looks at it.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.env(key, val);
        self
    }

    /// Sets variables of its environment.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.envs(vars);
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.command.env_remove(key);
        self
    }

    /// Begins with an empty environment.
    pub fn env_clear(&mut self) -> &mut Command {
        self.command.env_clear();
        self
    }

    /// Sets the directory it starts in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.command.current_dir(dir);
        self
    }

    /// Sets its standard input: by default this process's own, and none for [`output`](Command::output).
    pub fn stdin<T: Into<Stdio>>(&mut self, stdin: T) -> &mut Command {
        self.is_set.stdin = true;
        self.command.stdin(stdin);
        self
    }

    /// Sets its standard output: by default this process's own, and a pipe for [`output`](Command::output).
    pub fn stdout<T: Into<Stdio>>(&mut self, stdout: T) -> &mut Command {
        self.is_set.stdout = true;
        self.command.stdout(stdout);
        self
    }

    /// Sets its standard error: by default this process's own, and a pipe for [`output`](Command::output).
    pub fn stderr<T: Into<Stdio>>(&mut self, stderr: T) -> &mut Command {
        self.is_set.stderr = true;
        self.command.stderr(stderr);
        self
    }

    /// Whether the process is killed when its [`Child`] is dropped before its end is known, and so when a future of
    /// [`status`](Command::status) or [`output`](Command::output) is dropped midway. By default it goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::io;
    /// use parklet::process::Command;
    /// use std::time::Duration;
    ///
    /// # parklet::task::block_on(async {
    /// let nap = Command::new("sleep").arg("60").kill_on_drop(true).status();
    /// let error = io::timeout(Duration::from_millis(1), nap).await.unwrap_err();
    /// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    /// # });
    /// ```
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// Starts the program. That takes about a millisecond on the calling thread, more where the process is large.
    ///
    /// # Errors
    ///
    /// The system's: `cannot start "no-such-program": No such file or directory (os error 2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// let mut child = Command::new("true").spawn()?;
    /// assert!(child.status().await?.success());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn spawn(&mut self) -> io::Result<Child> {
        let started = self.command.spawn();
        let child = started.and_then(|child| Child::new(child, self.kill_on_drop));
        child.explain(|| format!("cannot start {:?}", self.command.get_program()))
    }

    /// Starts the program, at once, and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn) and [`Child::status`].
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it leaves the process running, unless [`kill_on_drop`](Command::kill_on_drop) was said.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// assert!(Command::new("true").status().await?.success());
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + Send + use<> {
        let child = self.spawn();
        async { child?.status().await }
    }

    /// Starts the program, at once, waits for its end, and gathers what it writes. It has no input, unless that was set.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Command::spawn) and [`Child::output`].
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it leaves the process running, unless [`kill_on_drop`](Command::kill_on_drop) was said; what was
    /// read is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// # parklet::task::block_on(async {
    /// let error = Command::new("no-such-program").output().await.unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cannot start \"no-such-program\": No such file or directory (os error 2)"
    /// );
    /// # });
    /// ```
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + Send + use<> {
        self.set_others(Stdio::null(), Stdio::piped(), Stdio::piped());
        let child = self.spawn();
        self.set_others(Stdio::inherit(), Stdio::inherit(), Stdio::inherit());
        async { child?.output().await }
    }

    /// Says what becomes of the streams that were not set.
    fn set_others(&mut self, stdin: Stdio, stdout: Stdio, stderr: Stdio) {
        if !self.is_set.stdin {
            self.command.stdin(stdin);
        }
        if !self.is_set.stdout {
            self.command.stdout(stdout);
        }
        if !self.is_set.stderr {
            self.command.stderr(stderr);
        }
    }

    /// std's, to look at.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::process::Command;
    /// let mut command = Command::new("ls");
    /// command.arg("-l");
    /// assert!(command.as_std().get_args().eq(["-l"]));
    /// ```
    pub fn as_std(&self) -> &std::process::Command {
        &self.command
    }

    /// std's, for what only that can. Streams that are set through it are not known to [`output`](Command::output).
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::process::Command;
    /// use std::os::unix::process::CommandExt;
    ///
    /// # parklet::task::block_on(async {
    /// let mut command = Command::new("sh");
    /// command.as_std_mut().arg0("a shell").args(["-c", "echo $0"]);
    /// assert_eq!(command.output().await?.stdout, b"a shell\n");
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn as_std_mut(&mut self) -> &mut std::process::Command {
        &mut self.command
    }
}

impl From<std::process::Command> for Command {
    /// The streams count as not set.
    fn from(command: std::process::Command) -> Command {
        Command {
            command,
            is_set: Streams::default(),
            kill_on_drop: false,
        }
    }
}
