//! Claims on a connection itself: refused, closed, in the clear, by which certificate.

use crate::client::look::{Look, Seen, Way};
use crate::suite::claim::OutcomeWord;

use super::{Judgement, either};

/// Statuses by which a server says that it does not serve this in the clear: elsewhere, not like this, not here.
const ELSEWHERE: [u16; 8] = [400, 403, 404, 410, 421, 426, 497, 503];

/// One of the words must fit the connection: `closed`, or `refused` where HTTP answers and serves nothing.
pub(super) fn outcome(words: &[OutcomeWord], look: &Look) -> Judgement {
    if let Seen::Untried(why) = &look.seen {
        return Judgement::Untold(why.clone());
    }
    let fits = words.iter().any(|word| match word {
        OutcomeWord::Closed => matches!(look.seen, Seen::Refused(_)),
        OutcomeWord::Refused => look.seen == Seen::Answered && is_elsewhere(look),
        OutcomeWord::Granted => look.seen == Seen::Answered && !is_elsewhere(look),
        OutcomeWord::Clean | OutcomeWord::Crash | OutcomeWord::Promised => false,
    });
    if fits {
        return Judgement::Holds;
    }
    let names: Vec<String> = words.iter().map(|word| word.word().to_owned()).collect();
    Judgement::fails(either(&names), found(look))
}

fn is_elsewhere(look: &Look) -> bool {
    look.exchange
        .result
        .as_ref()
        .is_ok_and(|answer| answer.status / 100 == 3 || ELSEWHERE.contains(&answer.status))
}

fn found(look: &Look) -> String {
    match (&look.seen, &look.exchange.result) {
        (Seen::Agreed(version), _) => format!("{version} agreed to"),
        (Seen::Answered, Ok(answer)) => match look.way {
            Way::Clear => format!("answered {} in the clear", answer.status),
            Way::Usual | Way::Offering(_) => format!("answered {}", answer.status),
        },
        (Seen::Refused(how) | Seen::Untried(how), _) => how.clone(),
        (Seen::Answered, Err(failure)) => failure.word().to_owned(),
    }
}

/// The chain verifies for the host.
pub(super) fn certificate(look: &Look) -> Judgement {
    let expected = "a certificate that is valid for the host";
    match (look.certificate, &look.seen) {
        (Some(true), _) => Judgement::Holds,
        (Some(false), _) => Judgement::fails(expected, "one that does not verify"),
        (None, Seen::Untried(why)) => Judgement::Untold(why.clone()),
        (None, Seen::Answered | Seen::Refused(_) | Seen::Agreed(_)) => {
            Judgement::fails(expected, "no TLS: everything travels in the clear")
        }
    }
}
