//! HTTP/2 over real sockets: by prior knowledge and by ALPN, one exchange, a race, a load, and what it does not have.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use assay::client::guard::Guard;
use assay::client::transport::Transport;
use assay::client::volley::Shot;
use assay::client::wire::Kept;
use assay::client::{Answer, Client, Exchange, Failure, Request, Target, Travel};
use assay::suite::call::Abort;
use assay::suite::transport::Http;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// A server of one test that speaks HTTP/2, and how many requests it has read to their end.
struct Server {
    address: SocketAddr,
    whole: Arc<AtomicU64>,
    root: Option<Vec<u8>>,
}

/// Echoes method, path, headers and body as text. `/slow` takes a while, `/large` is larger than may be.
async fn echo(
    request: hyper::Request<Incoming>,
    whole: Arc<AtomicU64>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(Response::new(Full::default())) };
    let body = body.to_bytes();
    whole.fetch_add(1, Ordering::SeqCst);
    assert_eq!(head.version, Version::HTTP_2);
    if head.uri.path() == "/base/slow" {
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    if head.uri.path() == "/base/large" {
        return Ok(Response::new(Full::new(Bytes::from(vec![b'x'; 100_000]))));
    }
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text.extend([name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes()), "\n"]);
    }
    text.push_str(&String::from_utf8_lossy(&body));
    let response =
        Response::builder().status(201).header("Content-Type", "text/plain").header("X-Twice", "a");
    Ok(response.header("X-Twice", "b").body(Full::new(Bytes::from(text))).unwrap())
}

async fn serve(secure: bool) -> Server {
    let (acceptor, root) = if secure { tls(&[b"h2"]) } else { (None, None) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let whole = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&whole);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, whole) = (acceptor.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let service = service_fn(|request| echo(request, Arc::clone(&whole)));
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                match acceptor {
                    None => drop(builder.serve_connection(TokioIo::new(stream), service).await),
                    Some(acceptor) => {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        drop(builder.serve_connection(TokioIo::new(stream), service).await);
                    }
                }
            });
        }
    });
    Server { address, whole, root }
}

fn tls(protocols: &[&[u8]]) -> (Option<tokio_rustls::TlsAcceptor>, Option<Vec<u8>>) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    (Some(tokio_rustls::TlsAcceptor::from(Arc::new(config))), Some(certified.cert.pem().into_bytes()))
}

fn client(server: &Server) -> Client {
    let scheme = if server.root.is_some() { "https" } else { "http" };
    let target = Target {
        url: format!("{scheme}://{}/base", server.address).parse().unwrap(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        body_max: 64 * 1024,
    };
    let transport = Transport { http: Http::Two, roots: server.root.clone(), ..Transport::default() };
    Client::by(target, Guard::exempt(), transport).unwrap()
}

fn post(path: &str, body: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: vec![("X-Odd".to_owned(), b"value".to_vec())],
        body: Some(body.as_bytes().to_vec()),
        travel: Travel::default(),
    }
}

fn text(exchange: &Exchange) -> String {
    String::from_utf8(exchange.result.as_ref().unwrap().body.clone()).unwrap()
}

#[tokio::test]
async fn a_request_goes_by_prior_knowledge_and_by_alpn() {
    for secure in [false, true] {
        let server = serve(secure).await;
        let client = client(&server);
        for _ in 0..3 {
            let exchange = client.send(post("/token?a=b", "grant=1")).await;
            let answer = exchange.result.as_ref().unwrap();
            assert_eq!((answer.status, answer.header("x-twice").as_deref()), (201, Some("a")));
            assert_eq!(answer.media_type().as_deref(), Some("text/plain"));
            let scheme = if secure { "https" } else { "http" };
            let expected = format!(
                "POST {scheme}://{}/base/token?a=b\nx-odd: value\ncontent-length: 7\ngrant=1",
                server.address
            );
            assert_eq!(text(&exchange), expected);
            assert!(exchange.times.first_byte_at.is_some());
        }
        assert_eq!((server.whole.load(Ordering::SeqCst), client.requests_sent()), (3, 3));
    }
}

#[tokio::test]
async fn bytes_are_exchanged_as_under_load() {
    let server = serve(false).await;
    let client = client(&server);
    let mut connection = client.connect().await.unwrap();
    let mut bytes = Vec::new();
    client.write_request(&post("/token", "x=1"), &mut bytes);
    let mut answer = Answer::empty();
    for _ in 0..100 {
        let (sent_at, done_at, result) =
            connection.exchange(&bytes, Duration::from_secs(1), &mut answer).await;
        assert_eq!(result, Ok(()));
        assert!(sent_at < done_at && answer.status == 201);
    }
    let moved = connection.take_moved();
    assert!(moved.sent > 100 && moved.received > 100, "{moved:?}");
    assert_eq!(server.whole.load(Ordering::SeqCst), 100);
}

#[tokio::test]
async fn the_last_byte_of_every_request_of_a_race_is_kept_back() {
    for secure in [false, true] {
        let server = serve(secure).await;
        let client = client(&server);
        let mut overlapped = 0;
        for round in 1..=10 {
            let shots = (0..4).map(|_| Shot { request: post("/token", "x=1"), after: Duration::ZERO });
            let volley = client.volley(shots.collect(), Kept::LastByte).await;
            assert!(volley.exchanges.iter().all(|exchange| exchange.result.is_ok()), "{volley:?}");
            assert_eq!(server.whole.load(Ordering::SeqCst), round * 4);
            overlapped += u32::from(volley.overlapped);
        }
        assert!(overlapped > 0, "none of ten rounds overlapped");
    }
}

#[tokio::test]
async fn a_request_without_its_last_byte_is_none_yet() {
    let server = serve(false).await;
    let client = client(&server);
    let late = Shot { request: post("/token", "x=1"), after: Duration::from_millis(300) };
    let volley = client.volley(vec![late], Kept::LastByte);
    let look = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.whole.load(Ordering::SeqCst)
    };
    let (volley, seen) = tokio::join!(volley, look);
    assert_eq!(seen, 0, "the server had the request before it was released");
    assert!(volley.exchanges[0].result.is_ok());
}

#[tokio::test]
async fn silence_and_size_have_their_limits() {
    let server = serve(false).await;
    let client = client(&server);
    assert_eq!(client.send(post("/slow", "")).await.result.unwrap_err(), Failure::ResponseTimeout);
    assert_eq!(client.send(post("/large", "")).await.result.unwrap_err(), Failure::OversizedBody);
    assert!(client.send(post("/token", "")).await.result.is_ok(), "a new connection is as good as ever");
}

#[tokio::test]
async fn what_http2_does_not_have_is_not_sent() {
    let server = serve(false).await;
    let client = client(&server);
    let odd = [
        Travel { chunks: Some(3), ..Travel::default() },
        Travel { length_off: 1, ..Travel::default() },
        Travel { pipelined: 1, ..Travel::default() },
        Travel { await_continue: true, ..Travel::default() },
    ];
    for travel in odd {
        let request = Request { travel: travel.clone(), ..post("/token", "x=1") };
        assert_eq!(client.send(request).await.result.unwrap_err(), Failure::NotInHttp2, "{travel:?}");
    }
    let mut chunked = post("/token", "x=1");
    chunked.headers.push(("Transfer-Encoding".to_owned(), b"chunked".to_vec()));
    assert_eq!(client.send(chunked).await.result.unwrap_err(), Failure::NotInHttp2);
    assert_eq!(server.whole.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn hanging_up_happens_where_it_should() {
    for (abort, whole) in [(Abort::Connected, 0), (Abort::HalfSent, 0), (Abort::Sent, 1)] {
        let server = serve(false).await;
        let travel = Travel { abort: Some(abort), ..Travel::default() };
        let request = Request { travel, ..post("/token", "x=1&y=2") };
        assert_eq!(client(&server).send(request).await.result.unwrap_err(), Failure::Aborted);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(server.whole.load(Ordering::SeqCst), whole, "{abort:?}");
    }
}

#[tokio::test]
async fn a_server_without_http2_is_told_apart() {
    // By prior knowledge: it answers in the words of HTTP/1.1.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let mut space = [0; 1024];
                drop(stream.read(&mut space).await);
                drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await);
            });
        }
    });
    let plain = client(&Server { address, whole: Arc::default(), root: None });
    assert_eq!(plain.send(post("/token", "x=1")).await.result.unwrap_err(), Failure::NoHttp2);
    assert!(plain.explained(Failure::NoHttp2).contains("version of HTTP"));

    // By ALPN: it agrees to HTTP/1.1 only, or says nothing of protocols at all.
    for protocols in [&[&b"http/1.1"[..]][..], &[]] {
        let (acceptor, root) = tls(protocols);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                drop(acceptor.clone().unwrap().accept(stream).await);
            }
        });
        let secure = client(&Server { address, whole: Arc::default(), root });
        assert_eq!(secure.send(post("/token", "x=1")).await.result.unwrap_err(), Failure::NoHttp2);
    }
}

#[tokio::test]
async fn an_end_of_the_connection_costs_the_next_request_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let whole = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&whole);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let whole = Arc::clone(&counted);
            tokio::spawn(async move {
                let service = service_fn(|request| echo(request, Arc::clone(&whole)));
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
                // A good bye after a moment, as servers that are restarted say it.
                let moment = tokio::time::sleep(Duration::from_millis(100));
                tokio::select! {
                    _ = &mut connection => return,
                    () = moment => connection.as_mut().graceful_shutdown(),
                }
                drop(connection.await);
            });
        }
    });
    let client = client(&Server { address, whole: Arc::clone(&whole), root: None });
    for _ in 0..3 {
        assert!(client.send(post("/token", "x=1")).await.result.is_ok());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(whole.load(Ordering::SeqCst), 3);
}

/// A suite of few checks and a short load, over HTTP/2 on the embedded mock.
const SUITE: &str = "\
assay: 1
name: HTTP/2
dialect: pfms
environments:
  mock: { mock: { policy: strict-family }, http: 2 }
policy:
  rotation: always
  replay: { answer: refused, revokes: family }
  grace: none
  race: may-all-lose
checks:
  standards: [contract]
  use: [FMT-01, FMT-02, SUC-01, LIF-01, LIF-04, RAC-01, FUZ-11, FUZ-12]
load:
  open: { arrivals: 300/s, for: 1500ms, chains: 32, warm-up: 200ms }
  closed: { users: 8, for: 1s }
";

#[test]
fn checks_races_and_loads_run_over_http2() {
    let folder = tempfile::tempdir().unwrap();
    let suite = folder.path().join("suite.yaml");
    std::fs::write(&suite, SUITE).unwrap();
    let out = folder.path().join("out");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_assay"))
        .arg("run")
        .arg(&suite)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    let file = std::fs::read_dir(&out).into_iter().flatten().flatten().map(|entry| entry.path());
    let file = file.chain([out.join("run.json")]).find(|path| path.ends_with("run.json"));
    let text = std::fs::read_to_string(file.expect("there is a run file")).unwrap();
    let run_file: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(run.status.code(), Some(0), "{told}");
    let verdict = |id: &str| {
        let check = run_file["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
        (check["verdict"].clone(), check.to_string())
    };
    for id in ["FMT-01", "FMT-02", "SUC-01", "LIF-01", "LIF-04", "RAC-01"] {
        let (verdict, check) = verdict(id);
        assert!(verdict.to_string().contains("pass"), "{id}: {check}");
    }
    let (_, of_framing) = verdict("FUZ-12");
    assert!(of_framing.contains("framing of HTTP/1.1"), "{of_framing}");
    for load in run_file["load"].as_array().unwrap() {
        let book = &load["book"];
        assert!(book["granted"].as_u64().unwrap() > 100, "{book}");
        assert_eq!((book["failed"].as_u64(), book["refused"].as_u64()), (Some(0), Some(0)), "{told}");
        assert!(load["traffic"]["sent_bytes"].as_u64().unwrap() > 10_000, "{}", load["traffic"]);
        assert!(load["phases"]["connect"]["count"].as_u64().unwrap() > 0);
        assert_eq!(load["phases"]["first_byte"]["count"], load["service"]["count"]);
    }
}
