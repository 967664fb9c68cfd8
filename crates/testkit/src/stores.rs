//! Object stores in this process: S3 as `s3s-fs` has it, with the habits and faults of others.
//!
//! Google's XML interface differs from S3 in the names of headers, as far as it is used here, so the same store serves
//! it under those names.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};

/// The key that the store accepts.
pub const ACCESS_KEY: &str = "TESTKITACCESSKEY";
/// The secret that goes with it.
pub const SECRET_KEY: &str = "testkit-secret-key-of-no-account";

/// How a store behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Habit {
    /// As S3 does.
    #[default]
    S3,
    /// Its `ETag`s are not MD5s, as with R2's parts and with encryption by keys.
    NoMd5,
    /// It says 403 for what is not there, as to somebody who may not list the bucket.
    NoList,
    /// It keeps versions: every answer names one, and what was removed leaves a marker.
    Versions,
    /// As Google's XML interface: headers with other names, and nobody has to sign.
    Google,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// This status, without the request having been done.
    Status(u16),
    /// The request is done, and the connection ends without an answer.
    AnswerLost,
    /// Nothing happens for so long.
    Stalled(Duration),
    /// The body of the answer ends half way.
    HalfAnswer,
    /// What is stored differs in one bit from what was sent.
    Flipped,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
}

type Plan = Box<dyn FnMut(&Call) -> Option<StoreFault> + Send>;

/// A store that runs until it is dropped.
pub struct ObjectStore {
    address: SocketAddr,
    root: tempfile::TempDir,
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    service: S3Service,
    root: PathBuf,
    habit: Habit,
    calls: Mutex<Vec<Call>>,
    plan: Mutex<Option<Plan>>,
}

impl ObjectStore {
    /// Starts a store with these buckets.
    pub fn start(habit: Habit, buckets: &[&str]) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder can be made");
        for bucket in buckets {
            std::fs::create_dir(root.path().join(bucket)).expect("a bucket is a new folder");
        }
        let files = s3s_fs::FileSystem::new(root.path()).expect("the folder exists");
        let mut builder = S3ServiceBuilder::new(files);
        if habit != Habit::Google {
            builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        }
        let shared = Arc::new(Shared {
            service: builder.build(),
            root: root.path().to_owned(),
            habit,
            calls: Mutex::default(),
            plan: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        runtime.spawn(serve(listener, Arc::clone(&shared)));
        Self {
            address,
            root,
            shared,
            _runtime: runtime,
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that came by now.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// Requests fail as `plan` says from now on.
    pub fn fail(&self, plan: impl FnMut(&Call) -> Option<StoreFault> + Send + 'static) {
        *lock(&self.shared.plan) = Some(Box::new(plan));
    }

    /// Requests succeed from now on.
    pub fn recover(&self) {
        *lock(&self.shared.plan) = None;
    }

    /// Where the bytes of an object are on disk.
    pub fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.path().join(bucket).join(key)
    }

    /// Names of all objects of a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let folder = self.root.path().join(bucket);
        let mut keys = Vec::new();
        collect(&folder, &folder, &mut keys);
        keys.sort();
        keys
    }

    /// Uploads in parts that were begun, and neither completed nor aborted.
    pub fn unfinished(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect_hidden(self.root.path(), &mut names);
        names
    }
}

fn collect(root: &Path, folder: &Path, keys: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, keys);
        } else if let Ok(key) = path.strip_prefix(root) {
            keys.push(key.to_string_lossy().into_owned());
        }
    }
}

/// Files in which `s3s-fs` keeps uploads.
fn collect_hidden(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(".upload-") {
            names.push(name);
        }
    }
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let handler = service_fn(|request| answer(Arc::clone(&shared), request));
            let builder = Builder::new(TokioExecutor::new());
            let served = builder
                .serve_connection(TokioIo::new(stream), handler)
                .await;
            // A connection that was cut on purpose ends like that.
            drop(served);
        });
    }
}

type Answer = Response<Full<Bytes>>;

/// Cuts the connection.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, Cut> {
    let call = Call {
        method: request.method().to_string(),
        target: request.uri().to_string(),
    };
    let fault = lock(&shared.plan).as_mut().and_then(|plan| plan(&call));
    lock(&shared.calls).push(call.clone());
    match fault {
        Some(StoreFault::Status(status)) => {
            // What was sent is taken, as a real store does.
            let _ = request.into_body().collect().await;
            return Ok(plain(status));
        }
        Some(StoreFault::Stalled(pause)) => tokio::time::sleep(pause).await,
        _ => {}
    }
    let (mut head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(Cut);
    };
    let body = body.to_bytes();
    if shared.habit == Habit::Google {
        rename(&mut head.headers, "x-goog-", "x-amz-");
        head.headers.remove("authorization");
    }
    let flipped =
        fault == Some(StoreFault::Flipped) && matches!(head.method, Method::PUT | Method::POST);
    let request = Request::from_parts(head, s3s::Body::from(body));
    let Ok(answer) = call_service(&shared.service, request).await else {
        return Err(Cut);
    };
    if flipped {
        flip(&shared, &call);
    }
    let (mut head, mut body) = answer.into_parts();
    if head.status == 403 && call.target.contains("uploadId=") {
        // `s3s-fs` has its own idea of an upload that it does not know.
        head.status = hyper::StatusCode::NOT_FOUND;
        body = Bytes::from_static(b"<Error><Code>NoSuchUpload</Code></Error>");
        head.headers.remove("content-length");
    }
    match shared.habit {
        Habit::Google => rename(&mut head.headers, "x-amz-", "x-goog-"),
        Habit::NoMd5 => {
            if let Some(etag) = head.headers.get_mut("etag") {
                *etag = disguised(etag);
            }
            if call.method == "POST" {
                body = disguised_in(&body);
                head.headers.remove("content-length");
            }
        }
        Habit::Versions => {
            let version = HeaderValue::from(lock(&shared.calls).len());
            head.headers.insert("x-amz-version-id", version);
            if call.method == "DELETE" || head.status == 404 {
                let is_marker = HeaderValue::from_static("true");
                head.headers.insert("x-amz-delete-marker", is_marker);
            }
        }
        Habit::NoList if call.method == "HEAD" && head.status == 404 => {
            head.status = hyper::StatusCode::FORBIDDEN;
        }
        _ => {}
    }
    match fault {
        Some(StoreFault::AnswerLost) => Err(Cut),
        // Fewer bytes than were announced: the connection breaks.
        Some(StoreFault::HalfAnswer) if body.len() > 1 => {
            head.headers
                .insert("content-length", HeaderValue::from(body.len()));
            Ok(Response::from_parts(
                head,
                Full::new(body.slice(..body.len() / 2)),
            ))
        }
        _ => Ok(Response::from_parts(head, Full::new(body))),
    }
}

async fn call_service(
    service: &S3Service,
    request: Request<s3s::Body>,
) -> Result<Response<Bytes>, Cut> {
    let answer = service.call(request).await.map_err(|_| Cut)?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn plain(status: u16) -> Answer {
    let code = match status {
        503 => "SlowDown",
        412 => "PreconditionFailed",
        403 => "AccessDenied",
        _ => "InternalError",
    };
    let body = format!("<Error><Code>{code}</Code><Message>on purpose</Message></Error>");
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    answer
}

/// Changes a bit in the middle of an object that was just stored.
fn flip(shared: &Shared, call: &Call) {
    let path = call.target.split('?').next().unwrap_or_default();
    // Google's clients write the folders of a key so.
    let path = path.trim_start_matches('/').replace("%2F", "/");
    let file = shared.root.join(path);
    if let Ok(mut bytes) = std::fs::read(&file)
        && let Some(byte) = bytes.len().checked_div(2).and_then(|at| bytes.get_mut(at))
    {
        *byte ^= 1;
        let _ = std::fs::write(&file, bytes);
    }
}

fn rename(headers: &mut HeaderMap, from: &str, to: &str) {
    let names: Vec<HeaderName> = headers.keys().cloned().collect();
    for name in names {
        if let Some(rest) = name.as_str().strip_prefix(from)
            && let Ok(renamed) = HeaderName::try_from(format!("{to}{rest}"))
            && let Some(value) = headers.remove(&name)
        {
            headers.insert(renamed, value);
        }
    }
}

/// Another `ETag` of the same object, which is not an MD5.
fn disguised(etag: &HeaderValue) -> HeaderValue {
    let text = etag.to_str().unwrap_or_default().trim_matches('"');
    let reversed: String = text.chars().rev().collect();
    HeaderValue::try_from(format!("\"{reversed}x\"")).unwrap_or_else(|_| etag.clone())
}

/// The same within the answer to the end of an upload.
fn disguised_in(body: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(body);
    let Some((before, rest)) = text.split_once("<ETag>") else {
        return body.clone();
    };
    let Some((_, after)) = rest.split_once("</ETag>") else {
        return body.clone();
    };
    Bytes::from(format!(
        "{before}<ETag>&quot;not-an-md5&quot;</ETag>{after}"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
