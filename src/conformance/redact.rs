//! What may be shown: secrets in every usual writing become their names, everything else by what is allowed.
//!
//! Against a mock of ours all but secrets is shown. Elsewhere only what the dialect marks as showable; other
//! text appears as its length and fingerprint.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;

use crate::chain::Identity;
use crate::chain::held::Held;
use crate::client::compose::Slots;
use crate::dialect::Dialect;
use crate::secret::spelling::Spelling;
use crate::secret::{FingerprintKey, Token};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};

use super::change::member_of;
use super::transcript::Taken;

/// A text of so many bytes is searched for secrets, and not secrets in the text.
const SHORT: usize = 200;

/// A part of a secret this long is a secret.
const WINDOW: usize = 12;

/// A secret, and what stands in its place.
#[derive(Clone, Debug)]
struct Named {
    label: String,
    value: Token,
}

/// What stands in the place of secrets in everything that is shown of one exchange.
#[derive(Clone, Debug)]
pub(super) struct Redaction {
    key: FingerprintKey,
    is_mock: bool,
    dialect: Arc<Dialect>,
    secrets: Vec<Named>,
    /// Every token of the run.
    held: Option<Arc<Held>>,
}

impl Redaction {
    /// The secrets that every exchange of the run may carry.
    pub fn new(
        key: FingerprintKey,
        is_mock: bool,
        dialect: Arc<Dialect>,
        identities: &[Arc<Identity>],
    ) -> Redaction {
        let mut redaction = Redaction { key, is_mock, dialect, secrets: Vec::new(), held: None };
        for identity in identities {
            redaction.add_slots(&identity.slots, "");
        }
        redaction
    }

    /// The same, and no token of the run is shown, whoever it belongs to.
    #[must_use]
    pub fn watching(mut self, held: &Arc<Held>) -> Redaction {
        self.held = Some(Arc::clone(held));
        self
    }

    /// From now on this token is a secret.
    pub fn know(&mut self, name: &str, token: Token) {
        self.add(name, true, token);
    }

    /// The same with what `taken` sent and received.
    #[must_use]
    pub fn of(&self, taken: &Taken) -> Redaction {
        let mut redaction = self.clone();
        redaction.add_slots(&taken.good, "");
        let changed = taken.sent.iter().filter(|(slot, value)| taken.good.get(slot) != Some(value));
        redaction.add_slots(&changed.map(|(slot, value)| (*slot, value.clone())).collect(), "changed ");
        for field in Field::ALL.iter().map(|(field, _)| *field).filter(|field| field.is_token()) {
            let replies = [(&taken.reply, taken.operation), (&taken.origin, Operation::Login)];
            for (reply, operation) in replies {
                let token = reply.as_ref().and_then(|reply| reply.token(&self.dialect, operation, field));
                if let Some(token) = token {
                    redaction.add(field.word(), true, token);
                }
            }
        }
        redaction
    }

    fn add_slots(&mut self, slots: &Slots, prefix: &str) {
        for (slot, value) in slots.iter().filter(|(slot, _)| slot.is_secret()) {
            let name = format!("{prefix}{}", self.slot_name(*slot));
            let is_token = matches!(slot, Slot::Refresh | Slot::Access) || !prefix.is_empty();
            self.add(&name, is_token, value.clone());
        }
    }

    fn add(&mut self, name: &str, fingerprinted: bool, value: Token) {
        if value.len() < 3 || self.secrets.iter().any(|known| known.value == value) {
            return;
        }
        let label = if fingerprinted {
            format!("‹{name} {}›", self.digits(value.expose()))
        } else {
            format!("‹{name}›")
        };
        self.secrets.push(Named { label, value });
    }

    /// Tokens go by their slot, credentials by the member that carries them.
    fn slot_name(&self, slot: Slot) -> String {
        if matches!(slot, Slot::Refresh | Slot::Access) {
            return slot.word().to_owned();
        }
        let operations = [Operation::Refresh, Operation::Login, Operation::Revoke, Operation::Probe];
        operations
            .into_iter()
            .filter_map(|operation| self.dialect.operation(operation))
            .flat_map(|speech| speech.accepts.values())
            .find_map(|accepts| member_of(&accepts.body, slot))
            .unwrap_or_else(|| slot.word().to_owned())
    }

    fn digits(&self, text: &str) -> String {
        format!("{:04x}", self.key.of(text).0 >> 48)
    }

    /// Whether everything but secrets may be shown.
    pub fn is_mock(&self) -> bool {
        self.is_mock
    }

    /// Whether the text of this member may be shown.
    pub fn may_show(&self, member: &str) -> bool {
        self.is_mock || self.dialect.showable.iter().any(|name| name.eq_ignore_ascii_case(member))
    }

    /// `text` with every secret in it replaced: whole in any usual writing, in part, and what looks like one.
    pub fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for (needle, label) in self.needles(text.len()) {
            if shown.contains(&needle) {
                shown = shown.replace(&needle, &label);
            }
        }
        let shown = JWT
            .replace_all(&shown, |found: &regex::Captures<'_>| format!("‹jwt {}›", self.digits(&found[0])));
        let shown = self.without_parts(&shown);
        let shown = self.without_held(&shown);
        OPAQUE
            .replace_all(&shown, |found: &regex::Captures<'_>| {
                if looks_random(&found[0]) {
                    format!("‹{} characters {}›", found[0].len(), self.digits(&found[0]))
                } else {
                    found[0].to_owned()
                }
            })
            .into_owned()
    }

    /// Whether a request target is the path of an operation, without a query.
    pub fn is_known_path(&self, target: &str) -> bool {
        self.dialect.operations.values().any(|speech| speech.path == target)
    }

    /// Whether `text` may be shown as it stands.
    pub fn is_harmless(&self, text: &str) -> bool {
        self.text(text) == text
    }

    /// The text at a place, for a sentence: `` `09` ``, `‹refresh 3c07›`, `text of 12 characters ‹3c07›`.
    pub fn value(&self, place: &FieldPlace, text: &str) -> String {
        match place {
            FieldPlace::Field(field) if field.is_token() => {
                format!("‹{} {}›", field.word(), self.digits(text))
            }
            FieldPlace::Cookie(name) => format!("‹cookie {name} {}›", self.digits(text)),
            FieldPlace::Header(name) if is_harmless_header(name) => self.quoted(text),
            _ if self.may_show(&self.member(place)) => self.quoted(text),
            _ => self.described(text),
        }
    }

    /// `text of 12 characters ‹3c07›`
    pub fn described(&self, text: &str) -> String {
        format!("text of {} characters ‹{}›", text.chars().count(), self.digits(text))
    }

    fn quoted(&self, text: &str) -> String {
        let shown = self.text(text);
        let short: String = shown.chars().take(120).collect();
        if short.len() < shown.len() { format!("`{short}…`") } else { format!("`{short}`") }
    }

    /// The member name behind a place.
    fn member(&self, place: &FieldPlace) -> String {
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        match place {
            FieldPlace::Path(path) => last(path),
            FieldPlace::Header(name)
            | FieldPlace::Cookie(name)
            | FieldPlace::Claim(_, name)
            | FieldPlace::Jose(_, name) => name.clone(),
            FieldPlace::Field(field) => self
                .dialect
                .operations
                .values()
                .find_map(|speech| match speech.answers.fields.get(field)?.at.first()? {
                    FieldPlace::Path(path) => Some(last(path)),
                    _ => None,
                })
                .unwrap_or_else(|| field.word().to_owned()),
        }
    }

    /// Every secret in every usual writing, the longest first, as far as a text of this length can hold it: no
    /// writing is shorter than the secret.
    fn needles(&self, length: usize) -> Vec<(String, String)> {
        let mut needles: Vec<(String, String)> = Vec::new();
        for secret in self.secrets.iter().filter(|secret| secret.value.len() <= length) {
            for writing in writings(secret.value.expose()) {
                needles.push((writing, secret.label.clone()));
            }
        }
        needles.sort_by_key(|(needle, _)| std::cmp::Reverse(needle.len()));
        needles
    }

    /// Parts of secrets: a document cut in the middle of a token, a token with one character changed, and secrets
    /// that are spelled with percent signs, escapes or entities.
    fn without_parts(&self, text: &str) -> String {
        let windows = if text.len() <= SHORT {
            Windows::within(text, &self.secrets)
        } else {
            Windows::of(&self.secrets)
        };
        let mut hidden = windows.found(&text.char_indices().collect::<Vec<_>>(), text.len());
        for spelling in Spelling::ALL {
            if text.contains(spelling.mark()) {
                hidden.extend(windows.found(&spelling.characters(text).collect::<Vec<_>>(), text.len()));
            }
        }
        covered(text, hidden, |_| "‹part of a secret›".to_owned())
    }

    /// Tokens of other chains.
    fn without_held(&self, text: &str) -> String {
        let spans = self.held.as_ref().map_or_else(Vec::new, |held| held.spans(text));
        covered(text, spans, |token| format!("‹a token {}›", self.digits(token)))
    }
}

/// What is looked for of secrets, by length: parts of long ones, short ones as a whole.
struct Windows(BTreeMap<usize, HashSet<Vec<char>>>);

impl Windows {
    /// Those that a short text holds, in whatever spelling: most are none of a secret's, and are found out faster
    /// than all that secrets have are written down.
    fn within(text: &str, secrets: &[Named]) -> Windows {
        let plain: Vec<char> = text.chars().collect();
        let spelled = Spelling::ALL.iter().filter(|spelling| text.contains(spelling.mark()));
        let spelled = spelled.map(|spelling| spelling.characters(text).map(|(_, c)| c).collect());
        let texts: Vec<Vec<char>> = std::iter::once(plain).chain(spelled).collect();
        let mut windows: BTreeMap<usize, HashSet<Vec<char>>> = BTreeMap::new();
        for secret in secrets {
            let length = secret.value.expose().chars().take(WINDOW).count();
            if length == 0 {
                continue;
            }
            for window in texts.iter().flat_map(|chars| chars.windows(length)) {
                if secret.value.expose().contains(&window.iter().collect::<String>()) {
                    windows.entry(length).or_default().insert(window.to_vec());
                }
            }
        }
        Windows(windows)
    }

    fn of(secrets: &[Named]) -> Windows {
        let mut windows: BTreeMap<usize, HashSet<Vec<char>>> = BTreeMap::new();
        for secret in secrets {
            let chars: Vec<char> = secret.value.expose().chars().collect();
            let length = chars.len().min(WINDOW);
            if length > 0 {
                windows.entry(length).or_default().extend(chars.windows(length).map(<[char]>::to_vec));
            }
        }
        Windows(windows)
    }

    /// The bytes of a text of this length that hold one, by its characters and where they begin.
    fn found(&self, characters: &[(usize, char)], length: usize) -> Vec<Range<usize>> {
        let chars: Vec<char> = characters.iter().map(|(_, c)| *c).collect();
        let begin = |at: usize| characters.get(at).map_or(length, |(begin, _)| *begin);
        let mut found = Vec::new();
        for (size, windows) in &self.0 {
            let hits = chars.windows(*size).enumerate().filter(|(_, window)| windows.contains(*window));
            found.extend(hits.map(|(at, _)| begin(at)..begin(at + size)));
        }
        found
    }
}

/// `text` with what lies in `spans` replaced; spans that touch are one.
fn covered(text: &str, mut spans: Vec<Range<usize>>, cover: impl Fn(&str) -> String) -> String {
    spans.sort_by_key(|span| span.start);
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    let mut spans = spans.into_iter().peekable();
    while let Some(mut span) = spans.next() {
        while let Some(next) = spans.next_if(|next| next.start <= span.end) {
            span.end = span.end.max(next.end);
        }
        shown.push_str(&text[end..span.start]);
        shown.push_str(&cover(&text[span.clone()]));
        end = span.end;
    }
    shown.push_str(&text[end..]);
    shown
}

static JWT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*").expect("the pattern is constant")
});

static OPAQUE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_+/=-]{32,}").expect("the pattern is constant"));

/// Upper case, lower case and digits, well mixed between two slashes: a path is none.
fn looks_random(text: &str) -> bool {
    text.split('/').any(|part| {
        let has = |wanted: fn(&char) -> bool| part.chars().filter(wanted).count() >= 3;
        part.len() >= 12
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
    })
}

/// A secret as it may be written: raw, percent-encoded, escaped for JSON and XML, in base64 at any offset, in
/// hexadecimal, in another case, backwards.
pub(super) fn writings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    let mut add = |writing: String| {
        if !all.contains(&writing) {
            all.push(writing);
        }
    };
    if !secret.bytes().all(is_plain) {
        escaped(secret).into_iter().for_each(&mut add);
    }
    for encoded in [STANDARD.encode(secret), STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)] {
        add(encoded);
    }
    add(hexadecimal(secret));
    add(hexadecimal(secret).to_uppercase());
    for offset in 1..3 {
        let shifted = [&vec![0; offset][..], secret.as_bytes()].concat();
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            // The first signs mix with what stands before the secret, the last with what follows it.
            let whole = encoded.get(4..encoded.len().saturating_sub(2)).unwrap_or("");
            if whole.len() >= WINDOW {
                add(whole.to_owned());
            }
        }
    }
    if secret.len() >= DISGUISED_MIN {
        disguises(secret).into_iter().for_each(add);
    }
    all
}

/// Whether a byte is written as itself in forms, percent encoding, JSON and XML.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

/// A secret percent-encoded, and escaped for JSON and XML.
fn escaped(secret: &str) -> [String; 7] {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    let json = serde_json::Value::from(secret).to_string();
    let json = &json[1..json.len() - 1];
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    [lower_hex(&form), lower_hex(&percent), form, percent, json.to_owned(), json.replace('/', "\\/"), xml]
}

fn hexadecimal(text: &str) -> String {
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
    text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Shorter secrets are no longer themselves when they are written otherwise.
const DISGUISED_MIN: usize = 8;

/// A secret in other cases and backwards.
fn disguises(secret: &str) -> [String; 4] {
    let swapped = secret
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    [
        swapped.collect(),
        secret.to_ascii_uppercase(),
        secret.to_ascii_lowercase(),
        secret.chars().rev().collect(),
    ]
}

/// `%2B` as `%2b`.
fn lower_hex(percent: &str) -> String {
    let mut lower = String::with_capacity(percent.len());
    let mut left = 0_u8;
    for c in percent.chars() {
        if c == '%' {
            left = 3;
        }
        lower.push(if left > 0 { c.to_ascii_lowercase() } else { c });
        left = left.saturating_sub(1);
    }
    lower
}

/// Headers whose values say nothing about anybody.
pub(super) fn is_harmless_header(name: &str) -> bool {
    const HARMLESS: &[&str] = &[
        "accept",
        "age",
        "allow",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "expect",
        "expires",
        "host",
        "last-modified",
        "pragma",
        "retry-after",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "vary",
        "x-aspnet-version",
        "x-content-type-options",
        "x-frame-options",
        "x-powered-by",
    ];
    let name = name.to_ascii_lowercase();
    HARMLESS.contains(&name.as_str()) || name.starts_with("access-control-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "q7/Zk+2pLw9x";
    const FOREIGN: &str = "rt.7Qx.vB29mZk4TzL0pWc8sYd";

    fn redaction() -> Redaction {
        let held = Arc::new(Held::default());
        held.note(&Token::new(FOREIGN));
        let slots = Slots::from([(Slot::Secret, Token::new(SECRET))]);
        let identity = Arc::new(Identity { name: "own".to_owned(), slots });
        let dialect = Arc::new(crate::dialect::builtin("pfms").expect("it is built in"));
        Redaction::new(FingerprintKey::new(1, 2), true, dialect, &[identity]).watching(&held)
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_spelled() {
        let redaction = redaction();
        let each = |write: fn(char) -> String| SECRET.chars().map(write).collect::<String>();
        let spellings = [
            SECRET.to_owned(),
            each(|c| format!("%{:02X}", c as u32)),
            each(|c| format!("\\u{:04x}", c as u32)),
            each(|c| format!("&#x{:x};", c as u32)),
            each(|c| if c == 'Z' { "\\u005A".to_owned() } else { c.to_string() }),
            hexadecimal(SECRET).to_uppercase(),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("xy{SECRET}z")),
            URL_SAFE_NO_PAD.encode(SECRET),
        ];
        for spelling in spellings {
            let shown = redaction.text(&format!("{{\"a\": \"{spelling}\", \"b\": 1}}"));
            assert!(!shown.contains(&spelling[2..spelling.len() - 2]), "{spelling}: {shown}");
            assert!(shown.starts_with("{\"a\": \"") && shown.ends_with("\", \"b\": 1}"), "{shown}");
        }
    }

    #[test]
    fn a_token_of_another_chain_is_hidden_wherever_it_stands() {
        let shown = redaction().text(&format!("Remarks: {FOREIGN}; member {FOREIGN}x"));
        assert!(!shown.contains("vB29mZk4"), "{shown}");
        assert!(shown.starts_with("Remarks: ‹a token "), "{shown}");
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        let redaction = redaction();
        for text in ["", "é", "100 % of it", "a\\b", "AckCode=00&Status=Success", "‹refresh 3c07›", "\\u12"]
        {
            assert_eq!(redaction.text(text), text);
        }
    }
}
