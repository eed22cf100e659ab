//! The chat's client as a person at a terminal and as a script sees it.

#[path = "../chat_support/mod.rs"]
mod chat_support;
mod connections;
mod scripts;
mod secrets;
mod terminal;
mod typing;

// What can be tested without a terminal: these files of the program with their own tests.
#[allow(dead_code, reason = "the program uses it all")]
#[path = "../../examples/chat_client/commands.rs"]
mod commands;
#[path = "../../examples/chat_client/link/pause.rs"]
mod pause;
#[allow(dead_code, reason = "the program uses it all")]
#[path = "../../examples/chat_client/rooms.rs"]
mod rooms;
#[allow(dead_code, reason = "the program uses it all")]
#[path = "../../examples/chat_client/text.rs"]
mod text;
#[allow(dead_code, reason = "the program uses it all")]
#[path = "../../examples/chat_client/words.rs"]
mod words;
