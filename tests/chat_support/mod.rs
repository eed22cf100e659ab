//! What the chat's tests share: a server in this process, one in a process of its own, and a client that is nothing but
//! a socket of std's.
//!
//! Every wait has an end, so that a broken server makes a test fail and not hang. No test takes an end for an answer.

#![allow(dead_code, reason = "each test program uses a part of this")]

pub(crate) mod memory_history;
pub(crate) mod watched;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use parklet::channel::{self, Sender};
use parklet::chat::server::{Accept, Builder};
use parklet::net::TcpListener;
use parklet::task::{self, JoinHandle};
use rustix::process::{Pid, Signal, kill_process};

/// When a test gives up waiting.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// A server on the workers of this process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    stop: Sender<()>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|listener| listener)
    }

    /// Starts a server on a listener that `wrap` may do something to.
    pub(crate) fn start_with<A>(wrap: impl FnOnce(TcpListener) -> A) -> Self
    where
        A: Accept + Send + Sync + 'static,
    {
        Self::start_built(Builder::new(), wrap)
    }

    /// The same, with settings; the log is set here.
    pub(crate) fn start_built<A>(builder: Builder, wrap: impl FnOnce(TcpListener) -> A) -> Self
    where
        A: Accept + Send + Sync + 'static,
    {
        let listener = task::block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = log.clone();
        let builder = builder.log(move |line| lines.lock().unwrap().push(line.to_string()));
        let (stop, stopped) = channel::bounded(1);
        let accept = wrap(listener);
        let running = task::spawn(builder.run(accept, async move { stopped.recv().await }));
        Self {
            address,
            log,
            stop,
            running,
        }
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Stops the server, waits until it has, and returns what it logged.
    pub(crate) fn stop(self) -> Vec<String> {
        drop(self.stop);
        task::block_on(self.running);
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// A client in the hands of the test: it sends bytes and receives lines.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(GUARD)).unwrap();
        socket.set_write_timeout(Some(GUARD)).unwrap();
        let lines = BufReader::new(socket.try_clone().unwrap());
        Self { socket, lines }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn post(&mut self, group: &str, message: &str) {
        self.send(format!(
            "{{\"Post\":{{\"group_name\":\"{group}\",\"message\":\"{message}\"}}}}\n"
        ));
    }

    /// Opens with `Hello`, with these features, and is welcomed.
    pub(crate) fn hello(&mut self, name: &str, features: &str) {
        self.send(format!(
            "{{\"Hello\":{{\"name\":\"{name}\",\"features\":[{features}]}}}}\n"
        ));
        let welcome = self.line();
        let expected = format!("{{\"Welcome\":{{\"name\":\"{name}\",");
        assert!(welcome.starts_with(&expected), "{welcome}");
    }

    /// Joins `group` and returns when the server has seen to it.
    pub(crate) fn join(&mut self, group: &str) {
        self.send(format!("{{\"Join\":{{\"group_name\":\"{group}\"}}}}\n"));
        self.sync();
    }

    /// Returns when the server has done all that this client asked so far. The proof is the answer to a request that
    /// does nothing: requests are done in their order.
    pub(crate) fn sync(&mut self) {
        self.post("no such group", "");
        assert_eq!(
            self.line(),
            "{\"Error\":\"Group 'no such group' does not exist\"}\n"
        );
    }

    /// The next line, with its line break.
    pub(crate) fn line(&mut self) -> String {
        self.line_or_end().expect("the connection has ended")
    }

    /// The next line, or `None` when no more come.
    pub(crate) fn line_or_end(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.lines.read_until(b'\n', &mut line).unwrap();
        if line.is_empty() {
            return None;
        }
        let line = String::from_utf8(line).unwrap();
        assert!(line.ends_with('\n'), "the connection ended after {line:?}");
        Some(line)
    }

    /// Waits for the end of what the server sends; nothing may come before it.
    pub(crate) fn end(&mut self) {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    pub(crate) fn half_close(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Closes the connection with a RST, as a crash of the client's machine may.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO)).unwrap();
    }
}

/// The line with which `message` is delivered.
pub(crate) fn delivery(group: &str, message: &str) -> String {
    format!("{{\"Message\":{{\"group_name\":\"{group}\",\"message\":\"{message}\"}}}}\n")
}

/// Posts to `group` from outside until nobody is left in it. It is the server's answers that end the wait.
pub(crate) fn wait_until_deserted(address: SocketAddr, group: &str) {
    let start = Instant::now();
    let mut outsider = Client::connect(address);
    loop {
        outsider.post(group, "anybody there?");
        outsider.post("no such group", "");
        let answer = outsider.line();
        if answer == format!("{{\"Error\":\"Group '{group}' does not exist\"}}\n") {
            // To leave an answer unread would be to reset the connection, which the server logs.
            outsider.line();
            return;
        }
        assert!(start.elapsed() < GUARD, "{group} still has members");
    }
}

/// The path of an example's program, which cargo puts next to this test's own.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    assert!(
        path.exists(),
        "{} is not there: run `cargo build --examples` (with --release for a release build) first",
        path.display()
    );
    path
}

/// What a program that has ended left behind, as far as it was not read before.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code, or none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running program with its three streams. It is killed when the test is through with it.
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = lines_of(child.stdout.take().unwrap());
        let stderr = lines_of(child.stderr.take().unwrap());
        Self {
            child,
            stdin,
            stdout,
            stderr,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Types something.
    pub(crate) fn type_in(&mut self, text: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("the input was ended before");
        stdin.write_all(text.as_ref()).unwrap();
    }

    /// Types something, if there is anybody who could read it.
    pub(crate) fn type_if_it_listens(&mut self, text: impl AsRef<[u8]>) -> bool {
        let stdin = self.stdin.as_mut().expect("the input was ended before");
        stdin.write_all(text.as_ref()).is_ok()
    }

    /// Ends the program's standard input.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line on the standard output, with its line break.
    pub(crate) fn line(&self) -> String {
        let line = self.stdout.recv_timeout(GUARD);
        line.expect("no line came on the standard output")
    }

    /// The next line on the standard error, with its line break.
    pub(crate) fn error_line(&self) -> String {
        let line = self.stderr.recv_timeout(GUARD);
        line.expect("no line came on the standard error")
    }

    /// Ends the input and waits for the program to end.
    pub(crate) fn wait(mut self) -> Ended {
        self.end_input();
        self.wait_with_input()
    }

    /// Waits for the program to end though its input goes on.
    pub(crate) fn wait_with_input(mut self) -> Ended {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < GUARD, "the program does not end");
            thread::sleep(Duration::from_millis(2));
        };
        Ended {
            code: status.code(),
            stdout: self.stdout.iter().collect(),
            stderr: self.stderr.iter().collect(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of one stream, read by a thread so that it can be waited for with an end.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = Vec::new();
            match stream.read_until(b'\n', &mut line) {
                Ok(1..) => {}
                _ => return,
            }
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    lines
}

/// The program `chat_server` on a port of its own choice, and the address it says it has.
pub(crate) fn server_program() -> (Program, SocketAddr) {
    let server = Program::start(Command::new(example("chat_server")).arg("127.0.0.1:0"));
    let address = address_in(&server.line());
    (server, address)
}

pub(crate) fn address_in(greeting: &str) -> SocketAddr {
    let address = greeting.trim_end().strip_prefix("listening on ");
    address.expect(greeting).parse().expect(greeting)
}
