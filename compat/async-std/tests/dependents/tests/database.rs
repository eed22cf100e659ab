//! redis: a database driver, against a server of its protocol. The server is std's threads and sockets: no runtime.

use async_std::task;
use redis::AsyncCommands;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server keeps.
type Values = Arc<Mutex<HashMap<String, String>>>;

/// Serves `GET`, `SET` and `INCR`, and says yes to all else.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let values = Values::default();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let values = Arc::clone(&values);
            thread::spawn(move || serve_one(stream.unwrap(), &values));
        }
    });
    format!("redis://{address}/")
}

/// Serves one connection.
fn serve_one(mut stream: TcpStream, values: &Values) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(command) = read_command(&mut reader) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut values = values.lock().unwrap();
        let reply = match words[..] {
            ["GET", key] => values
                .get(key)
                .map_or("$-1\r\n".into(), |value| bulk(value)),
            ["SET", key, value] => {
                values.insert(key.into(), value.into());
                "+OK\r\n".into()
            }
            ["INCR", key] => {
                let number = values
                    .get(key)
                    .map_or(0, |value| value.parse::<i64>().unwrap())
                    + 1;
                values.insert(key.into(), number.to_string());
                format!(":{number}\r\n")
            }
            _ => "+OK\r\n".into(),
        };
        drop(values);
        stream.write_all(reply.as_bytes()).unwrap();
    }
}

/// A string as the protocol has it.
fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// The words of the next command; `None` at the end.
fn read_command(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let count = read_number(reader)?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; read_number(reader)? + 2];
            reader.read_exact(&mut word).ok()?;
            word.truncate(word.len() - 2);
            String::from_utf8(word).ok()
        })
        .collect()
}

/// The number in the next line, after its sign.
fn read_number(reader: &mut impl BufRead) -> Option<usize> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.get(1..)?.trim().parse().ok()
}

#[async_std::test]
async fn values_are_set_and_got() {
    let client = redis::Client::open(serve()).unwrap();
    let mut connection = client.get_multiplexed_async_std_connection().await.unwrap();
    let long = "x".repeat(1 << 20);
    let _: () = connection.set("key", &long).await.unwrap();
    let got: String = connection.get("key").await.unwrap();
    assert!(got == long);
    let none: Option<String> = connection.get("nobody").await.unwrap();
    assert_eq!(none, None);
}

#[async_std::test]
async fn one_connection_serves_many_tasks() {
    let client = redis::Client::open(serve()).unwrap();
    let connection = client.get_multiplexed_async_std_connection().await.unwrap();
    let counting = (0..20).map(|_| {
        let mut connection = connection.clone();
        task::spawn(async move {
            for _ in 0..25 {
                let _: i64 = redis::cmd("INCR")
                    .arg("count")
                    .query_async(&mut connection)
                    .await
                    .unwrap();
            }
        })
    });
    for task in counting.collect::<Vec<_>>() {
        task.await;
    }
    let count: i64 = connection.clone().get("count").await.unwrap();
    assert_eq!(count, 500);
}
