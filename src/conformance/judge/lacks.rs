//! What an answer must not hold, anywhere in headers, body or decoded tokens.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regex::Regex;

use crate::client::reply::{Outcome, Reply};
use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::claim::{Field, Lack, Pattern};

use crate::conformance::redact::writings;
use crate::conformance::transcript::Taken;

use super::{Bench, Judgement};

/// No body is searched beyond this.
const SEARCH_MAX: usize = 4_000_000;

/// Holds where nothing was given back at all.
pub(super) fn lacks(lack: &Lack, taken: &Taken, bench: &Bench<'_>) -> Judgement {
    let Some(reply) = taken.reply.as_deref() else { return Judgement::Holds };
    let text = searched(reply, taken, bench);
    let (what, found) = match lack {
        Lack::Secrets => ("no secret that was sent", secret(&text, taken, reply, bench)),
        Lack::StackTrace => ("no stack trace", hinted(&STACK_TRACE, STACK_TRACE_HINTS, &text)),
        Lack::TypeNames => ("no names of the server's types", hinted(&TYPE_NAMES, TYPE_NAME_HINTS, &text)),
        Lack::Details => ("no details of an error", first(&DETAILS, &text)),
        Lack::FilePaths => ("no paths of the server's files", first(&FILE_PATHS, &text)),
        Lack::FileContent => ("nothing of the server's files", first(&FILE_CONTENT, &text)),
        Lack::PersonalNumbers => ("no personal numbers", personal_number(&text)),
        Lack::Banners => ("no version banners", banner(reply)),
        Lack::Markup => ("no markup that a browser would run", markup(reply)),
        Lack::TokensInHeaders => ("tokens in the body alone", in_headers(reply, taken, bench)),
        Lack::WeakKeys => ("no key that everybody knows", weak_key(reply, taken, bench)),
        Lack::Text(wanted) => ("this text nowhere", text.contains(wanted).then(|| wanted.clone())),
        Lack::Pattern(Pattern(pattern)) => ("nothing like this pattern", first(pattern, &text)),
    };
    let Some(found) = found else { return Judgement::Holds };
    let shown: String = bench.redaction.text(&found).chars().take(80).collect();
    if matches!(lack, Lack::Secrets | Lack::TokensInHeaders | Lack::WeakKeys) {
        return Judgement::fails(what, found);
    }
    if *lack == Lack::PersonalNumbers {
        return Judgement::fails(what, "twelve digits that pass their checksum");
    }
    if bench.redaction.is_mock() {
        Judgement::fails(what, format!("`{}`", shown.replace(['\n', '\r'], " "))).marking([found])
    } else {
        Judgement::fails(what, bench.redaction.described(&found))
    }
}

/// Headers, body and the content of readable tokens as one text.
fn searched(reply: &Reply, taken: &Taken, bench: &Bench<'_>) -> String {
    let answer = reply.answer();
    let mut text = String::new();
    for (name, value) in &answer.headers {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(&String::from_utf8_lossy(value));
        text.push('\n');
    }
    text.push_str(&String::from_utf8_lossy(&answer.body[..answer.body.len().min(SEARCH_MAX)]));
    for token in tokens(reply, taken, bench) {
        let part = |at: usize| URL_SAFE_NO_PAD.decode(token.expose().split('.').nth(at)?).ok();
        if let (Some(head), Some(content), true) = (part(0), part(1), token.expose().starts_with("eyJ")) {
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(&head));
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(&content));
        }
    }
    text
}

/// The tokens that the answer hands out.
fn tokens(reply: &Reply, taken: &Taken, bench: &Bench<'_>) -> Vec<Token> {
    let fields = Field::ALL.iter().map(|(field, _)| *field).filter(|field| field.is_token());
    fields.filter_map(|field| reply.token(bench.scope.dialect, taken.operation, field)).collect()
}

/// Markup of ours in an answer that is HTML, or says not what it is.
fn markup(reply: &Reply) -> Option<String> {
    let answer = reply.answer();
    let media = answer.media_type().unwrap_or_default();
    let runs = media.is_empty() || media.contains("html") || media.contains("svg");
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SEARCH_MAX)]).into_owned();
    (runs && body.contains("<script>assay")).then(|| "<script>assay".to_owned())
}

/// A header that carries a token of the body. A cookie that the dialect reads is where the token belongs.
fn in_headers(reply: &Reply, taken: &Taken, bench: &Bench<'_>) -> Option<String> {
    let answer = reply.answer();
    let body = String::from_utf8_lossy(&answer.body);
    let tokens = tokens(reply, taken, bench);
    let of_body = tokens.iter().filter(|token| token.len() >= 8 && body.contains(token.expose()));
    let writings: Vec<String> = of_body.flat_map(|token| writings(token.expose())).collect();
    let carries = |value: &[u8]| {
        let value = String::from_utf8_lossy(value);
        writings.iter().any(|writing| value.contains(writing.as_str()))
    };
    let (name, _) = answer.headers.iter().find(|(_, value)| carries(value))?;
    Some(format!("a token in `{}` as well", bench.redaction.text(name)))
}

/// Secrets of tutorials and first deployments.
const KNOWN_KEYS: [&str; 24] = [
    "secret",
    "Secret",
    "SECRET",
    "secretkey",
    "secret_key",
    "secret-key",
    "mysecret",
    "mysecretkey",
    "my_secret_key",
    "supersecret",
    "supersecretkey",
    "super_secret_key",
    "your-256-bit-secret",
    "your-secret-key",
    "your_jwt_secret",
    "jwtsecret",
    "jwt_secret",
    "jwt-secret",
    "changeme",
    "password",
    "key",
    "test",
    "123456",
    "qwertyuiopasdfghjklzxcvbnm123456",
];

/// A token whose HMAC is made with a secret that everybody knows, the empty one among them.
fn weak_key(reply: &Reply, taken: &Taken, bench: &Bench<'_>) -> Option<String> {
    tokens(reply, taken, bench).iter().find_map(|token| {
        let (signed, signature) = token.expose().rsplit_once('.')?;
        let head = URL_SAFE_NO_PAD.decode(signed.split('.').next()?).ok()?;
        let head: serde_json::Value = serde_json::from_slice(&head).ok()?;
        let algorithm = match head.get("alg")?.as_str()? {
            "HS256" => hmac::HMAC_SHA256,
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => return None,
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let fits = |key: &&str| {
            hmac::verify(&hmac::Key::new(algorithm, key.as_bytes()), signed.as_bytes(), &signature).is_ok()
        };
        let known = KNOWN_KEYS.iter().copied().chain([""]).find(fits)?;
        Some(format!("a JWT signed with `{known}`"))
    })
}

/// So long a value in a secret's place is taken for one.
const MADE_UP_MIN: usize = 12;

/// The name of a secret that was sent and stands in the answer. The tokens of a grant are no leak where they
/// are what the answer is for.
fn secret(text: &str, taken: &Taken, reply: &Reply, bench: &Bench<'_>) -> Option<String> {
    let dialect = bench.scope.dialect;
    let granted: BTreeSet<String> = if reply.outcome == Outcome::Granted {
        [Field::Access, Field::Refresh, Field::Id]
            .into_iter()
            .filter_map(|field| reply.token(dialect, taken.operation, field))
            .map(|token| token.expose().to_owned())
            .collect()
    } else {
        BTreeSet::new()
    };
    // A value that was made up is a secret only as far as it looks like one: `null` stands in many answers.
    let made_up = taken.sent.iter().filter(|(_, value)| value.len() >= MADE_UP_MIN);
    let sent = taken.good.iter().filter(|(_, value)| value.len() >= 4).chain(made_up);
    let secrets = sent.filter(|(slot, _)| slot.is_secret());
    let grams = Grams::of(text);
    let stands = |writing: &String| grams.may_hold(writing) && text.contains(writing.as_str());
    secrets
        .filter(|(_, value)| !granted.contains(value.expose()))
        .find(|(_, value)| writings(value.expose()).iter().any(stands))
        .map(|(slot, _)| format!("the {} that was sent", spoken(*slot)))
}

/// Which four bytes follow each other somewhere in a text, as a bitmap that errs on the side of yes. Every answer is
/// searched for a dozen writings of every secret, and hardly ever holds one.
struct Grams([u64; GRAM_WORDS]);

/// 32,768 bits: an answer of a kilobyte sets one in thirty.
const GRAM_WORDS: usize = 512;

impl Grams {
    fn of(text: &str) -> Grams {
        let mut grams = Grams([0; GRAM_WORDS]);
        for four in text.as_bytes().windows(4) {
            let (word, bit) = Grams::place(four);
            grams.0[word] |= bit;
        }
        grams
    }

    fn may_hold(&self, wanted: &str) -> bool {
        wanted.as_bytes().windows(4).all(|four| {
            let (word, bit) = Grams::place(four);
            self.0[word] & bit != 0
        })
    }

    fn place(four: &[u8]) -> (usize, u64) {
        let number = four.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        // Fibonacci hashing: the upper fifteen bits.
        let hash = number.wrapping_mul(0x9E37_79B9) >> 17;
        ((hash >> 6) as usize, 1 << (hash & 63))
    }
}

fn spoken(slot: Slot) -> &'static str {
    match slot {
        Slot::Refresh => "refresh token",
        Slot::Access => "access token",
        Slot::Secret => "secret",
        Slot::Code => "code",
        Slot::ClientSecret => "client secret",
        Slot::Proof => "proof",
        Slot::Tenant | Slot::User | Slot::Client | Slot::Scope | Slot::Grant | Slot::Device | Slot::Nonce => {
            slot.word()
        }
    }
}

/// What must stand in a text for a pattern to be there: most answers are done with at a glance.
const STACK_TRACE_HINTS: &[&str] = &["at ", "Traceback", "StackTrace", ".java:", "goroutine"];
const TYPE_NAME_HINTS: &[&str] = &[
    "System.",
    "Microsoft.",
    "Newtonsoft.",
    "BLL.",
    "DAL.",
    "java",
    "org.springframework",
    "com.sun",
    "Exception",
    "Error",
];

fn hinted(pattern: &Regex, hints: &[&str], text: &str) -> Option<String> {
    hints.iter().any(|hint| text.contains(hint)).then(|| first(pattern, text)).flatten()
}

fn banner(reply: &Reply) -> Option<String> {
    let lines = reply.answer().headers.iter().filter(|(name, _)| {
        ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"]
            .iter()
            .any(|banner| name.eq_ignore_ascii_case(banner))
    });
    lines
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
        .find_map(|line| first(&BANNERS, &line))
}

fn first(pattern: &Regex, text: &str) -> Option<String> {
    pattern.find(text).map(|found| found.as_str().to_owned())
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("the pattern is constant"));
    };
}

pattern!(
    STACK_TRACE,
    r#"(?m)(?:^|\s|\\n|\\r|>|")at [A-Za-z_][\w.<>`+]*\.[\w<>.`]+\(|Traceback \(most recent|"StackTrace"|<StackTrace>|\.java:\d+\)|goroutine \d+ \["#
);
pattern!(
    TYPE_NAMES,
    r"\b(?:System|Microsoft|Newtonsoft|BLL|DAL)\.[A-Z]\w*(?:\.\w+)+|\b(?:java|javax|org\.springframework|com\.sun)\.\w+(?:\.\w+)+|\b\w+(?:Exception|Error):\s"
);
pattern!(DETAILS, r"\b(?:ExceptionMessage|ExceptionType|StackTrace|InnerException|MessageDetail)\b");
pattern!(
    FILE_PATHS,
    r#"\b[A-Za-z]:\\{1,2}[\w.~ -]+\\|(?:^|[\s"'>(=])/(?:home|usr|var|etc|opt|srv|inetpub|app|src|root|tmp)/[\w.-]+|\\\\[\w.-]+\\[\w$.-]+\\"#
);
pattern!(FILE_CONTENT, r"root:[^:\n]*:0:0:|\[boot loader\]|\[extensions\]|; for 16-bit app support");
pattern!(
    BANNERS,
    r"(?im)^(?:server|x-powered-by|x-aspnet-version|x-aspnetmvc-version)\s*:[^\n]*\d+\.\d+|^x-powered-by\s*:"
);
pattern!(TWELVE_DIGITS, r"\b[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}\b");

/// Twelve digits with a right checksum (Verhoeff, as the Indian personal number has it).
fn personal_number(text: &str) -> Option<String> {
    TWELVE_DIGITS.find_iter(text).map(|found| found.as_str()).find(|found| verhoeff(found)).map(str::to_owned)
}

fn verhoeff(text: &str) -> bool {
    const D: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const P: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let digits = text.bytes().rev().filter(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0'));
    digits.enumerate().fold(0, |sum, (at, digit)| D[usize::from(sum)][usize::from(P[at % 8][digit])]) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_types_and_paths_are_seen_in_what_servers_really_write() {
        for trace in [
            "   at System.Web.Http.ApiController.Invoke(HttpContext c)",
            r#"{"StackTrace":"   at BLL.PFMS.Do()"}"#,
            "Traceback (most recent call last):",
            "at com.x.Y.z(Y.java:12)",
        ] {
            assert!(STACK_TRACE.is_match(trace), "{trace}");
        }
        for path in [r"C:\inetpub\wwwroot\x.cs", r"D:\\Builds\\a", "in /home/app/x.py", r"\\srv01\share$\x"] {
            assert!(FILE_PATHS.is_match(path), "{path}");
        }
        assert!(TYPE_NAMES.is_match("System.Web.Http.HttpException"));
        assert!(BANNERS.is_match("Server: Microsoft-IIS/10.0"));
    }

    #[test]
    fn what_good_answers_say_is_none_of_it() {
        let good = "Content-Type: application/xml\nServer: nginx\n<ResponseModelRefreshToken \
                    xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
                    xmlns=\"http://schemas.datacontract.org/2004/07/BLL.PFMS\"><Remarks>valid at 10:05 (IST)\
                    </Remarks><created>/Date(1714979289123+0530)/</created>";
        for pattern in [&STACK_TRACE, &TYPE_NAMES, &DETAILS, &FILE_PATHS, &FILE_CONTENT, &BANNERS] {
            assert_eq!(pattern.find(good).map(|found| found.as_str()), None);
        }
    }

    #[test]
    fn a_text_may_hold_whatever_stands_in_it() {
        let text = "{\"refreshToken\":\"q8-_XY7z\",\"remarks\":\"\u{e9}t\u{e9} abc\"}";
        let grams = Grams::of(text);
        for (from, _) in text.char_indices() {
            assert!(grams.may_hold(&text[from..]), "{from}");
        }
        assert!(!grams.may_hold("another-token"));
    }

    #[test]
    fn twelve_digits_count_only_with_their_checksum() {
        assert_eq!(personal_number("no 2345 6789 0123 here"), None);
        assert!(verhoeff("2363"));
        assert!(!verhoeff("2364"));
    }
}
