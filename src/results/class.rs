//! The classes of errors under load, as words of the run file.
//!
//! Owns their spelling, so that whoever counts them and whoever judges the counts agree. A class is one of a
//! bounded set, whatever an endpoint answers.

/// Waited longer than `max-wait` for a chain and was never sent.
pub const STARVED: &str = "starved";

/// A refresh token that was never issued was granted.
pub const UNKNOWN_GRANTED: &str = "granted: never issued";

/// Failures before anything was sent.
const UNSENT: [&str; 8] = [
    "dns",
    "connect refused",
    "connect timeout",
    "unreachable",
    "tls certificate",
    "local ports exhausted",
    "local files exhausted",
    "stopped by the guard",
];

const REFUSED: &str = "refused: ";
const CRASH: &str = "crash: ";
const GARBLED: &str = "garbled: ";
const SERVER_ERROR: &str = "http 5xx";
const UNAVAILABLE: &str = "http 503";

/// A refusal of this abstract class: `refused: invalid-token`.
pub fn refused(word: &str) -> String {
    format!("{REFUSED}{word}")
}

/// A failure of the server: `http 5xx`, `http 503` of its own, or `crash: http 2xx` where the dialect calls it one.
pub fn crash(status: u16) -> String {
    if status == 503 {
        UNAVAILABLE.to_owned()
    } else if (500..600).contains(&status) {
        SERVER_ERROR.to_owned()
    } else {
        format!("{CRASH}{}", family(status))
    }
}

/// An answer that is neither granted, refused nor a crash: `garbled: http 2xx`.
pub fn garbled(status: u16) -> String {
    format!("{GARBLED}{}", family(status))
}

fn family(status: u16) -> String {
    match status / 100 {
        hundreds @ 1..=5 => format!("http {hundreds}xx"),
        _ => "http ???".to_owned(),
    }
}

/// Whether the class is a refusal.
pub fn is_refusal(class: &str) -> bool {
    class.starts_with(REFUSED)
}

/// Whether the class is a failure of the server that was answered.
pub fn is_crash(class: &str) -> bool {
    class == SERVER_ERROR || class == UNAVAILABLE || class.starts_with(CRASH)
}

/// Whether the server said that it cannot answer now: 503.
pub fn is_unavailable(class: &str) -> bool {
    class == UNAVAILABLE
}

/// Whether the class is an answer of any kind.
pub fn is_answered(class: &str) -> bool {
    is_refusal(class) || is_crash(class) || class.starts_with(GARBLED) || class == UNKNOWN_GRANTED
}

/// Whether requests of the class may have reached the endpoint and their answers were lost.
pub fn is_lost(class: &str) -> bool {
    class != STARVED && !is_answered(class) && !UNSENT.contains(&class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_of_one_kind() {
        let kinds = |class: &str| (is_refusal(class), is_crash(class), is_answered(class), is_lost(class));
        assert_eq!(kinds(&refused("expired")), (true, false, true, false));
        assert_eq!(kinds(&crash(503)), (false, true, true, false));
        assert_eq!(kinds(&crash(200)), (false, true, true, false));
        assert_eq!(kinds(&garbled(200)), (false, false, true, false));
        assert_eq!(kinds("response timeout"), (false, false, false, true));
        assert_eq!(kinds("connect refused"), (false, false, false, false));
        assert_eq!(kinds(STARVED), (false, false, false, false));
    }

    #[test]
    fn strange_statuses_have_a_class_too() {
        assert_eq!(
            (crash(500), crash(418), garbled(0)),
            ("http 5xx".to_owned(), "crash: http 4xx".to_owned(), "garbled: http ???".to_owned())
        );
    }
}
