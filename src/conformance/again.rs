//! A shell line that does an exchange again: `curl`, secrets as variables, everything else quoted.

use crate::client::Request;
use crate::client::compose::Slots;
use crate::secret::Token;
use crate::suite::call::{Part, Reference, Slot};
use crate::suite::environment::Environment;

use super::redact::Redaction;
use super::transcript::Taken;

/// The line for the request that was sent. Nothing for tricks of the wire, which curl does not do, and nothing
/// where a secret would stand in it otherwise than as a variable.
pub(super) fn curl(
    taken: &Taken,
    base: &url::Url,
    environment: &Environment,
    redaction: &Redaction,
) -> Option<String> {
    let request = &taken.exchange.request;
    if request.travel != crate::client::Travel::default() {
        return None;
    }
    let variables = variables(taken, environment);
    let mut words = vec!["curl -sSg --path-as-is".to_owned()];
    let is_post = request.method == "POST" && request.body.is_some();
    if !is_post && (request.method != "GET" || request.body.is_some()) {
        // HEAD by -X waits for a body that never comes.
        let limit = if request.method == "HEAD" { "-m 5 " } else { "" };
        words.push(format!("{limit}-X {}", quote(&request.method)));
    }
    let target = format!("{}{}", base.as_str().trim_end_matches('/'), request.target);
    words.push(word(&target, &variables));
    words.extend(headers(request, &variables)?);
    words.extend(body(request, &variables)?);
    let line = words.join(" ");
    // A path of the dialect is as long and as mixed as a token, and is none.
    let questionable =
        if redaction.is_known_path(&request.target) { line.replace(&target, "") } else { line.clone() };
    redaction.of(taken).is_harmless(&questionable).then_some(line)
}

/// No longer request is written out.
const LONGEST: usize = 4_000;

/// The same for what curl does not do: the bytes themselves, through `nc` or `openssl`. `bytes` are those of the
/// request, head and body. Nothing for requests that travel in time: those that pause, break off or wait.
pub(super) fn raw(
    taken: &Taken,
    bytes: &[u8],
    base: &url::Url,
    environment: &Environment,
    redaction: &Redaction,
) -> Option<String> {
    let travel = &taken.exchange.request.travel;
    if travel.pace.is_some() || travel.abort.is_some() || travel.await_continue || bytes.len() > LONGEST {
        return None;
    }
    let (host, port) = (base.host_str()?, base.port_or_known_default()?);
    let to = match base.scheme() {
        "https" => format!("openssl s_client -quiet -connect {host}:{port}"),
        _ => format!("nc -w 5 {host} {port}"),
    };
    let (format, names) = printed(bytes, &variables(taken, environment));
    let arguments: Vec<String> = names.iter().map(|name| format!(" \"${name}\"")).collect();
    let line = format!("printf '{format}'{} | {to}", arguments.concat());
    let path = bare_path(&taken.exchange.request.target);
    let questionable = if redaction.is_known_path(path) { line.replace(path, "") } else { line.clone() };
    redaction.of(taken).is_harmless(&questionable).then_some(line)
}

fn bare_path(target: &str) -> &str {
    target.split(['?', ' ']).next().unwrap_or_default()
}

/// The bytes as a format of `printf`, and the variables that it takes.
fn printed(bytes: &[u8], variables: &[(String, Token)]) -> (String, Vec<String>) {
    let (mut format, mut names) = (String::new(), Vec::new());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let secret = variables.iter().find(|(_, value)| rest.starts_with(value.expose().as_bytes()));
        if let Some((name, value)) = secret {
            format.push_str("%s");
            names.push(name.clone());
            rest = &rest[value.len()..];
            continue;
        }
        match first {
            b'\r' => format.push_str("\\r"),
            b'\n' => format.push_str("\\n"),
            b'%' => format.push_str("%%"),
            b'\\' => format.push_str("\\\\"),
            b'\'' => format.push_str("'\\''"),
            b' '..=b'~' => format.push(char::from(*first)),
            other => format.extend([String::from("\\"), format!("{other:03o}")]),
        }
        rest = after;
    }
    (format, names)
}

/// Name and value of every secret that the request may carry: good ones first, so that a changed value that
/// contains a good one is shown as what it is.
fn variables(taken: &Taken, environment: &Environment) -> Vec<(String, Token)> {
    let named = |slot: Slot| {
        let identity = environment.identities.get(&taken.identity.name)?;
        let (_, template) = identity.slots.iter().find(|(candidate, _)| *candidate == slot)?;
        match template.parts.as_slice() {
            [Part::Reference(Reference::Env(name) | Reference::Secret(name))] => Some(name.clone()),
            _ => None,
        }
    };
    let secret = |slots: &Slots| -> Vec<(Slot, Token)> {
        let secrets = slots.iter().filter(|(slot, value)| slot.is_secret() && value.len() >= 3);
        secrets.map(|(slot, value)| (*slot, value.clone())).collect()
    };
    let plain = |slot: Slot| slot.word().to_uppercase().replace('-', "_");
    let mut variables: Vec<(String, Token)> = Vec::new();
    for (slot, value) in secret(&taken.good) {
        variables.push((named(slot).unwrap_or_else(|| plain(slot)), value));
    }
    variables.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    for (slot, value) in secret(&taken.sent) {
        if !variables.iter().any(|(_, known)| *known == value) {
            variables.push((format!("CHANGED_{}", plain(slot)), value));
        }
    }
    variables
}

fn headers(request: &Request, variables: &[(String, Token)]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let has = |name: &str| request.headers.iter().any(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
    for (name, value) in &request.headers {
        let value = std::str::from_utf8(value).ok()?;
        if name.eq_ignore_ascii_case("content-length") {
            continue;
        }
        words.push(format!("-H {}", word(&format!("{name}: {value}"), variables)));
    }
    // What curl would add by itself.
    if !has("accept") {
        words.push("-H 'Accept:'".to_owned());
    }
    if request.body.is_some() && !has("content-type") {
        words.push("-H 'Content-Type:'".to_owned());
    }
    Some(words)
}

fn body(request: &Request, variables: &[(String, Token)]) -> Option<Vec<String>> {
    let Some(bytes) = &request.body else { return Some(Vec::new()) };
    let text = std::str::from_utf8(bytes).ok()?;
    // What a terminal does not show as it is cannot be copied from it.
    if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') || text.len() > LONGEST {
        return None;
    }
    Some(match form_pairs(text) {
        Some(pairs) => pairs
            .iter()
            .map(|(name, value)| format!("--data-urlencode {}", word(&format!("{name}={value}"), variables)))
            .collect(),
        None => vec![format!("--data-raw {}", word(text, variables))],
    })
}

/// The pairs of a form, if writing them again gives the same text.
fn form_pairs(text: &str) -> Option<Vec<(String, String)>> {
    if !text.contains('=') || text.starts_with(['{', '<', '[', '"']) {
        return None;
    }
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let encode = |part: &str| url::form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
    let again: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let same = again.join("&").eq_ignore_ascii_case(&text.replace("%20", "+"));
    (same && pairs.iter().all(|(name, _)| plain(name))).then_some(pairs)
}

/// A shell word: what is literal in single quotes, secrets as variables in double quotes.
fn word(text: &str, variables: &[(String, Token)]) -> String {
    let first = variables
        .iter()
        .enumerate()
        .filter_map(|(rank, (name, value))| Some((text.find(value.expose())?, rank, name, value)))
        .min_by_key(|(at, rank, ..)| (*rank, *at));
    match first {
        None => quote(text),
        Some((at, _, name, value)) => {
            let before = &text[..at];
            let after = &text[at + value.len()..];
            let before = if before.is_empty() { String::new() } else { word(before, variables) };
            let after = if after.is_empty() { String::new() } else { word(after, variables) };
            format!("{before}\"${name}\"{after}")
        }
    }
}

/// `text` in single quotes, for any POSIX shell.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn printed(line: &str, variables: &[(&str, &str)]) -> String {
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("printf %s {line}"))
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in [
            "plain",
            "it's",
            "$HOME `id` $(id) \\ \"x\" !! * ?",
            "<a b='1'>&amp;</a>\nsecond line",
            "'; echo pwned; '",
            "é‹x›",
        ] {
            assert_eq!(printed(&quote(text), &[]), text);
        }
    }

    #[test]
    fn secrets_are_variables_and_come_back_in_their_place() {
        let secret = "s3cr3t'\"$x";
        let variables = vec![
            ("REFRESH".to_owned(), Token::new("refresh-token-1")),
            ("AUTH".to_owned(), Token::new(secret)),
        ];
        let text = format!("{{\"a\":\"{secret}\",\"r\":\"refresh-token-1é\"}}");
        let line = word(&text, &variables);
        assert!(!line.contains("refresh-token-1"), "{line}");
        assert!(!line.contains(secret), "{line}");
        assert_eq!(printed(&line, &[("REFRESH", "refresh-token-1"), ("AUTH", secret)]), text);
    }

    #[test]
    fn any_bytes_come_out_of_printf_as_they_went_in() {
        let variables = vec![("REFRESH".to_owned(), Token::new("refresh-token-1"))];
        let bytes = b"POST /a%00 HTTP/1.1\r\nX: it's \\ 100%\r\n\r\n\x1b\x80refresh-token-1\xff";
        let (format, names) = super::printed(bytes, &variables);
        assert!(!format.contains("refresh-token-1"));
        assert_eq!(names, ["REFRESH"]);
        let line = format!("printf '{format}' \"$REFRESH\"");
        let output =
            Command::new("sh").arg("-c").arg(line).env("REFRESH", "refresh-token-1").output().unwrap();
        assert_eq!(output.stdout, bytes);
    }

    #[test]
    fn a_form_is_split_only_where_writing_it_again_gives_the_same() {
        assert_eq!(
            form_pairs("a=1&b=%2B+x"),
            Some(vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "+ x".to_owned())])
        );
        assert_eq!(form_pairs("a=1&&b"), None);
        assert_eq!(form_pairs("{\"a\":\"=\"}"), None);
    }
}
