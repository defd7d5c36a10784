//! The mock over real sockets: formats, policies, its book, its control port, stalls and defects.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use assay::dialect;
use assay::mock::{Controller, MockError, MockLedger, MockOptions, MockServer};
use assay::secret::Token;
use assay::suite::call::Slot;
use assay::suite::defect::Defect;
use assay::suite::environment::{Generation, MockLatency, MockPolicy, MockSpec, Stall, Variant};
use serde_json::{Value, json};

const REFRESH: &str = "/api/PFMS/pfms_get_refresh_token";
const LOGIN: &str = "/api/PFMS/pfms_get_access_token";
const NAMESPACE: &str = "http://schemas.datacontract.org/2004/07/BLL.PFMS";

/// A mock, and how to talk to it.
struct Bench {
    server: MockServer,
    address: SocketAddr,
    control: SocketAddr,
}

fn options(dialect: &str, spec: MockSpec) -> MockOptions {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    MockOptions {
        spec,
        dialect: dialect::builtin(dialect).unwrap(),
        listen: any,
        control: any,
        controller: Controller::Endpoint,
        threads: 2,
    }
}

fn bench_of(dialect: &str, spec: MockSpec) -> Bench {
    bench_with(options(dialect, spec))
}

fn bench_with(options: MockOptions) -> Bench {
    let server = MockServer::start(options).unwrap();
    let address = |url: String| url.strip_prefix("http://").unwrap().parse().unwrap();
    Bench { address: address(server.url()), control: address(server.control_url()), server }
}

fn bench(spec: MockSpec) -> Bench {
    bench_of("pfms", spec)
}

fn with_policy(policy: MockPolicy) -> Bench {
    bench(MockSpec { policy, ..MockSpec::default() })
}

fn with_defect(defect: Defect) -> Bench {
    bench(MockSpec { defects: vec![defect], ..MockSpec::default() })
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .head
            .lines()
            .find(|line| line.split_once(':').is_some_and(|(other, _)| other.eq_ignore_ascii_case(name)))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A member of the inner object of a refresh.
    fn inner(&self, name: &str) -> Value {
        self.json()["RefreshTokenResponse"][name].clone()
    }

    fn code(&self) -> String {
        self.inner("errorCode").as_str().unwrap_or_default().to_owned()
    }

    fn granted(&self) -> bool {
        self.status == 200 && self.inner("isSuccess") == "true"
    }
}

/// One exchange on a connection of its own.
fn call(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let (head, body) = call_for_bytes(address, method, path, headers, body);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

/// The same, with the body as bytes.
fn call_for_bytes(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n",
        lines.concat(),
        body.len()
    );
    stream.write_all(&[request.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let body = answer.split_off(end.unwrap_or_else(|| panic!("no answer: {answer:?}")) + 4);
    (String::from_utf8(answer).unwrap(), body)
}

/// How a body is written.
type Written = fn(&Held) -> String;

/// Parameters of a form.
type Parameters<'a> = Vec<(&'a str, &'a str)>;

/// What a caller holds.
#[derive(Clone, Debug)]
struct Held {
    tenant: String,
    secret: String,
    access: String,
    refresh: String,
}

impl Held {
    fn of(slots: &[(Slot, Token)]) -> Held {
        let value =
            |slot: Slot| slots.iter().find(|(other, _)| *other == slot).unwrap().1.expose().to_owned();
        Held {
            tenant: value(Slot::Tenant),
            secret: value(Slot::Secret),
            access: value(Slot::Access),
            refresh: value(Slot::Refresh),
        }
    }

    fn json(&self) -> Value {
        json!({
            "stateCode": self.tenant,
            "AuthString": self.secret,
            "expiredAccessToken": self.access,
            "RefreshToken": self.refresh,
        })
    }

    fn xml(&self) -> String {
        format!(
            "<RequestModelRefreshToken xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xmlns=\"{NAMESPACE}\"> <AuthString>{}</AuthString> <RefreshToken>{}</RefreshToken> \
             <expiredAccessToken>{}</expiredAccessToken> <stateCode>{}</stateCode> </RequestModelRefreshToken>",
            self.secret, self.refresh, self.access, self.tenant
        )
    }

    fn form(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("stateCode", &self.tenant)
            .append_pair("AuthString", &self.secret)
            .append_pair("expiredAccessToken", &self.access)
            .append_pair("RefreshToken", &self.refresh)
            .finish()
    }

    /// What is held after a grant.
    fn after(&self, answer: &Answer) -> Held {
        assert!(answer.granted(), "{answer:?}");
        let text = |name: &str| answer.inner(name).as_str().unwrap().to_owned();
        Held { access: text("accessToken"), refresh: text("refreshToken"), ..self.clone() }
    }
}

impl Bench {
    fn seed(&self) -> Held {
        Held::of(&self.server.seeds(1)[0])
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")];
        call(self.address, "POST", path, &headers, body.to_string().as_bytes())
    }

    fn refresh(&self, held: &Held) -> Answer {
        self.post(REFRESH, &held.json())
    }

    fn refresh_for_xml(&self, held: &Held) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Accept", "application/xml")];
        call(self.address, "POST", REFRESH, &headers, held.json().to_string().as_bytes())
    }

    fn whoami(&self, access: &str) -> Answer {
        let bearer = format!("Bearer {access}");
        call(self.address, "GET", "/api/PFMS/whoami", &[("Authorization", &bearer)], b"")
    }

    fn order(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        call(self.control, method, path, &[("Content-Type", "application/json")], body.as_bytes())
    }
}

#[test]
fn the_page_samples_work_in_all_five_request_types() {
    let bench = bench(MockSpec::default());
    let forms: [(&str, Written, &str); 5] = [
        ("application/json", |held| held.json().to_string(), "application/json; charset=utf-8"),
        ("text/json", |held| held.json().to_string(), "text/json; charset=utf-8"),
        ("application/xml", Held::xml, "application/xml; charset=utf-8"),
        ("text/xml", Held::xml, "text/xml; charset=utf-8"),
        ("application/x-www-form-urlencoded", Held::form, "application/json; charset=utf-8"),
    ];
    for (label, body, answered) in forms {
        let held = bench.seed();
        let answer = call(bench.address, "POST", REFRESH, &[("Content-Type", label)], body(&held).as_bytes());
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(answered)), "{label}");
        let flag =
            if answered.contains("xml") { "<isSuccess>true</isSuccess>" } else { r#""isSuccess":"true""# };
        assert!(answer.body.contains(flag), "{label}: {}", answer.body);
    }
}

#[test]
fn a_grant_has_the_documented_members_in_their_order() {
    let bench = bench(MockSpec::default());
    let answer = bench.refresh(&bench.seed());
    let document = answer.json();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&document), "AckCode Status Remarks DateOfData RefreshTokenResponse");
    assert_eq!(
        names(&document["RefreshTokenResponse"]),
        "accessToken refreshToken created expires responseData errorMessage isSuccess errorCode"
    );
    assert_eq!((&document["AckCode"], &document["Status"]), (&json!("00"), &json!("Success")));
    assert_eq!(answer.inner("responseData"), Value::Null);
    assert!(answer.inner("created").as_str().unwrap().ends_with("+05:30"));

    let xml = bench.refresh_for_xml(&bench.seed());
    let tree = roxmltree::Document::parse(&xml.body).unwrap();
    let root = tree.root_element();
    assert_eq!(root.tag_name().name(), "ResponseModelRefreshToken");
    assert_eq!(root.tag_name().namespace(), Some(NAMESPACE));
    let order: Vec<&str> = root.children().map(|child| child.tag_name().name()).collect();
    assert_eq!(order, ["AckCode", "DateOfData", "RefreshTokenResponse", "Remarks", "Status"]);
}

#[test]
fn login_opens_a_chain_that_the_resource_knows() {
    let bench = bench(MockSpec::default());
    let identities = bench.server.identities();
    let names: Vec<&str> = identities.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["kerala", "goa", "jammu", "kerala-second"]);
    for (_, slots) in identities {
        let value =
            |slot: Slot| slots.iter().find(|(other, _)| *other == slot).unwrap().1.expose().to_owned();
        let body = json!({
            "stateCode": value(Slot::Tenant),
            "AuthString": value(Slot::Secret),
            "AuthCode": value(Slot::Code),
        });
        let answer = bench.post(LOGIN, &body);
        let inner = &answer.json()["PFMSLogInResponse"];
        assert_eq!(inner["isSuccess"], "true", "{}", answer.body);
        assert!(inner["tokenCreated"].is_string() && inner["tokenExpires"].is_string());
        let who = bench.whoami(inner["accessToken"].as_str().unwrap());
        assert_eq!(who.status, 200);
        assert_eq!(who.json()["tenant"], value(Slot::Tenant).as_str());
        assert_eq!(who.json()["subject"], value(Slot::User).as_str());
        let held = Held {
            tenant: value(Slot::Tenant),
            secret: value(Slot::Secret),
            access: inner["accessToken"].as_str().unwrap().to_owned(),
            refresh: inner["refreshToken"].as_str().unwrap().to_owned(),
        };
        assert!(bench.refresh(&held).granted());
        let wrong = json!({ "stateCode": held.tenant, "AuthString": held.secret, "AuthCode": "wrong" });
        assert_eq!(bench.post(LOGIN, &wrong).json()["PFMSLogInResponse"]["isSuccess"], "false");
    }
    let nobody = bench.whoami("nobody");
    assert_eq!(nobody.status, 401);
    assert!(nobody.header("WWW-Authenticate").unwrap().starts_with("Bearer"));
}

#[test]
fn refusals_have_codes_and_spend_nothing() {
    let bench = bench(MockSpec::default());
    let mut seeds = bench.server.seeds(4).into_iter().map(|slots| Held::of(&slots));
    let (held, goa) = (seeds.next().unwrap(), seeds.next().unwrap());
    let second = seeds.nth(1).unwrap();
    let cases: [(&str, Held); 7] = [
        ("E101", Held { refresh: goa.access.clone(), ..held.clone() }),
        ("E105", Held { access: second.access, ..held.clone() }),
        ("E105", Held { access: "x.y.z".to_owned(), ..held.clone() }),
        ("E201", Held { secret: "wrong".to_owned(), ..held.clone() }),
        ("E201", Held { tenant: "ZZ".to_owned(), ..held.clone() }),
        ("E203", Held { tenant: goa.tenant, secret: goa.secret, ..held.clone() }),
        ("E302", Held { refresh: String::new(), ..held.clone() }),
    ];
    for (code, asked) in cases {
        let answer = bench.refresh(&asked);
        assert_eq!((answer.status, answer.code().as_str()), (200, code), "{}", answer.body);
        assert_eq!(answer.json()["AckCode"], "01");
        assert_eq!(answer.inner("isSuccess"), "false");
        assert_eq!(answer.inner("accessToken"), Value::Null);
    }
    let zz = bench.refresh(&Held { tenant: "ZZ".to_owned(), ..held.clone() });
    assert_eq!(zz.json()["Remarks"], "State 'ZZ' is not registered with this AuthString");
    let whole = held.json().to_string();
    for body in ["", "[]", "null", &whole[..whole.len() - 1]] {
        let answer =
            call(bench.address, "POST", REFRESH, &[("Content-Type", "application/json")], body.as_bytes());
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert!(answer.json()["Message"].is_string());
    }
    assert!(bench.refresh(&held).granted());
}

#[test]
fn each_policy_answers_a_replay_in_its_own_way() {
    let replay = |policy: MockPolicy| {
        let bench = with_policy(policy);
        let first = bench.seed();
        let second = bench.refresh(&first);
        let again = bench.refresh(&first);
        let next = bench.refresh(&first.after(&second));
        (first.clone(), second, again, next)
    };
    let (_, _, again, next) = replay(MockPolicy::StrictFamily);
    assert_eq!((again.code().as_str(), next.code().as_str()), ("E103", "E104"));
    let (_, _, again, next) = replay(MockPolicy::StrictReject);
    assert_eq!((again.code().as_str(), next.granted()), ("E103", true));
    for policy in [MockPolicy::GraceSamePair, MockPolicy::GraceActivePair] {
        let (_, second, again, next) = replay(policy);
        assert_eq!(again.inner("refreshToken"), second.inner("refreshToken"));
        assert_eq!(again.inner("accessToken"), second.inner("accessToken"));
        assert!(next.granted());
    }
    for policy in [MockPolicy::GraceNewPair, MockPolicy::Count] {
        let (_, second, again, next) = replay(policy);
        assert!(again.granted() && next.granted());
        assert_ne!(again.inner("refreshToken"), second.inner("refreshToken"));
    }
    let (first, second, again, next) = replay(MockPolicy::None);
    assert_eq!(second.inner("refreshToken"), first.refresh);
    assert_ne!(again.inner("accessToken"), second.inner("accessToken"));
    assert!(next.granted());
}

#[test]
fn the_book_is_exact_under_concurrency() {
    const CALLERS: usize = 8;
    const STEPS: usize = 25;
    let bench = bench(MockSpec::default());
    let seeds = bench.server.seeds(CALLERS);
    std::thread::scope(|threads| {
        for slots in &seeds {
            let bench = &bench;
            threads.spawn(move || {
                let mut held = Held::of(slots);
                for step in 0..STEPS {
                    let refused = match step % 3 {
                        0 => bench.refresh(&Held { secret: "wrong".to_owned(), ..held.clone() }),
                        1 => call(bench.address, "POST", REFRESH, &[("Content-Type", "text/plain")], b"x"),
                        _ => call(bench.address, "GET", REFRESH, &[], b""),
                    };
                    assert_ne!(refused.body, "");
                    held = held.after(&bench.refresh(&held));
                }
            });
        }
    });
    let each = (CALLERS * STEPS) as u64;
    let ledger = MockLedger { requests: 2 * each, granted: each, refused: each };
    assert_eq!(bench.server.ledger(), ledger);
    let written = bench.order("GET", "/ledger", &Value::Null).json();
    assert_eq!(written, json!({ "requests": 2 * each, "granted": each, "refused": each }));
}

#[test]
fn a_race_has_one_winner_and_the_family_dies() {
    let bench = bench(MockSpec::default());
    for _ in 0..5 {
        let held = bench.seed();
        let answers: Vec<Answer> = std::thread::scope(|threads| {
            let racers: Vec<_> = (0..8).map(|_| threads.spawn(|| bench.refresh(&held))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer.granted()).count(), 1);
        assert!(answers.iter().all(|answer| answer.status == 200));
        let winner = answers.iter().find(|answer| answer.granted()).unwrap();
        assert_eq!(bench.refresh(&held.after(winner)).code(), "E104");
    }
}

#[test]
fn the_control_port_greets_and_names_the_identities() {
    let bench = bench(MockSpec::default());
    let greeting = bench.order("GET", "/nonce/abc%22", &Value::Null).json();
    assert_eq!(
        greeting,
        json!({ "assay-mock": 1, "nonce": "abc%22", "dialect": "pfms", "policy": "strict-family" })
    );
    let identities = bench.order("GET", "/identities", &Value::Null).json();
    assert_eq!(identities[0]["name"], "kerala");
    assert_eq!(identities[0]["slots"]["tenant"], "07");
    assert!(identities[0]["slots"]["secret"].as_str().unwrap().len() >= 24);
    assert_eq!(bench.order("GET", "/else", &Value::Null).status, 404);
    assert_eq!(bench.order("POST", "/clock", &json!({ "advance": 1 })).status, 400);
    assert_eq!(bench.order("POST", "/clock", &json!({ "advance_ms": -1 })).status, 400);
}

#[test]
fn the_clock_moves_dates_and_lifetimes() {
    let bench = bench(MockSpec::default());
    let held = bench.seed();
    let before = bench.order("GET", "/clock", &Value::Null).json()["now_ms"].as_i64().unwrap();
    let after =
        bench.order("POST", "/clock", &json!({ "advance_ms": 301_000 })).json()["now_ms"].as_i64().unwrap();
    assert!((301_000..310_000).contains(&(after - before)));
    assert_eq!(bench.whoami(&held.access).status, 401);
    let answer = bench.refresh(&held);
    assert!(answer.granted());
    let date =
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(answer.header("Date").unwrap()).unwrap();
    assert!((date.as_millisecond() - after).abs() < 5_000);
    bench.order("POST", "/clock", &json!({ "advance_ms": 86_401_000 }));
    assert_eq!(bench.refresh(&held.after(&answer)).code(), "E102");
}

#[test]
fn a_restart_closes_connections_and_keeps_chains() {
    let bench = bench(MockSpec::default());
    let held = bench.seed();
    let mut idle = TcpStream::connect(bench.address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: mock\r\n\r\n").unwrap();
    let mut buffer = [0; 4096];
    assert!(idle.read(&mut buffer).unwrap() > 0);
    assert_eq!(bench.order("POST", "/restart", &Value::Null).status, 200);
    while idle.read(&mut buffer).is_ok_and(|count| count > 0) {}
    assert!(bench.refresh(&held).granted());
}

#[test]
fn a_stall_holds_back_whoever_arrives_in_it() {
    let stall = Stall { after: Duration::from_millis(200), lasting: Duration::from_millis(600) };
    let bench = bench(MockSpec { stall: Some(stall), ..MockSpec::default() });
    let mut held = bench.seed();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    while began.elapsed() < Duration::from_millis(1200) {
        let sent = Instant::now();
        held = held.after(&bench.refresh(&held));
        longest = longest.max(sent.elapsed());
    }
    assert!(longest >= Duration::from_millis(400), "{longest:?}");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    bench.order("POST", "/stall", &json!({ "for_ms": 300 }));
    let sent = Instant::now();
    assert!(bench.refresh(&held).granted());
    assert!(sent.elapsed() >= Duration::from_millis(150));
}

/// Two workers of 40 ms each and six callers: the last pair is answered after three turns, and the book of delays
/// holds what a worker took, without the turns before it.
#[test]
fn workers_take_turns_and_their_time_is_in_the_book_of_delays() {
    let latency = MockLatency::Constant(Duration::from_millis(40));
    let bench = bench(MockSpec { latency, workers: Some(2), ..MockSpec::default() });
    assert_eq!(bench.order("POST", "/delays", &Value::Null).status, 200);
    let callers: Vec<Held> = (0..6).map(|_| bench.seed()).collect();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for held in &callers {
            scope.spawn(|| assert!(bench.refresh(held).granted()));
        }
    });
    assert!(began.elapsed() >= Duration::from_millis(120), "{:?}", began.elapsed());
    let heard = bench.order("GET", "/delays", &Value::Null).json();
    let delays: Vec<u64> =
        heard["nanoseconds"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!((delays.len(), &heard["missed"]), (6, &json!(0)));
    assert!(delays.iter().all(|nanos| *nanos >= 40_000_000), "{delays:?}");
    let chains = bench.order("GET", "/chains", &Value::Null).json();
    assert_eq!((&chains["families"], &chains["least"], &chains["most"]), (&json!(6), &json!(1), &json!(1)));
}

#[test]
fn a_body_beyond_the_limit_is_not_found() {
    let bench = bench(MockSpec::default());
    let mut stream = TcpStream::connect(bench.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {REFRESH} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 64];
    let count = stream.read(&mut answer).unwrap();
    assert!(answer[..count].starts_with(b"HTTP/1.1 404"));
}

#[test]
fn it_listens_on_loopback_only_and_stops_when_dropped() {
    let mut everywhere = options("pfms", MockSpec::default());
    everywhere.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(matches!(MockServer::start(everywhere), Err(MockError::NotLoopback(_))));
    let bench = bench(MockSpec::default());
    let mut taken = options("pfms", MockSpec::default());
    taken.listen = bench.address;
    assert!(matches!(MockServer::start(taken), Err(MockError::Listen(..))));
    let address = bench.address;
    drop(bench);
    assert!(TcpStream::connect(address).is_err());
}

/// A defect, what to do, and whether its sign is there.
type Sign = (Defect, fn(&Bench, &Held) -> bool);

#[test]
fn defects_of_answers_show_on_the_wire_and_only_there() {
    let signs: &[Sign] = &[
        (Defect::RefusalHtml, |bench, held| unknown(bench, held).body.starts_with("<!DOCTYPE")),
        (Defect::RefusalBare, |bench, held| unknown(bench, held).json()["AckCode"].is_null()),
        (Defect::TokenWithSpace, |bench, held| {
            bench.refresh(held).inner("refreshToken").as_str().unwrap_or_default().ends_with('\n')
        }),
        (Defect::RefreshTokenMissing, |bench, held| bench.refresh(held).inner("refreshToken").is_null()),
        (Defect::InnerFailureInside, |bench, held| unknown(bench, held).body.contains(r#""AckCode":"00""#)),
        (Defect::EnvelopeFailureOutside, |bench, held| {
            bench.refresh(held).body.contains(r#""AckCode":"01""#)
        }),
        (Defect::ErrorResidue, |bench, held| !bench.refresh(held).inner("errorCode").is_null()),
        (Defect::FlagSpelling, |bench, held| bench.refresh(held).body.contains(r#""isSuccess":"True""#)),
        (Defect::CreatedNaiveLocal, |bench, held| created(&bench.refresh(held)).len() == 19),
        (Defect::CreatedStale, |bench, held| {
            let before = created(&bench.refresh(held));
            bench.order("POST", "/clock", &json!({ "advance_ms": 5000 }));
            let next = bench.seed();
            let first = created(&bench.refresh(&next));
            bench.order("POST", "/clock", &json!({ "advance_ms": 5000 }));
            let stale = Held::of(&bench.server.seeds(1)[0]);
            let one = bench.refresh(&stale);
            bench.order("POST", "/clock", &json!({ "advance_ms": 5000 }));
            let two = bench.refresh(&stale.after(&one));
            before != first && created(&one) == created(&two)
        }),
        (Defect::ExpiresBeforeCreated, |bench, held| {
            let answer = bench.refresh(held);
            answer.inner("expires").as_str().unwrap_or_default() < created(&answer).as_str()
        }),
        (Defect::DateCultureFlips, |bench, held| {
            created(&bench.refresh(held)).as_bytes().get(2) == Some(&b'-')
        }),
        (Defect::DateZoneFlips, |bench, held| created(&bench.refresh(held)).len() == 19),
        (Defect::DatesPerFormat, |bench, held| !bench.refresh_for_xml(held).body.contains("+05:30")),
        (Defect::ExpiresOffJwt, |bench, held| {
            let answer = bench.refresh(held);
            let moment = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
            let expires = moment(answer.inner("expires").as_str().unwrap());
            expires - moment(&created(&answer)) == 3900
        }),
        (Defect::AccessUnchanged, |bench, held| {
            bench.refresh(held).inner("accessToken") == held.access.as_str()
        }),
        (Defect::AccessDead, |bench, held| {
            let answer = bench.refresh(held);
            bench.whoami(answer.inner("accessToken").as_str().unwrap_or_default()).status == 401
        }),
        (Defect::AlwaysFixed, |bench, held| {
            bench.refresh(held).inner("refreshToken") == bench.refresh(held).inner("refreshToken")
                && bench.refresh(held).granted()
        }),
        (Defect::AlwaysCrash, |bench, held| bench.refresh(held).status == 500),
        (Defect::ClassesRandom, |bench, held| unknown(bench, held).code() != unknown(bench, held).code()),
        (Defect::ClassesPerFormat, |bench, held| {
            let asked = Held { refresh: "unknown".to_owned(), ..held.clone() };
            bench.refresh_for_xml(&asked).body.contains("E901")
        }),
    ];
    check(signs);
}

#[test]
fn defects_of_judgement_show_on_the_wire_and_only_there() {
    fn without(bench: &Bench, held: &Held, name: &str) -> bool {
        let mut body = held.json();
        body.as_object_mut().unwrap().remove(name);
        bench.post(REFRESH, &body).granted()
    }
    fn cut(bench: &Bench, held: &Held) -> Answer {
        let body = held.json().to_string();
        let headers = [("Content-Type", "application/json")];
        call(bench.address, "POST", REFRESH, &headers, &body.as_bytes()[..body.len() - 1])
    }
    fn blank_in_form(bench: &Bench, held: &Held) -> Answer {
        let body = Held { secret: String::new(), ..held.clone() }.form();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        call(bench.address, "POST", REFRESH, &headers, body.as_bytes())
    }
    let signs: &[Sign] = &[
        (Defect::TruncatedAccepted, |bench, held| cut(bench, held).status == 200),
        (Defect::TruncatedSpends, |bench, held| {
            cut(bench, held).status == 400 && !bench.refresh(held).granted()
        }),
        (Defect::SecretOptional, |bench, held| without(bench, held, "AuthString")),
        (Defect::AccessOptional, |bench, held| without(bench, held, "expiredAccessToken")),
        (Defect::BlankSecretInForm, |bench, held| {
            !bench.refresh(&Held { secret: String::new(), ..held.clone() }).granted()
                && blank_in_form(bench, held).granted()
        }),
        (Defect::WrongSecretAccepted, |bench, held| {
            bench.refresh(&Held { secret: "wrong".to_owned(), ..held.clone() }).granted()
        }),
        (Defect::TenantIgnored, |bench, held| {
            bench.refresh(&Held { tenant: "99".to_owned(), ..held.clone() }).granted()
        }),
        (Defect::ForeignTenantAccepted, |bench, held| {
            !bench.refresh(&Held { tenant: "99".to_owned(), ..held.clone() }).granted()
                && bench.refresh(&Held { tenant: "30".to_owned(), ..held.clone() }).granted()
        }),
        (Defect::UnknownGranted, |bench, held| {
            bench.refresh(&Held { refresh: "unknown".to_owned(), ..held.clone() }).granted()
        }),
        (Defect::AccessAsRefresh, |bench, held| {
            bench.refresh(&Held { refresh: held.access.clone(), ..held.clone() }).granted()
        }),
        (Defect::AccessUnverified, |bench, held| {
            bench.refresh(&Held { access: "anything".to_owned(), ..held.clone() }).granted()
        }),
    ];
    check(signs);
}

/// Each sign is there with its defect and not without it; all but the gross ones still start a chain.
fn check(signs: &[Sign]) {
    let clean = bench(MockSpec::default());
    for (defect, sign) in signs {
        let bad = with_defect(*defect);
        assert!(sign(&bad, &bad.seed()), "{defect:?} does not show");
        assert!(!sign(&clean, &clean.seed()), "{defect:?} shows on the clean mock");
    }
}

fn unknown(bench: &Bench, held: &Held) -> Answer {
    bench.refresh(&Held { refresh: "unknown".to_owned(), ..held.clone() })
}

fn created(answer: &Answer) -> String {
    answer.inner("created").as_str().unwrap_or_default().to_owned()
}

#[test]
fn variants_are_unusual_and_right() {
    let with = |variant: Variant| bench(MockSpec { variants: vec![variant], ..MockSpec::default() });
    let upper = with(Variant::TrueSpelledUpper);
    assert_eq!(upper.refresh(&upper.seed()).inner("isSuccess"), "True");
    let wrong = |bench: &Bench| bench.refresh(&Held { secret: "wrong".to_owned(), ..bench.seed() }).status;
    assert_eq!(wrong(&with(Variant::FailuresByStatus)), 401);
    assert_eq!(wrong(&with(Variant::ForbiddenSecret)), 403);
    let dates = with(Variant::MicrosoftDates);
    assert!(created(&dates.refresh(&dates.seed())).starts_with("/Date("));
}

/// A form to the token endpoint of OAuth 2.0.
fn token(bench: &Bench, basic: Option<&str>, pairs: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut headers = vec![("Content-Type", "application/x-www-form-urlencoded")];
    headers.extend(basic.map(|basic| ("Authorization", basic)));
    call(bench.address, "POST", "/token", &headers, body.as_bytes())
}

#[test]
fn the_oauth_endpoint_keeps_to_its_rfcs() {
    use base64::Engine as _;
    let bench = bench_of("oauth2", MockSpec { policy: MockPolicy::StrictReject, ..MockSpec::default() });
    let (name, slots) = bench.server.identities().remove(0);
    assert_eq!(name, "alice");
    let value = |slot: Slot| slots.iter().find(|(other, _)| *other == slot).unwrap().1.expose().to_owned();
    let (client, secret) = (value(Slot::Client), value(Slot::ClientSecret));
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}"));
    let basic = format!("Basic {encoded}");
    let login = token(
        &bench,
        Some(&basic),
        &[
            ("grant_type", "password"),
            ("username", &value(Slot::User)),
            ("password", &value(Slot::Secret)),
            ("scope", &value(Slot::Scope)),
        ],
    );
    assert_eq!(login.status, 200, "{}", login.body);
    assert_eq!((login.header("Cache-Control"), login.header("Pragma")), (Some("no-store"), Some("no-cache")));
    let text = |answer: &Answer, name: &str| answer.json()[name].as_str().unwrap_or_default().to_owned();
    let first = text(&login, "refresh_token");

    let errors: &[(u16, &str, Option<&str>, Parameters<'_>)] = &[
        (401, "invalid_client", None, vec![("grant_type", "refresh_token"), ("refresh_token", &first)]),
        (401, "invalid_client", Some("Basic bm9ib2R5OngK"), vec![("grant_type", "refresh_token")]),
        (400, "invalid_request", Some(&basic), vec![("refresh_token", &first)]),
        (400, "invalid_request", Some(&basic), vec![("grant_type", "refresh_token")]),
        (400, "invalid_request", Some(&basic), vec![("grant_type", "refresh_token"), ("refresh_token", "")]),
        (400, "invalid_request", Some(&basic), vec![("grant_type", "refresh_token"), ("grant_type", "x")]),
        (400, "invalid_request", Some(&basic), vec![("client_id", &client), ("client_secret", &secret)]),
        (400, "unsupported_grant_type", Some(&basic), vec![("grant_type", "REFRESH_TOKEN")]),
        (400, "invalid_grant", Some(&basic), vec![("grant_type", "refresh_token"), ("refresh_token", "x")]),
        (
            400,
            "invalid_scope",
            Some(&basic),
            vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", &first),
                ("scope", "openid read write profile"),
            ],
        ),
        (
            400,
            "invalid_grant",
            None,
            vec![("grant_type", "refresh_token"), ("refresh_token", &first), ("client_id", "assay-app")],
        ),
    ];
    for (status, error, auth, pairs) in errors {
        let answer = token(&bench, *auth, pairs);
        assert_eq!((answer.status, text(&answer, "error").as_str()), (*status, *error), "{pairs:?}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(answer.header("WWW-Authenticate").is_some(), *status == 401 && auth.is_some());
    }

    let good = [("grant_type", "refresh_token"), ("refresh_token", first.as_str()), ("unknown", "ignored")];
    let narrow = token(&bench, Some(&basic), &[&good[..], &[("scope", "read")]].concat());
    assert_eq!((narrow.status, text(&narrow, "scope").as_str()), (200, "read"));
    assert!(narrow.json()["expires_in"].is_u64());
    let second = text(&narrow, "refresh_token");
    assert_ne!(second, first);
    let again = token(
        &bench,
        None,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", &second),
            ("client_id", &client),
            ("client_secret", &secret),
        ],
    );
    assert_eq!(text(&again, "scope"), "openid read write");
    let bearer = format!("Bearer {}", text(&again, "access_token"));
    let info = call(bench.address, "GET", "/userinfo", &[("Authorization", &bearer)], b"");
    assert_eq!((info.status, text(&info, "sub").as_str()), (200, "alice"));

    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", basic.as_str())];
    let third = text(&again, "refresh_token");
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", &third).finish();
    for body in [form.as_str(), "token=unknown"] {
        assert_eq!(call(bench.address, "POST", "/revoke", &headers, body.as_bytes()).status, 200);
    }
    let info = call(bench.address, "GET", "/userinfo", &[("Authorization", &bearer)], b"");
    assert_eq!(info.status, 401);
    assert!(info.header("WWW-Authenticate").unwrap().contains("invalid_token"));
    let ledger = bench.server.ledger();
    assert_eq!((ledger.granted, ledger.requests), (2, ledger.granted + ledger.refused));
}

#[derive(serde::Deserialize)]
struct Vector {
    case: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body_base64: Option<String>,
}

/// The golden vectors prove the pipeline without sockets; here the same requests come by a socket, and the
/// answers are the same.
#[test]
fn the_echo_controller_answers_over_a_socket_as_in_memory() {
    use assay::mock::webapi::quirks::Quirks;
    use assay::mock::webapi::{HttpRequest, Pipeline, echo};
    use base64::Engine as _;
    let files = [(Generation::One, "webapi1.jsonl"), (Generation::Two, "webapi2.jsonl")];
    for (generation, file) in files {
        let path = format!("{}/tests/it/fixtures/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        for refuses in [false, true] {
            let controller = if refuses { Controller::EchoNotAcceptable } else { Controller::Echo };
            let spec = MockSpec { webapi: generation, ..MockSpec::default() };
            let bench = bench_with(MockOptions { controller, ..options("pfms", spec) });
            let variants: &[Variant] = if refuses { &[Variant::NotAcceptable] } else { &[] };
            let pipeline = Pipeline::new(generation, echo::actions(), Quirks::new(&[], variants));
            for line in text.lines() {
                let vector: Vector = serde_json::from_str(line).unwrap();
                if vector.case.starts_with("406 ") != refuses {
                    continue;
                }
                let body = vector
                    .body_base64
                    .map(|text| base64::engine::general_purpose::STANDARD.decode(text).unwrap());
                let body = body.unwrap_or_default();
                let mut headers: Vec<(String, Vec<u8>)> = vector
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_bytes().to_vec()))
                    .collect();
                headers.push(("Host".to_owned(), bench.address.to_string().into_bytes()));
                let request = HttpRequest {
                    method: vector.method.clone(),
                    target: vector.target.clone(),
                    headers,
                    body: body.clone(),
                    has_length: true,
                };
                let expected = pipeline.serve(&request, &echo::answer);
                let lines: Vec<(&str, &str)> =
                    vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let (head, answered) =
                    call_for_bytes(bench.address, &vector.method, &vector.target, &lines, &body);
                let status = format!("HTTP/1.1 {} ", expected.status);
                assert!(head.starts_with(&status), "{}: {head}", vector.case);
                // IIS sends no body to HEAD either.
                let body = if vector.method == "HEAD" { Vec::new() } else { expected.body };
                assert_eq!(answered, body, "{file}: {}", vector.case);
                let answer = Answer { status: expected.status, head, body: String::new() };
                for (name, value) in &expected.headers {
                    assert_eq!(answer.header(name), Some(value.as_str()), "{file}: {}: {name}", vector.case);
                }
            }
        }
    }
}

#[test]
fn a_chunked_body_is_read_and_an_expectation_is_met() {
    let bench = bench(MockSpec::default());
    for expect in ["", "Expect: 100-continue\r\n"] {
        let body = bench.seed().json().to_string();
        let (one, two) = body.split_at(body.len() / 2);
        let mut stream = TcpStream::connect(bench.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST {REFRESH} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n{expect}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for part in [one, two] {
            stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.contains("100 Continue"), !expect.is_empty());
        assert!(answer.contains(r#""isSuccess":"true""#), "{answer}");
    }
    assert_eq!(bench.server.ledger(), MockLedger { requests: 2, granted: 2, refused: 0 });
}

#[test]
fn a_client_that_hangs_up_leaves_no_lock_and_one_entry_in_the_book() {
    let bench = bench(MockSpec {
        policy: MockPolicy::GraceSamePair,
        latency: MockLatency::Constant(Duration::from_millis(100)),
        ..MockSpec::default()
    });
    let held = bench.seed();
    let body = held.json().to_string();
    let mut stream = TcpStream::connect(bench.address).unwrap();
    let head = format!(
        "POST {REFRESH} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    while bench.server.ledger().granted == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(stream);
    assert!(bench.refresh(&held).granted());
    assert_eq!(bench.server.ledger(), MockLedger { requests: 2, granted: 2, refused: 0 });
}

#[test]
fn answers_take_as_long_as_the_model_says() {
    let lasting = Duration::from_millis(30);
    let bench = bench(MockSpec { latency: MockLatency::Constant(lasting), ..MockSpec::default() });
    for _ in 0..5 {
        let held = bench.seed();
        let sent = Instant::now();
        assert!(bench.refresh(&held).granted());
        assert!(sent.elapsed() >= lasting && sent.elapsed() < 20 * lasting, "{:?}", sent.elapsed());
    }
}

#[test]
fn nothing_that_is_sent_stops_it() {
    let bench = bench(MockSpec::default());
    let rubbish: [&[u8]; 6] = [
        b"\0\xff\xfe",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"GET /%zz%00?\xff HTTP/1.1\r\nHost: m\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n",
        b"POST /api/PFMS/pfms_get_refresh_token HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\n{",
        b"GET http://elsewhere/api/PFMS/whoami HTTP/1.1\r\nHost: m\r\nAuthorization: \xff\xfe\r\nConnection: close\r\n\r\n",
    ];
    for bytes in rubbish {
        for address in [bench.address, bench.control] {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            // What is answered does not matter, only that the connection ends.
            drop(stream.read_to_end(&mut Vec::new()));
        }
    }
    assert!(bench.refresh(&bench.seed()).granted());
}
