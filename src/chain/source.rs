//! Where chains come from: the login operation, or pairs that somebody else made (a file, a variable, a command).

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crate::client::Client;
use crate::client::compose::{self, Slots};
use crate::client::reply::{Outcome, Reply};
use crate::dialect::{Dialect, Speech};
use crate::secret::{Fingerprint, FingerprintKey, Token};
use crate::suite::call::{Operation, Slot};
use crate::suite::claim::{Field, FieldPlace};

use super::held::Held;
use super::{Called, Chain, Identity, Pair};

/// Opens chains for a run and counts them.
#[derive(Debug)]
pub struct Source {
    way: Way,
    opened: AtomicU32,
    held: Arc<Held>,
}

/// How chains are opened.
#[derive(Debug)]
enum Way {
    Login { client: Arc<Client>, dialect: Arc<Dialect> },
    Pairs(Mutex<HashMap<String, Shelf>>, &'static str),
}

/// The pairs of one identity that a file has.
#[derive(Debug, Default)]
struct Shelf {
    lines: VecDeque<Line>,
    found: u32,
    needed: u32,
}

/// One line of the file.
#[derive(Debug)]
struct Line {
    owner: Option<Arc<Identity>>,
    slots: Slots,
}

/// Why there is no chain.
#[derive(Debug)]
pub enum NoChain {
    /// The login did not grant; what came of it.
    Login(Box<Called>),
    /// There is no good login call; why, as a sentence.
    NoLogin(String),
    /// The file has no pair left for this identity: needed and found.
    Exhausted {
        /// How many were asked for so far.
        needed: u32,
        /// How many there are.
        found: u32,
        /// What has them, for the sentence: "the file of chains".
        of: &'static str,
    },
}

impl std::fmt::Display for NoChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoChain::Login(called) => match (&called.exchange.result, &called.reply) {
                (Err(failure), _) => {
                    write!(f, "the login failed: {}", called.why.as_deref().unwrap_or(failure.word()))
                }
                (Ok(answer), Some(reply)) if reply.outcome == Outcome::Granted => {
                    write!(f, "the login was answered {} without a usable pair of tokens", answer.status)
                }
                (Ok(answer), _) => write!(f, "the login was answered {} and not granted", answer.status),
            },
            NoChain::NoLogin(why) => f.write_str(why),
            NoChain::Exhausted { needed, found, of } => {
                write!(f, "{of} has {found} for this identity, and {needed} are needed")
            }
        }
    }
}

impl std::error::Error for NoChain {}

impl Source {
    /// Chains by login.
    pub fn login(client: Arc<Client>, dialect: Arc<Dialect>) -> Source {
        Source { way: Way::Login { client, dialect }, opened: AtomicU32::new(0), held: Arc::default() }
    }

    /// Chains from the text of a JSONL file: one object a line, keys are slots, values text; `identity` names
    /// the owner where the environment has several. The first bad line, in words, with its number.
    pub fn file(text: &str, identities: &[Arc<Identity>]) -> Result<Source, String> {
        Source::pairs(text, identities, "the file of chains")
    }

    /// The same from anywhere; `of` says from where, in the sentence that they are used up.
    pub fn pairs(text: &str, identities: &[Arc<Identity>], of: &'static str) -> Result<Source, String> {
        let mut shelves: HashMap<String, Shelf> = HashMap::new();
        let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
        let key = FingerprintKey::new(0, 0);
        let held = Held::default();
        for (index, written) in text.lines().enumerate() {
            let number = index + 1;
            if written.trim().is_empty() {
                continue;
            }
            let line = read_line(written, identities).map_err(|why| format!("line {number}: {why}"))?;
            if let Some(refresh) = line.slots.get(&Slot::Refresh)
                && let Some(first) = seen.insert(key.of(refresh.expose()), number)
            {
                return Err(format!("line {number}: the refresh token of line {first} again"));
            }
            // A token that no chain takes is no less a secret.
            [Slot::Access, Slot::Refresh]
                .iter()
                .filter_map(|slot| line.slots.get(slot))
                .for_each(|token| held.note(token));
            let owner = line.owner.as_ref().map(|owner| owner.name.clone()).unwrap_or_default();
            let shelf = shelves.entry(owner).or_default();
            shelf.lines.push_back(line);
            shelf.found += 1;
        }
        let way = Way::Pairs(Mutex::new(shelves), of);
        Ok(Source { way, opened: AtomicU32::new(0), held: Arc::new(held) })
    }

    /// How many chains there are; nobody knows where each is a login.
    pub fn found(&self) -> Option<u64> {
        match &self.way {
            Way::Login { .. } => None,
            Way::Pairs(shelves, _) => {
                let shelves = shelves.lock().expect("nothing panics while it is held");
                Some(shelves.values().map(|shelf| u64::from(shelf.found)).sum())
            }
        }
    }

    /// A fresh chain of `identity`.
    pub async fn open(&self, identity: &Arc<Identity>) -> Result<Chain, NoChain> {
        let (identity, pair) = match &self.way {
            Way::Login { client, dialect } => {
                let pair = log_in(client, dialect, identity, &self.held).await?;
                (with_granted_scope(dialect, identity, &pair), pair)
            }
            Way::Pairs(shelves, of) => take(shelves, identity, of)?,
        };
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        for token in [&pair.access, &pair.refresh].into_iter().flatten() {
            self.held.note(token);
        }
        let held = Arc::clone(&self.held);
        Ok(Chain { number, identity, pairs: vec![pair], clean: true, in_doubt: false, held })
    }

    /// Every token of the run: what may stand in no report.
    pub fn held(&self) -> &Arc<Held> {
        &self.held
    }

    /// Chains opened so far.
    pub fn opened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }
}

/// The identity with the scope that it was granted, which may be less than it asked for: no later call may ask for
/// more (RFC 6749 section 6).
fn with_granted_scope(dialect: &Dialect, identity: &Arc<Identity>, pair: &Pair) -> Arc<Identity> {
    let scope =
        |reply: &Arc<Reply>| reply.at(dialect, Operation::Login, &FieldPlace::Field(Field::Scope)).text();
    let granted = pair.reply.as_ref().and_then(scope).filter(|scope| !scope.is_empty());
    match granted {
        Some(granted)
            if dialect.slots.contains(&Slot::Scope)
                && identity.slots.get(&Slot::Scope).is_some_and(|asked| asked.expose() != granted) =>
        {
            let mut slots = identity.slots.clone();
            slots.insert(Slot::Scope, Token::new(granted));
            Arc::new(Identity { name: identity.name.clone(), slots })
        }
        Some(_) | None => Arc::clone(identity),
    }
}

/// The first pair of a login, if it grants one that can be refreshed.
async fn log_in(
    client: &Client,
    dialect: &Dialect,
    identity: &Identity,
    held: &Held,
) -> Result<Pair, NoChain> {
    let speech = dialect
        .operation(Operation::Login)
        .ok_or_else(|| NoChain::NoLogin(format!("the dialect `{}` has no login operation", dialect.name)))?;
    let attempt = async || {
        let request = login_request(client, dialect, speech, &identity.slots)?;
        Ok(super::call(client, dialect, Operation::Login, request).await)
    };
    let mut called = attempt().await?;
    if wants_nonce(dialect, &called) {
        // The answer told the nonce that the proof was lacking. A login spends nothing, so it is made again.
        called = attempt().await?;
    }
    held.hear(dialect, Operation::Login, &called);
    let pair = match &called.reply {
        Some(reply) if reply.outcome == Outcome::Granted => {
            super::granted_pair(dialect, Operation::Login, reply, None)
        }
        Some(_) | None => return Err(NoChain::Login(Box::new(called))),
    };
    let usable = |slot: Slot, token: &Option<Token>| token.is_some() || !dialect.slots.contains(&slot);
    if usable(Slot::Access, &pair.access) && usable(Slot::Refresh, &pair.refresh) {
        Ok(pair)
    } else {
        Err(NoChain::Login(Box::new(called)))
    }
}

/// Whether the endpoint asks for its nonce in the proof (RFC 9449 section 8).
fn wants_nonce(dialect: &Dialect, called: &Called) -> bool {
    let code = |reply: &Arc<Reply>| {
        let found = reply.at(dialect, Operation::Login, &FieldPlace::Field(Field::Code));
        found.text().is_some_and(|code| code == "use_dpop_nonce")
    };
    !dialect.computed.is_empty() && called.reply.as_ref().is_some_and(code)
}

/// The good login call.
fn login_request(
    client: &Client,
    dialect: &Dialect,
    speech: &Speech,
    slots: &Slots,
) -> Result<crate::client::Request, NoChain> {
    let mut slots = slots.clone();
    client.complete(dialect, speech, &mut slots);
    let draft = compose::good(speech, None, None, &slots).map_err(|why| NoChain::NoLogin(why.to_string()))?;
    let body = draft.body();
    Ok(draft.request(body))
}

/// The next pair of a file for `identity`.
fn take(
    shelves: &Mutex<HashMap<String, Shelf>>,
    identity: &Arc<Identity>,
    of: &'static str,
) -> Result<(Arc<Identity>, Pair), NoChain> {
    let mut shelves = shelves.lock().expect("nothing panics while it is held");
    // Lines without an owner, which only a file without identities has, serve everybody.
    let key = if shelves.contains_key(&identity.name) { identity.name.as_str() } else { "" };
    let shelf = shelves.entry(key.to_owned()).or_default();
    shelf.needed += 1;
    let Some(line) = shelf.lines.pop_front() else {
        return Err(NoChain::Exhausted { needed: shelf.needed, found: shelf.found, of });
    };
    Ok(owned(line, identity))
}

/// A line as a pair; slots beside the pair are the line's own and win over the identity's.
fn owned(line: Line, identity: &Arc<Identity>) -> (Arc<Identity>, Pair) {
    let mut slots = line.slots;
    let (access, refresh) = (slots.remove(&Slot::Access), slots.remove(&Slot::Refresh));
    let pair = Pair { access, refresh, reply: None };
    if slots.is_empty() {
        return (Arc::clone(identity), pair);
    }
    let mut merged = identity.slots.clone();
    merged.extend(slots);
    (Arc::new(Identity { name: identity.name.clone(), slots: merged }), pair)
}

/// Reads one line. The words of a mistake never hold a value: it may be a secret.
fn read_line(written: &str, identities: &[Arc<Identity>]) -> Result<Line, String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(written).map_err(|mistake| match mistake.classify() {
            serde_json::error::Category::Data => "expected one JSON object".to_owned(),
            _ => format!("not JSON, at column {}", mistake.column()),
        })?;
    let mut slots = Slots::new();
    let mut named = None;
    for (key, value) in &object {
        let text = value.as_str().ok_or_else(|| format!("`{key}`: expected text"))?;
        if key == "identity" {
            named = Some(text);
        } else {
            let slot = Slot::from_word(key).ok_or_else(|| format!("`{key}` is no slot"))?;
            slots.insert(slot, Token::new(text));
        }
    }
    if slots.get(&Slot::Refresh).is_none_or(Token::is_empty) {
        return Err("no `refresh`".to_owned());
    }
    Ok(Line { owner: owner(named, identities)?, slots })
}

/// Whose line it is.
fn owner(named: Option<&str>, identities: &[Arc<Identity>]) -> Result<Option<Arc<Identity>>, String> {
    let known = || identities.iter().map(|one| format!("`{}`", one.name)).collect::<Vec<_>>().join(", ");
    match (named, identities) {
        (Some(name), _) => identities
            .iter()
            .find(|one| one.name == name)
            .map(|one| Some(Arc::clone(one)))
            .ok_or_else(|| format!("`identity`: the environment has {}", known())),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(Arc::clone(only))),
        (None, _) => Err(format!("no `identity`, and the environment has {}", known())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Arc<Identity> {
        let slots = Slots::from([(Slot::Tenant, Token::new("07")), (Slot::Secret, Token::new("s3cret"))]);
        Arc::new(Identity { name: name.to_owned(), slots })
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[track_caller]
    fn refused(text: &str, identities: &[Arc<Identity>], expected: &str) {
        assert_eq!(Source::file(text, identities).unwrap_err(), expected);
    }

    #[test]
    fn a_file_gives_each_pair_once_and_then_says_what_is_missing() {
        let kerala = identity("kerala");
        let text = "{\"refresh\":\"r1\",\"access\":\"a1\"}\n\n{\"refresh\":\"r2\",\"tenant\":\"30\"}\n";
        let source = Source::file(text, &[Arc::clone(&kerala)]).unwrap();
        let open = || runtime().block_on(source.open(&kerala));
        let (first, second) = (open().unwrap(), open().unwrap());
        assert_eq!(first.slots(0)[&Slot::Refresh].expose(), "r1");
        assert_eq!(first.slots(0)[&Slot::Tenant].expose(), "07");
        assert_eq!(second.slots(0)[&Slot::Tenant].expose(), "30");
        assert!(!second.slots(0).contains_key(&Slot::Access));
        assert_eq!((first.number, second.number, source.opened()), (0, 1, 2));
        let gone = open().unwrap_err();
        assert_eq!(gone.to_string(), "the file of chains has 2 for this identity, and 3 are needed");
    }

    #[test]
    fn bad_lines_are_named_by_number_and_never_quoted() {
        let (kerala, goa) = (identity("kerala"), identity("goa"));
        let one = [Arc::clone(&kerala)];
        let two = [kerala, goa];
        refused("{\"refresh\":\"r\"}\n{oops", &one, "line 2: not JSON, at column 2");
        refused("[1]", &one, "line 1: expected one JSON object");
        refused("{\"refesh\":\"r\"}", &one, "line 1: `refesh` is no slot");
        refused("{\"refresh\":7}", &one, "line 1: `refresh`: expected text");
        refused("{\"access\":\"a\"}", &one, "line 1: no `refresh`");
        refused("{\"refresh\":\"\"}", &one, "line 1: no `refresh`");
        refused(
            "{\"refresh\":\"r\"}\n{\"refresh\":\"r\"}",
            &one,
            "line 2: the refresh token of line 1 again",
        );
        refused(
            "{\"refresh\":\"r\"}",
            &two,
            "line 1: no `identity`, and the environment has `kerala`, `goa`",
        );
        refused(
            "{\"refresh\":\"r\",\"identity\":\"x\"}",
            &two,
            "line 1: `identity`: the environment has `kerala`, `goa`",
        );
    }
}
