//! The line that somebody types: rustyline, on a thread of its own, since it blocks.
//!
//! ```text
//!   tasks                            editor's thread
//!   ask(Line { prompt }) ──► asks ──► draws the prompt, edits until Enter
//!   answer()            ◄── answers ◄─ Line, End or Interrupted
//!   show(text) ─────────► Screen ────► above the line, while one is edited
//! ```
//!
//! Asks and answers take turns. So between two lines the tasks decide what is asked next, and the terminal is left alone
//! until they have. The tasks never wait for the thread but for its answer, and that they await.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use parklet::channel::{self, Receiver};
use parklet::chat::Secret;
use rpassword::ConfigBuilder;
use rustix::termios::{self, OptionalActions, Termios};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, Helper, KeyEvent, RepeatCount,
};
use unicode_width::UnicodeWidthStr;

use crate::screen::Screen;
use crate::words::Words;

/// What switches the terminal's bracketed paste off, which the editor switches on.
const NO_BRACKETED_PASTE: &str = "\x1b[?2004l";

/// What is asked of whoever sits there.
pub(crate) enum Ask {
    /// A line, with the history of the others.
    Line {
        /// What stands before it, plain and as it looks.
        prompt: (String, String),
    },
    /// A word that is in no history.
    Word {
        /// What stands before it.
        prompt: String,
    },
    /// A password: nobody sees it typed, and it is kept nowhere.
    Secret {
        /// What stands before it.
        prompt: String,
    },
}

/// What comes of it.
pub(crate) enum Answer {
    Line(String),
    Secret(Secret),
    /// Ctrl-D.
    End,
    /// Ctrl-C, with nothing typed.
    Interrupted,
    /// The terminal is gone.
    Failed(String),
}

/// The tasks' side of the editor.
pub(crate) struct Editor {
    asks: Sender<Ask>,
    answers: Receiver<Answer>,
    /// How the terminal was before.
    modes: Option<Termios>,
    /// A line is being typed, or may be.
    is_busy: bool,
}

impl Editor {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The terminal is none that lines can be edited on, or there can be no thread.
    pub(crate) fn start(screen: Screen, words: Words) -> Result<Self, String> {
        let (asks, asked) = mpsc::channel();
        let (answering, answers) = channel::unbounded();
        let modes = termios::tcgetattr(std::io::stdin()).ok();
        let mut typing = Typing::new(screen, words).map_err(|error| error.to_string())?;
        let run = move || {
            while let Ok(ask) = asked.recv() {
                if answering.send_blocking(typing.answer(ask)).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("line editor".to_owned());
        let thread = thread.spawn(run);
        thread.map_err(|error| format!("cannot start the line editor's thread: {error}"))?;
        Ok(Self {
            asks,
            answers,
            modes,
            is_busy: false,
        })
    }

    /// Whether something was asked that has not been answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Asks for something; nothing else is asked until the answer has come.
    pub(crate) fn ask(&mut self, ask: Ask) {
        self.is_busy = true;
        // A thread that has ended says so with its answer.
        let _ = self.asks.send(ask);
    }

    /// Waits for the answer.
    pub(crate) async fn answer(&self) -> Answer {
        match self.answers.recv().await {
            Ok(answer) => answer,
            Err(_) => Answer::Failed("the line editor has ended".to_owned()),
        }
    }

    /// Notes that the answer has been taken.
    pub(crate) fn has_answered(&mut self) {
        self.is_busy = false;
    }
}

impl Drop for Editor {
    /// Gives the terminal back as it was. The thread may still be in the middle of a line; the end of the process is its
    /// end.
    fn drop(&mut self) {
        if let (true, Some(modes)) = (self.is_busy, &self.modes) {
            let _ = termios::tcsetattr(std::io::stdin(), OptionalActions::Drain, modes);
            println!("{NO_BRACKETED_PASTE}");
        }
    }
}

/// The thread's side.
struct Typing {
    editor: rustyline::Editor<Assistant, DefaultHistory>,
    /// There was something on the line when ctrl-C came.
    has_text: Arc<AtomicBool>,
    screen: Screen,
}

impl Typing {
    fn new(screen: Screen, words: Words) -> rustyline::Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .build();
        let mut editor = rustyline::Editor::with_config(config)?;
        let has_text = Arc::new(AtomicBool::new(false));
        // Keys that leave the line without Enter.
        for key in ['C', 'D', 'Z', '\\'] {
            let leaving = Leaving {
                screen: screen.clone(),
                has_text: has_text.clone(),
            };
            editor.bind_sequence(
                KeyEvent::ctrl(key),
                EventHandler::Conditional(Box::new(leaving)),
            );
        }
        let printer = editor.create_external_printer()?;
        let printing = screen.clone();
        thread::Builder::new()
            .name("printer".to_owned())
            .spawn(move || printing.print_all(printer))?;
        editor.set_helper(Some(Assistant {
            screen: screen.clone(),
            words,
        }));
        Ok(Self {
            editor,
            has_text,
            screen,
        })
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        loop {
            let typed = match &ask {
                Ask::Line { prompt } => self.editor.readline(prompt),
                Ask::Word { prompt } => self.editor.readline(prompt.as_str()),
                Ask::Secret { prompt } => return read_secret(prompt),
            };
            self.screen.close();
            match typed {
                Ok(line) => {
                    if let Ask::Line { prompt } = &ask {
                        // It fails for a history on disk only.
                        let _ = self.editor.add_history_entry(line.trim());
                        self.take_back(&prompt.0, &line);
                    }
                    return Answer::Line(line);
                }
                // What was typed is thrown away, and nothing else.
                Err(ReadlineError::Interrupted) if self.has_text.swap(false, Ordering::Relaxed) => {
                }
                Err(ReadlineError::Interrupted) => return Answer::Interrupted,
                Err(ReadlineError::Eof) => return Answer::End,
                Err(error) => return Answer::Failed(error.to_string()),
            }
        }
    }

    /// Takes a message off the screen again: it comes back from the server, as the others see it. Commands stay.
    fn take_back(&mut self, prompt: &str, line: &str) {
        let Some((columns, _)) = self.editor.dimensions() else {
            return;
        };
        let is_command = line.starts_with('/') && !line.starts_with("//");
        let columns = usize::from(columns);
        let width = prompt.width() + line.width();
        // What is wide and stands at the edge, or has no width, makes the number of rows uncertain.
        let is_certain = width < columns || line.is_ascii();
        if !is_command && is_certain && !line.contains(['\n', '\t']) && columns > 0 {
            print!("\x1b[{}A\x1b[J", width / columns + 1);
            let _ = std::io::Write::flush(&mut std::io::stdout());
        }
    }
}

/// Reads a password. This is not the editor's: what it edits can be undone, yanked and completed.
fn read_secret(prompt: &str) -> Answer {
    // Not the controlling terminal, but the one that all else is read from.
    let terminal = ConfigBuilder::new()
        .input_file_path("/dev/stdin")
        .output_file_path("/dev/stdout")
        .build();
    match rpassword::prompt_password_with_config(prompt, terminal) {
        Ok(password) => Answer::Secret(Secret::from(password)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Answer::End,
        Err(error) if error.kind() == ErrorKind::Interrupted => Answer::Interrupted,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

/// Closes the gate before a key ends the line.
struct Leaving {
    screen: Screen,
    has_text: Arc<AtomicBool>,
}

impl ConditionalEventHandler for Leaving {
    fn handle(
        &self,
        event: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let has_text = !context.line().is_empty();
        // With text, ctrl-D deletes a character, and the line goes on.
        if !has_text || *event != Event::from(KeyEvent::ctrl('D')) {
            self.has_text.store(has_text, Ordering::Relaxed);
            self.screen.close();
        }
        None
    }
}

/// What rustyline asks while a line is typed.
struct Assistant {
    screen: Screen,
    words: Words,
}

impl Helper for Assistant {}

impl Highlighter for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        place: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.words.complete(&line[..place]))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    /// There are no hints, but here the line is about to be drawn, in the terminal's mode for that.
    fn hint(&self, _: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.screen.open();
        None
    }
}

impl Validator for Assistant {
    /// All lines are fine, but here one has ended, while the terminal is still in the mode in which lines are edited.
    fn validate(&self, _: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        self.screen.close();
        Ok(ValidationResult::Valid(None))
    }
}
