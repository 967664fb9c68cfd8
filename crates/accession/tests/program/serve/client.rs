//! A server under test, and as much of HTTP as it takes to ask it anything, well-formed or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::kill::signal;

use crate::support::{Ran, Root, album};

/// Longer than anything takes on two slow cores; only a hanging server gets here.
const LONG: Duration = Duration::from_mins(2);

/// `count` files that take a while to hear.
pub(crate) fn files_to_hear(root: &Root, count: u64) {
    for number in 0..count {
        album(&root.join(format!("{number}/Mix.wav")), number, 4, 20.0);
    }
}

/// A running server.
pub(crate) struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) address: String,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(root: &Root, options: &[&str]) -> Self {
        Self::listening(root, "127.0.0.1:0", options)
    }

    pub(crate) fn listening(root: &Root, listen: &str, options: &[&str]) -> Self {
        let words = ["serve", "--create", "--format", "json", "--listen", listen];
        let mut command = root.command(&words);
        command.args(options).arg(root.path());
        Self::of(command)
    }

    /// With services to ask.
    pub(crate) fn online(root: &Root, options: &[&str]) -> Self {
        let words = ["serve", "--create", "--format", "json", "--listen"];
        let mut command = root.command(&words);
        command.arg("127.0.0.1:0");
        command.args(options).arg(root.path());
        command.env_remove("ACCESSION_OFFLINE");
        Self::of(command)
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut err = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut err);
            panic!("the server did not start: {line}{err}")
        });
        let address = told["address"].as_str().unwrap();
        Self {
            child,
            out,
            address: address.replace("0.0.0.0", "127.0.0.1"),
            url: told["url"].as_str().unwrap().to_owned(),
        }
    }

    /// Sends bytes as they are and reads until the server has said everything.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        // A server may answer and hang up before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let address = &self.address;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        Answer::parse(&self.raw(request.as_bytes()))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    /// The head of an answer, and its body as it is.
    pub(crate) fn bytes(&self, path: &str, headers: &str) -> (Answer, Vec<u8>) {
        let mut stream = self.connect();
        let address = &self.address;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let body = answer.split_off(end.unwrap() + 4);
        (Answer::parse(&String::from_utf8_lossy(&answer)), body)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string())
    }

    pub(crate) fn post_text(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn events(&self, path: &str) -> Events {
        let mut stream = self.connect();
        let address = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("text/event-stream"), "{head}");
        Events { lines }
    }

    /// Waits until an import is over.
    pub(crate) fn until_ended(&self, id: &str) -> Value {
        let began = Instant::now();
        loop {
            let status = self.get(&format!("/import/status/{id}")).json();
            if status["state"] != "SCANNING" && status["state"] != "PROCESSING" {
                return status;
            }
            assert!(began.elapsed() < LONG, "{status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop as a service manager does, and waits.
    pub(crate) fn stop(mut self) -> Ran {
        signal(&self.child, "-TERM");
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let mut err = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        assert!(!err.contains("panicked"), "{err}");
        Ran { code, out, err }.ended(143)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed leaves no server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().skip(1);
        let mut values = lines.filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        values.next().unwrap_or("")
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// An event stream.
pub(crate) struct Events {
    lines: BufReader<TcpStream>,
}

impl Events {
    /// The next event's name and data.
    pub(crate) fn next(&mut self) -> Option<(String, String)> {
        let mut name = None;
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(text) = line.strip_prefix("event: ") {
                name = Some(text.trim().to_owned());
            } else if let (Some(name), Some(data)) = (&name, line.strip_prefix("data: ")) {
                return Some((name.clone(), data.trim().to_owned()));
            }
        }
    }

    /// The data of the next event of that name.
    pub(crate) fn until(&mut self, wanted: &str) -> Value {
        loop {
            let (name, data) = self.next().expect("the stream ended before its time");
            if name == wanted {
                return serde_json::from_str(&data).unwrap();
            }
        }
    }

    pub(crate) fn read_to_end(mut self) {
        while self.next().is_some() {}
    }
}
