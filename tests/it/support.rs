//! A publisher, a receiver and a home directory for running the real binary.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// The secret of every receiver in the tests.
pub(crate) const SECRET: &str = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXM=";

/// The publisher's response at a path.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/html; charset=utf-8", body)
    }

    pub(crate) fn rss(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "application/rss+xml; charset=utf-8", body)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A request as received by the server.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    pages: HashMap<String, Page>,
    log: Vec<Request>,
    /// Responses to POST, used front to back; 204 when there are none left.
    hook_answers: Vec<u16>,
}

/// A loopback server that responds as the test wants, and remembers its requests.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
            .expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound address");
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, path: &str, page: Page) {
        self.shared
            .lock()
            .unwrap()
            .pages
            .insert(path.to_owned(), page);
    }

    pub(crate) fn answer_hooks_with(&self, statuses: &[u16]) {
        self.shared.lock().unwrap().hook_answers = statuses.to_vec();
    }

    /// The requests so far, oldest first.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.shared.lock().unwrap().log.clone()
    }

    /// The webhooks so far, including refused ones.
    pub(crate) fn hooks(&self) -> Vec<Request> {
        self.log()
            .into_iter()
            .filter(|request| request.method == "POST")
            .collect()
    }

    /// How often a path was requested.
    pub(crate) fn hits(&self, path: &str) -> usize {
        self.log()
            .iter()
            .filter(|request| request.path == path)
            .count()
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut shared = shared.lock().unwrap();
    let headers: HashMap<String, String> = headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let conditional = headers.get("if-none-match").cloned();
    shared.log.push(Request {
        method: method.to_string(),
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    });
    // If the response to a POST is more than a status, there is a page for it.
    let answers = format!("POST {}", uri.path());
    if method == Method::POST && !shared.pages.contains_key(&answers) {
        let status = if shared.hook_answers.is_empty() {
            204
        } else {
            shared.hook_answers.remove(0)
        };
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let path = match method {
        Method::POST => &answers,
        _ => uri.path(),
    };
    let Some(page) = shared.pages.get(path).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = page
        .headers
        .iter()
        .find(|(name, _)| name == "etag")
        .map(|(_, value)| value.clone());
    let not_modified = etag.is_some() && etag == conditional;
    let mut response = Response::builder().status(if not_modified { 304 } else { page.status });
    for (name, value) in &page.headers {
        response = response.header(name, value);
    }
    let body = if not_modified { Vec::new() } else { page.body };
    response.body(body.into()).unwrap()
}

/// A directory with a configuration and a database, and the binary to run on them.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    /// A home with `config` after the settings that every loopback test needs.
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Self { folder };
        home.configure(config);
        home
    }

    pub(crate) fn configure(&self, config: &str) {
        let common =
            "[fetch]\nhost_delay = \"0s\"\njitter = \"0%\"\nallow_private = [\"127.0.0.0/8\"]\n";
        std::fs::write(self.config_path(), format!("{common}\n{config}"))
            .expect("the configuration");
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub(crate) fn db_path(&self) -> PathBuf {
        self.folder.path().join("revisor.db")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command with configuration and database set, in a clean environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revisor"));
        command
            .env_clear()
            .env("TZ", "UTC")
            .env("HOME", self.folder.path())
            .env("REVISOR_CONFIG", self.config_path())
            .env("REVISOR_DB", self.db_path())
            // Fails quickly if no name server responds.
            .env("RES_OPTIONS", "timeout:1 attempts:1")
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the binary runs");
        Ran::of(&output)
    }

    /// Runs it; unless the exit code is 0, fails the test and prints all output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(
            ran.code,
            Some(0),
            "revisor {arguments:?}\n{}\n{}",
            ran.stdout,
            ran.stderr
        );
        ran.stdout
    }

    /// Runs `check --force --json` and parses its output.
    pub(crate) fn check(&self) -> serde_json::Value {
        let ran = self.run(&["check", "--force", "--json"]);
        assert!(
            matches!(ran.code, Some(0 | 3 | 4)),
            "{}\n{}",
            ran.stdout,
            ran.stderr
        );
        serde_json::from_str(&ran.stdout).expect("check --json prints JSON")
    }

    /// A check of what is due, with all feeds due: it sends the same requests as the daemon.
    pub(crate) fn check_due(&self) -> serde_json::Value {
        let conn = rusqlite::Connection::open(self.db_path()).expect("the database");
        conn.execute("UPDATE feeds SET next_poll_at = 1", [])
            .expect("the feeds");
        drop(conn);
        let ran = self.run(&["check", "--json"]);
        assert!(matches!(ran.code, Some(0 | 4)), "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("check --json prints JSON")
    }

    /// The events of `log --format ndjson --all`, oldest first.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.ok(&["log", "--format", "ndjson", "--all", "--reverse"])
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of ndjson is JSON"))
            .collect()
    }

    fn daemon_log(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// Starts `revisor run`, which is killed when the test ends. Its log goes to a file: a pipe would have to be
    /// read.
    pub(crate) fn daemon(&self) -> Daemon {
        self.daemon_with(&[])
    }

    /// Like [`Self::daemon`], with additional environment variables.
    pub(crate) fn daemon_with(&self, environment: &[(&str, &str)]) -> Daemon {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.daemon_log())
            .expect("a file for the log");
        let child = self
            .command(&["run"])
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the daemon starts");
        Daemon { child }
    }
}

impl Drop for Home {
    /// A failing test shows the log of the daemon.
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(log) = std::fs::read_to_string(self.daemon_log())
        {
            say(&format!("the daemon:\n{log}"));
        }
    }
}

/// The result of running the binary.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A daemon ends within this time, whatever is in progress: it takes up to three seconds for that and one for the
/// database; the rest is for a busy machine. A daemon that does not abort its work needs ten seconds or more.
pub(crate) const END: Duration = Duration::from_secs(9);

/// For waits whose length does not matter to the test.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running daemon.
pub(crate) struct Daemon {
    pub(crate) child: Child,
}

impl Daemon {
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Waits for the end and returns the exit code; fails the test after `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<i32> {
        let mut status = None;
        eventually(limit, "the daemon ends", || {
            status = self.child.try_wait().expect("the child can be asked");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks a condition repeatedly; fails the test if it is not true within `limit`.
pub(crate) fn eventually(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let (sender, ticks) = std::sync::mpsc::channel::<()>();
    let steps = limit.as_millis() / 20;
    for _ in 0..=steps {
        if holds() {
            return;
        }
        // A channel on which nothing ever arrives is a clock without a sleep.
        let _ = ticks.recv_timeout(Duration::from_millis(20));
    }
    drop(sender);
    panic!("not within {limit:?}: {what}");
}

/// Skips a test that lacks something: prints the reason, and fails if skipping is not allowed.
pub(crate) fn skip(reason: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runner is told by its environment"
    )]
    let required = std::env::var("REVISOR_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!required, "nothing may be skipped here, but: {reason}");
    say(&format!("skipped: {reason}"));
}

/// Like [`skip`], but for something that cannot be installed: `.ci/run` has found out whether this machine permits
/// it.
pub(crate) fn barred(reason: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runner is told by its environment"
    )]
    let known = std::env::var_os("REVISOR_TEST_UNPRIVILEGED").is_some();
    if known {
        say(&format!("skipped: {reason}"));
    } else {
        skip(reason);
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An RSS feed with the given items: (guid, address, title, description).
pub(crate) fn rss(items: &[(&str, &str, &str, &str)]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|(guid, link, title, text)| {
            format!(
                "<item><guid isPermaLink=\"false\">{guid}</guid><link>{link}</link><title>{title}</title>\
                 <description>{text}</description></item>\n"
            )
        })
        .collect();
    let items = items.concat();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Test Courier</title>\n{items}</channel></rss>"
    )
}
