//! What the words beside a verdict mean: exit codes, error classes, and the codes of diagnostics.
//!
//! Closed vocabularies are matched without a wildcard; the codes of diagnostics are a table that a test holds
//! against the sources.

use crate::client::Failure;
use crate::dialect::ErrorClass;
use crate::results::class;
use crate::results::outcome::Exit;

/// One word: what it means, and what to do about it.
#[derive(Debug)]
pub(super) struct Entry {
    /// As it is printed: `exit 6`, `response timeout`, `suite::unit`.
    pub(super) name: String,
    /// What it means.
    pub(super) means: &'static str,
    /// What to do.
    pub(super) cure: &'static str,
}

/// The exit codes, in their order.
const EXITS: [Exit; 10] = [
    Exit::Good,
    Exit::Failed,
    Exit::Misused,
    Exit::CouldNotRun,
    Exit::Missed,
    Exit::Worse,
    Exit::Untrusted,
    Exit::SecretLeaked,
    Exit::Interrupted(130),
    Exit::Interrupted(143),
];

/// Failures of an exchange, in the order in which they are declared.
const FAILURES: [Failure; 29] = [
    Failure::Dns,
    Failure::ConnectRefused,
    Failure::ConnectTimeout,
    Failure::Unreachable,
    Failure::TlsCertificate,
    Failure::Tls,
    Failure::Proxy,
    Failure::NoHttp2,
    Failure::NotInHttp2,
    Failure::Reset,
    Failure::StreamReset,
    Failure::ClosedBeforeAnswer,
    Failure::ClosedWithinAnswer,
    Failure::ReuseRace,
    Failure::ResponseTimeout,
    Failure::OversizedBody,
    Failure::OversizedHead,
    Failure::NotHttp,
    Failure::AmbiguousLength,
    Failure::BrokenChunks,
    Failure::TrailingBytes,
    Failure::EarlyAnswer,
    Failure::EndlessInformational,
    Failure::LocalPorts,
    Failure::LocalFiles,
    Failure::Guarded,
    Failure::Aborted,
    Failure::Stopped,
    Failure::Other,
];

/// Every exit code.
pub(super) fn exits() -> impl Iterator<Item = Entry> {
    EXITS.into_iter().map(|exit| {
        let (means, cure) = exit_words(exit);
        Entry { name: format!("exit {}", exit.code()), means, cure }
    })
}

/// Every class of errors.
pub(super) fn classes() -> impl Iterator<Item = Entry> {
    let failures = FAILURES.into_iter().map(|failure| {
        let (means, cure) = failure_words(failure);
        Entry { name: failure.word().to_owned(), means, cure }
    });
    let refusals = ErrorClass::ALL.into_iter().map(|(refusal, word)| {
        let (means, cure) = refusal_words(refusal);
        Entry { name: class::refused(word), means, cure }
    });
    failures.chain(refusals).chain(counted())
}

/// The codes of diagnostics.
pub(super) fn diagnostics() -> impl Iterator<Item = Entry> {
    DIAGNOSTICS.iter().map(|(name, means, cure)| Entry { name: (*name).to_owned(), means, cure })
}

fn exit_words(exit: Exit) -> (&'static str, &'static str) {
    match exit {
        Exit::Good => (
            "Every must was judged and holds, every objective is met, nothing stands in doubt.",
            "Nothing. Failed shoulds and known failures decide nothing and stand in the summary.",
        ),
        Exit::Failed => (
            "A must does not hold, a known failure is out of date, or the good call was answered and not granted.",
            "Read the first failure on the page; `assay explain ID` says how to mend the server. A failure that \
             is known and accepted for a while belongs under `expect-failures:`.",
        ),
        Exit::Misused => (
            "The suite, another file, or the command line is wrong. Nothing was sent.",
            "Mend what the diagnostics point at; `assay explain CODE` explains one of them.",
        ),
        Exit::CouldNotRun => (
            "It could not run, or a must could not be judged: nobody listens, a login failed, chains ran out, or \
             too few rounds of a race overlapped.",
            "The reason stands in the last line. Mend the environment and run again; an open must is not a pass.",
        ),
        Exit::Missed => (
            "Every must holds and an objective (a limit on speed or errors) was missed.",
            "Compare the figure with its limit on the page, and run it again to see whether it stays.",
        ),
        Exit::Worse => (
            "The run is worse than, or differs from, the one that it was compared with.",
            "Look at what changed; accept the new state as the baseline if the change is wanted.",
        ),
        Exit::Untrusted => (
            "The measurement cannot be trusted: the generator fell behind its schedule, the machine had no CPU \
             left, or the two books of the same refreshes differ.",
            "Run on a machine with more CPU or ask for a lower rate. Where the books differ, something else uses \
             the endpoint, or a proxy repeats requests.",
        ),
        Exit::SecretLeaked => (
            "A credential or a token of the run was found in a report, before it was handed to anybody.",
            "Delete the reports of this run, change the secret if they were copied, and report it: this is a \
             mistake of the program or a label that held the secret.",
        ),
        Exit::Interrupted(_) => (
            "The run was interrupted by a signal (130: Ctrl-C, 143: the pipeline's time-out). The reports are written and say \
             how far it came.",
            "Give the job more time, or ask for less: `--only`, `--skip-load`, shorter profiles.",
        ),
    }
}

fn failure_words(failure: Failure) -> (&'static str, &'static str) {
    match failure {
        Failure::Dns => {
            ("The name of the host does not resolve.", "Check `url` and the resolver of this machine.")
        }
        Failure::ConnectRefused => {
            ("Nobody listens at the address.", "Check host and port, and whether the service is up.")
        }
        Failure::ConnectTimeout => (
            "No connection within `timeout`.",
            "A firewall that drops packets, or a queue of connections that is full at the server.",
        ),
        Failure::Unreachable => {
            ("The host or its network cannot be reached.", "Check routes, VPN and proxy settings.")
        }
        Failure::TlsCertificate => (
            "The certificate is not accepted: name, date or issuer.",
            "Install the whole chain on the server, or trust a private issuer on this machine.",
        ),
        Failure::Tls => (
            "The handshake failed, or the TLS layer broke within the exchange.",
            "Compare versions and ciphers; look for a middle box, or a server that ends without close_notify.",
        ),
        Failure::Reset => (
            "The other side reset the connection; the token may have been spent.",
            "Look for a worker that died, a proxy's limit, or a queue that overflows.",
        ),
        Failure::ClosedBeforeAnswer => (
            "The connection was closed after the request and before any byte of an answer; the token may have been spent.",
            "Look for a crash of the process, or a time-out of a proxy that is shorter than the answer takes.",
        ),
        Failure::ClosedWithinAnswer => (
            "The connection was closed in the middle of an answer.",
            "Look for a crash while the answer was written, or a length that was stated wrong.",
        ),
        Failure::ReuseRace => (
            "An idle connection was already closed when it was used again; the endpoint did not take the request.",
            "Harmless once; often, it means that the server keeps connections for a shorter time than it says.",
        ),
        Failure::ResponseTimeout => (
            "No complete answer within `timeout`; the token may have been spent.",
            "Look for what the request waits for at the server: a lock, a pool without connections, a slow query.",
        ),
        Failure::OversizedBody => (
            "The answer's body is larger than the limit.",
            "A refresh answers in kilobytes: see what it sends.",
        ),
        Failure::OversizedHead => (
            "The answer's headers are too many or too large.",
            "Look for cookies or headers that grow with each answer.",
        ),
        Failure::NotHttp => (
            "What came is no HTTP/1.1 answer.",
            "Check scheme and port: TLS asked in the clear, or another protocol behind the port.",
        ),
        Failure::AmbiguousLength => (
            "The answer states two lengths, or a length and chunks.",
            "Let one layer write the framing; a proxy that adds a header must take the other away.",
        ),
        Failure::BrokenChunks => (
            "The chunks of the answer are broken.",
            "Look for a filter that changes a body after it was framed.",
        ),
        Failure::TrailingBytes => (
            "Bytes came after the end of the answer.",
            "The stated length is too short, or one request was answered twice.",
        ),
        Failure::EarlyAnswer => (
            "An answer was there before the request was sent, which then was not sent.",
            "The server answers twice, or the connection carries what belongs to another caller.",
        ),
        Failure::EndlessInformational => {
            ("1xx answers came without end.", "Look for a proxy that repeats 100 or 103.")
        }
        Failure::Proxy => (
            "The proxy cannot be reached, or opens no way to the endpoint.",
            "The text beside it has the proxy's own words; `proxy:` of the environment names it.",
        ),
        Failure::NoHttp2 => (
            "The endpoint does not agree to HTTP/2, which `http: 2` asks for.",
            "Leave `http` out, or switch HTTP/2 on where TLS ends (ALPN `h2`).",
        ),
        Failure::NotInHttp2 => (
            "HTTP/2 has no such thing as this request (a header that it forbids, a framing that it does not have).",
            "Run the check with `http: 1.1`.",
        ),
        Failure::StreamReset => (
            "HTTP/2: the endpoint reset the stream (RST_STREAM), or ended the connection by a GOAWAY.",
            "Look into its log: limits of streams and of resets, time-outs of the proxy before it.",
        ),
        Failure::LocalPorts => (
            "This machine has no free port left.",
            "Use fewer connections, keep them open, or widen `ip_local_port_range`.",
        ),
        Failure::LocalFiles => {
            ("This process may open no more files.", "Raise `ulimit -n`, or use fewer chains.")
        }
        Failure::Guarded => (
            "The guard of the environment did not let it out: host, rate or number of requests.",
            "Widen `guard:` if that much is wanted; it is there so that nobody sends it by mistake.",
        ),
        Failure::Aborted => ("The check hung up on purpose.", "Nothing: it is what the check does."),
        Failure::Stopped => {
            ("The run was stopped before an answer came.", "Nothing: the run was interrupted.")
        }
        Failure::Other => (
            "Anything else that the operating system reports.",
            "The text beside it has the system's own words.",
        ),
    }
}

fn refusal_words(refusal: ErrorClass) -> (&'static str, &'static str) {
    match refusal {
        ErrorClass::InvalidToken => (
            "Refused: the token was never issued, or is damaged.",
            "Under load with good tokens: a node or replica that does not know the newest one.",
        ),
        ErrorClass::Expired => {
            ("Refused: the token is too old.", "Compare lifetimes and clocks, or begin with fresh pairs.")
        }
        ErrorClass::Reused => (
            "Refused: the token was used before.",
            "Under load, where every token is used once: the server counts one request twice, or a proxy repeats it.",
        ),
        ErrorClass::Revoked => (
            "Refused: the token or its family was revoked.",
            "Find out which replay or logout ended the family.",
        ),
        ErrorClass::WrongClient => (
            "Refused: the token belongs to another client or tenant.",
            "Check `identities:` of the environment.",
        ),
        ErrorClass::BadCredentials => (
            "Refused: the caller's own credentials are wrong.",
            "Check the environment variables behind `$secret:`.",
        ),
        ErrorClass::Malformed => (
            "Refused: the request cannot be read.",
            "Compare the exchange on the page with the dialect's table.",
        ),
        ErrorClass::UnsupportedMedia => {
            ("Refused: the media type is not supported.", "See which types the dialect states.")
        }
        ErrorClass::NoSuchOperation => {
            ("Refused: there is no such method or path.", "Check `url` and the paths of the dialect.")
        }
        ErrorClass::RateLimited => (
            "Refused for asking too often; the token is not spent.",
            "Ask for a lower rate, or have the limit raised for the test.",
        ),
        ErrorClass::InvalidScope => {
            ("Refused: more scope than was granted.", "Ask for what the login was granted.")
        }
        ErrorClass::InvalidProof => (
            "Refused: the proof of possession is missing or wrong.",
            "Check the key of the identity and this machine's clock.",
        ),
        ErrorClass::Unknown => (
            "Refused in a way that no rule of the dialect knows.",
            "Add a rule to the dialect, so that the next run can tell what it was.",
        ),
    }
}

/// Classes that only a load counts.
fn counted() -> impl Iterator<Item = Entry> {
    let entry = |name: &str, means, cure| Entry { name: name.to_owned(), means, cure };
    [
        entry(
            class::STARVED,
            "The arrival waited for a free chain longer than `max-wait` and was never sent; it counts as an error.",
            "Give the profile more `chains`, or find out why answers are slow.",
        ),
        entry(
            class::UNKNOWN_GRANTED,
            "A refresh token that was never issued was granted.",
            "Look the token up before anything is granted; nothing else matters until this is mended.",
        ),
        entry(
            &class::crash(500),
            "The server answered with a failure of its own; the chain goes on with its pair.",
            "Look into the server's log at the time of the example on the page.",
        ),
        entry(
            &class::crash(503),
            "The server said that it cannot answer now.",
            "An honest answer to too much; lower the rate or add servers.",
        ),
        entry(
            &class::crash(200),
            "A failure of the server behind another status, as the dialect's rules read it.",
            "Answer failures with a status that says so, so that monitors see them.",
        ),
        entry(
            &class::garbled(200),
            "An answer that is neither a grant nor a refusal nor a failure: the document cannot be read.",
            "See the example on the page; a page of a gateway or a log-in page is the usual one.",
        ),
    ]
    .into_iter()
}

/// Codes of diagnostics: what each means, and the cure.
const DIAGNOSTICS: [(&str, &str, &str); 59] = [
    (
        "suite::address",
        "The address is none that could be called.",
        "Write `https://host`, `http://host:port`, or `$env:NAME`.",
    ),
    (
        "suite::braces",
        "`{{ }}` or `${ }` stands where YAML takes the brace for a mapping.",
        "Write `$name`, or put the text into quotes.",
    ),
    (
        "suite::contradiction",
        "Two things were said that exclude each other.",
        "Keep one of the two; the other place is shown as well.",
    ),
    (
        "suite::duplicate-check",
        "An own check has the id of another, or of one of the catalogue.",
        "Choose an id of its own.",
    ),
    (
        "suite::duplicate-key",
        "A key stands twice in one mapping, and YAML would silently take one.",
        "Remove one, or join them.",
    ),
    ("suite::empty", "The file holds nothing but comments.", "`assay init` writes a suite to start from."),
    (
        "suite::expression",
        "A condition cannot be read.",
        "Write a comparison with units: `steady.response.p99 < 250ms and errors < 1%`.",
    ),
    (
        "suite::guard-missing",
        "The environment has an address of somebody and no `guard`.",
        "Name the hosts, the rate and the number of requests that you consent to: `guard: { hosts: [HOST], rate: 20/s, requests: 5000 }`.",
    ),
    (
        "suite::indentation",
        "A line belongs neither to the entry above it nor to a new one.",
        "Put it under the first letter of its neighbors.",
    ),
    (
        "suite::made-value",
        "A made value (`flip`, `like`, `filler` …) has no word, or two.",
        "One word makes one value; a list joins several.",
    ),
    ("suite::missing-key", "A word that must be there is not.", "Add it; the label says where it belongs."),
    (
        "suite::no-claim",
        "A check or a step judges nothing, or has nothing to judge.",
        "Write `must:`, `should:` or `info:` with what must hold.",
    ),
    ("suite::no-verb", "A step does nothing.", "Write `refresh:`, `probe:`, `wait:` or another verb."),
    (
        "suite::not-text",
        "The file is binary, or has bytes that are no text.",
        "A suite is a YAML file in UTF-8.",
    ),
    (
        "suite::not-used",
        "A known failure names a check that this suite does not run.",
        "Add the check to `use`, or remove the entry.",
    ),
    ("suite::not-yet", "A word of the language that this version does not run.", "Leave it out for now."),
    (
        "suite::pattern",
        "A regular expression cannot be read.",
        "Quote it with single quotes and look at the place that is named.",
    ),
    (
        "suite::place",
        "A place in an answer cannot be read as it is written, or cannot be compared in this way.",
        "Write `refresh`, `header:Name`, `/a/b`, `access#exp` or `access@alg`.",
    ),
    (
        "suite::reference",
        "A `$name` refers to nothing that is known here.",
        "Name a slot, a step, a chain or a dimension; a dollar sign alone is `$$`.",
    ),
    (
        "suite::secret-in-clear",
        "A secret stands in the suite, or in a variable that may be printed.",
        "Write `$secret:NAME` and set the environment variable.",
    ),
    (
        "suite::stage",
        "A stage of a load says no rate or not how long.",
        "Write `50/s for 30s`, or `500/s to 50/s for 60s`.",
    ),
    (
        "suite::syntax",
        "The text is no YAML, or uses what suites do not: tags, several documents, unknown anchors.",
        "Look at the place that is named; text with `: ` or `#` needs quotes.",
    ),
    ("suite::tab", "A tab cannot indent in YAML.", "Use blanks."),
    ("suite::taken-name", "A step, chain or dimension has a name that is taken.", "Choose another."),
    (
        "suite::too-complex",
        "The document is nested too deep or repeats too much through aliases.",
        "Write it flatter.",
    ),
    (
        "suite::too-large",
        "The file, or a number in it, is beyond what is supported.",
        "The limit stands in the message.",
    ),
    (
        "suite::two-readings",
        "A value can be taken for text or for a bare value of the document.",
        "Write `\"7\"` for text, `{ raw: 7 }` for a bare one.",
    ),
    ("suite::two-verbs", "A step does two things.", "Make it two steps."),
    (
        "suite::unit",
        "A figure has no unit, or one that does not fit.",
        "Write `250ms`, `10s`, `200/s`, `1%`, `64kB`, `30..300`.",
    ),
    (
        "suite::unknown-dialect",
        "There is no dialect of that name, and no such file.",
        "Write `pfms` or `oauth2`, or the path of a file beside the suite.",
    ),
    (
        "suite::unknown-key",
        "A key that nobody knows here.",
        "Take the nearest one that is offered, or move it to where it belongs.",
    ),
    (
        "suite::unknown-name",
        "An objective or a condition names a profile, a part or a metric that is not measured.",
        "Write `PROFILE.METRIC`, such as `steady.response.p99`.",
    ),
    (
        "suite::unknown-word",
        "A word that is not in the list of what is possible here.",
        "Take the nearest one that is offered.",
    ),
    (
        "suite::variable-not-set",
        "An environment variable that the chosen environment asks for is not set.",
        "Export it before the run, or choose another environment with `--env`.",
    ),
    (
        "suite::version",
        "The suite is of a version of the language that this program does not read.",
        "Write `assay: 1`.",
    ),
    (
        "suite::wrong-key",
        "A key cannot stand here, although it looks right.",
        "The label says what to write instead.",
    ),
    (
        "suite::wrong-kind",
        "A mapping, a list or a word stands where another of them belongs.",
        "The label says which.",
    ),
    (
        "suite::wrong-name",
        "A name has characters that would end it elsewhere.",
        "Letters, digits, `-` and `_`.",
    ),
    ("suite::wrong-value", "The value is not possible here.", "The label says what is."),
    (
        "dialect::ambiguous-date",
        "Two date formats read the same text as different days.",
        "Keep the one that the endpoint writes.",
    ),
    (
        "dialect::codec",
        "Types that no codec is known for.",
        "Write `codec: json`, `xml` or `form` beside them.",
    ),
    (
        "dialect::computed",
        "A value that is computed is not said rightly.",
        "Name one function, such as `base64: $refresh`, `uuid` or `now`, and a `key` where a MAC is made.",
    ),
    (
        "dialect::date-format",
        "A date format cannot be read.",
        "Write `iso`, `dotnet`, `epoch`, or a pattern such as `dd-MM-yyyy HH:mm:ss`.",
    ),
    (
        "dialect::link",
        "A place refers to a field that the dialect does not map.",
        "Map the field under `fields` first.",
    ),
    ("dialect::media-type", "A media type cannot be read.", "Write `application/json`."),
    ("dialect::method", "The method cannot be sent.", "Write `POST` or `GET`."),
    (
        "dialect::no-access",
        "The dialect does not say where an answer has its access token.",
        "Map `access` under `fields`.",
    ),
    ("dialect::no-refresh", "The dialect has no operation `refresh`.", "Describe it under `operations`."),
    (
        "dialect::no-token",
        "A call carries no token.",
        "Put `$refresh` where the endpoint reads it: body, query, header or cookie.",
    ),
    ("dialect::path", "A path does not begin with `/`, or has a query.", "Write the path alone."),
    (
        "dialect::place",
        "A field has no place, or one that cannot be read.",
        "Write `/a/b`, `header:Name`, or `status`.",
    ),
    ("dialect::prefix", "A path has a prefix that is not declared.", "Declare it under `namespaces`."),
    (
        "dialect::root",
        "XML without a root element, or a root where there is none.",
        "Only XML has a `root`, and it needs one.",
    ),
    (
        "dialect::rule",
        "A rule that tells outcomes apart is no condition.",
        "Write `status == 200 and filled(access)`.",
    ),
    ("dialect::same-place", "Two fields are read from one place.", "One of the two is somewhere else."),
    ("dialect::slot", "A slot is used that was not declared.", "Put it under `slots`."),
    ("dialect::unknown-word", "A word that dialects do not have.", "Take the nearest one that is offered."),
    (
        "dialect::version",
        "The dialect is of a version that this program does not read.",
        "Write `assay-dialect: 1`.",
    ),
    (
        "dialect::zone",
        "A time zone cannot be read.",
        "Write `unknown`, `utc`, or an offset such as `+05:30`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_in_the_list() {
        assert_eq!(FAILURES.len(), Failure::Other as usize + 1);
        for (at, failure) in FAILURES.into_iter().enumerate() {
            assert_eq!(failure as usize, at, "{}", failure.word());
        }
    }

    #[test]
    fn no_name_stands_twice_and_every_entry_has_a_cure() {
        let mut names = std::collections::HashSet::new();
        for entry in exits().chain(classes()).chain(diagnostics()) {
            assert!(names.insert(entry.name.clone()), "{} stands twice", entry.name);
            assert!(entry.means.ends_with('.') && entry.cure.ends_with('.'), "{}", entry.name);
        }
    }

    #[test]
    fn every_class_that_a_load_can_count_is_explained() {
        let known: Vec<String> = classes().map(|entry| entry.name).collect();
        for class in
            [class::crash(500), class::crash(503), class::refused("expired"), class::STARVED.to_owned()]
        {
            assert!(known.contains(&class), "{class}");
        }
    }
}
