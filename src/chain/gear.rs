//! What the walks of one worker share: requests to fill in, the skim, and the spaces they write from and read into.
//!
//! Nothing in it belongs to a walk, so that many walks need little memory, and a request under load allocates nothing.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::client::compose::template::{Pair, Template};
use crate::client::compose::{self, ComposeError, Slots};
use crate::client::reply::skim::Skim;
use crate::client::reply::{Reply, jwt};
use crate::client::{Answer, Client};
use crate::dialect::{Codec, Dialect};
use crate::secret::Token;
use crate::suite::call::Operation;
use crate::suite::claim::{Field, FieldPlace, Link};

use super::held::{Held, Notes};
use super::{Identity, keeps_absent_refresh, slots_of};

/// Where answers are read; one that does not fit in here is read in pieces.
const SPACE: usize = 16 * 1024;

/// Answers whose memory is kept for the next one that is not plain.
const SPARE_ANSWERS: usize = 64;

/// What the walks of one worker share.
pub struct Gear {
    pub(super) client: Arc<Client>,
    pub(super) dialect: Arc<Dialect>,
    /// The formats of the load by number.
    formats: Vec<String>,
    owners: Vec<Owner>,
    pub(super) eye: Eye,
    pub(super) outgoing: Zeroizing<Vec<u8>>,
    pub(super) space: Zeroizing<Vec<u8>>,
    answers: Vec<Answer>,
}

/// What answers are read with.
pub(super) struct Eye {
    /// Nothing where grants of this dialect must be read in full.
    pub(super) skim: Option<Skim>,
    /// An answer without a refresh token leaves the old one.
    pub(super) keeps_refresh: bool,
    pub(super) claims: jwt::Reader,
    pub(super) notes: Notes,
}

/// The requests of one identity, made once.
struct Owner {
    identity: Arc<Identity>,
    /// By format, the dialect's first before all others. `None` inside: it cannot be filled in.
    templates: Vec<Option<Option<Template>>>,
}

impl std::fmt::Debug for Gear {
    /// Never what is written or read with it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gear({} owners)", self.owners.len())
    }
}

impl Gear {
    /// For walks in these formats; `held` is where their tokens are noted.
    pub fn new(client: Arc<Client>, dialect: Arc<Dialect>, formats: Vec<String>, held: Arc<Held>) -> Gear {
        let skim = if ties_are_claims(&dialect) { Skim::of(&dialect) } else { None };
        Gear {
            client,
            eye: Eye {
                skim,
                keeps_refresh: keeps_absent_refresh(&dialect, Operation::Refresh),
                claims: jwt::Reader::default(),
                notes: Notes::new(held),
            },
            dialect,
            formats,
            owners: Vec::new(),
            outgoing: Zeroizing::default(),
            space: Zeroizing::new(vec![0; SPACE]),
            answers: Vec::new(),
        }
    }

    /// Hands in what was noted since the last time.
    pub fn hand_in(&mut self) {
        self.eye.notes.hand_in();
    }

    /// The number of an owner here.
    pub(super) fn owner(&mut self, identity: &Arc<Identity>) -> usize {
        // A scope that was granted makes an identity of its own for each chain, and mostly the same one.
        let is_same = |own: &Arc<Identity>| Arc::ptr_eq(own, identity) || own.slots == identity.slots;
        let known = self.owners.iter().position(|owner| is_same(&owner.identity));
        known.unwrap_or_else(|| {
            let templates = self.formats.iter().map(|_| None).chain([None]).collect();
            self.owners.push(Owner { identity: Arc::clone(identity), templates });
            self.owners.len() - 1
        })
    }

    /// Makes the bytes of the good call with these tokens ready to be sent.
    pub(super) fn prepare(
        &mut self,
        owner: usize,
        format: Option<usize>,
        access: Option<&Token>,
        refresh: Option<&Token>,
    ) -> Result<(), ComposeError> {
        self.outgoing.clear();
        let Gear { client, dialect, formats, owners, outgoing, .. } = self;
        let Owner { identity, templates } = &mut owners[owner];
        let word = format.map(|format| formats[format].as_str());
        let pair = Pair { access: access.map(Token::expose), refresh: refresh.map(Token::expose) };
        let template = templates[format.map_or(0, |format| format + 1)]
            .get_or_insert_with(|| template(client, dialect, identity, word, pair));
        if template.as_ref().is_some_and(|template| template.fill(pair, outgoing)) {
            return Ok(());
        }
        let mut slots = slots_of(identity, access, refresh);
        client.complete(dialect, dialect.refresh(), &mut slots);
        write_good(client, dialect, word, &slots, outgoing).map(drop)
    }

    /// Remembers what a grant looked like that was read in full.
    pub(super) fn learn(&mut self, reply: &Reply) {
        if let Some(skim) = &mut self.eye.skim {
            skim.learn(reply);
        }
    }

    /// An answer to read into.
    pub(super) fn answer(&mut self) -> Answer {
        self.answers.pop().unwrap_or_else(Answer::empty)
    }

    /// An answer that is not needed any more.
    pub(super) fn put_back(&mut self, answer: Answer) {
        if self.answers.len() < SPARE_ANSWERS {
            self.answers.push(answer);
        }
    }
}

/// Whether all that ties a chain together stands in its access token, so that the token is all that has to be read.
fn ties_are_claims(dialect: &Dialect) -> bool {
    let mut ties = dialect.links.iter().filter(|(link, _)| **link != Link::Pair);
    ties.all(|(_, place)| matches!(place, FieldPlace::Claim(Field::Access, _)))
}

/// The good call of an identity, to be filled in. What is computed for each call cannot be.
fn template(
    client: &Client,
    dialect: &Dialect,
    identity: &Identity,
    format: Option<&str>,
    like: Pair<'_>,
) -> Option<Template> {
    if !dialect.computed.is_empty() || dialect.refresh().varies() {
        return None;
    }
    let slots = |pair: Pair<'_>| {
        let (access, refresh) = (pair.access.map(Token::new), pair.refresh.map(Token::new));
        slots_of(identity, access.as_ref(), refresh.as_ref())
    };
    let codec = codec_of(dialect, format, &slots(like)).ok()?;
    Template::of(codec, like, |pair| {
        let mut bytes = Vec::new();
        let body = write_good(client, dialect, format, &slots(pair), &mut bytes)?;
        Ok::<_, ComposeError>((bytes, body))
    })
}

fn codec_of(dialect: &Dialect, format: Option<&str>, slots: &Slots) -> Result<Option<Codec>, ComposeError> {
    let draft = compose::good(dialect.refresh(), format, None, slots)?;
    Ok(draft.document.map(|document| document.codec))
}

/// Appends the good call; how many bytes of it are its body.
pub(super) fn write_good(
    client: &Client,
    dialect: &Dialect,
    format: Option<&str>,
    slots: &Slots,
    out: &mut Vec<u8>,
) -> Result<usize, ComposeError> {
    let draft = compose::good(dialect.refresh(), format, None, slots)?;
    let request = draft.request(draft.body());
    client.write_request(&request, out);
    Ok(request.body.map_or(0, |body| body.len()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Target;
    use crate::client::guard::Guard;
    use crate::dialect::builtin;
    use crate::suite::call::Slot;

    const FORMATS: [&str; 3] = ["json", "xml", "form"];

    fn gear() -> Gear {
        let target = Target {
            url: "http://127.0.0.1:1/base".parse().unwrap(),
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            body_max: 1 << 20,
        };
        let client = Arc::new(Client::new(target, Guard::exempt()).unwrap());
        let formats = FORMATS.map(str::to_owned).to_vec();
        Gear::new(client, Arc::new(builtin("pfms").unwrap()), formats, Arc::default())
    }

    fn identity(tenant: &str) -> Arc<Identity> {
        let slots = [(Slot::Tenant, tenant), (Slot::Secret, "s<&\"%/+")];
        let slots = slots.into_iter().map(|(slot, text)| (slot, Token::new(text))).collect();
        Arc::new(Identity { name: "own".to_owned(), slots })
    }

    #[test]
    fn what_is_filled_in_is_what_would_be_composed() {
        let mut gear = gear();
        for tenant in ["07", "30", "07"] {
            let identity = identity(tenant);
            let owner = gear.owner(&identity);
            for (access, refresh) in
                [(Some("a.b.c"), "r"), (Some("x"), "é<&\"\\ %+/=\u{1}"), (None, "r"), (Some(""), "")]
            {
                let (access, refresh) = (access.map(Token::new), Token::new(refresh));
                for format in [None, Some(0), Some(1), Some(2)] {
                    gear.prepare(owner, format, access.as_ref(), Some(&refresh)).unwrap();
                    let slots = slots_of(&identity, access.as_ref(), Some(&refresh));
                    let mut composed = Vec::new();
                    let word = format.map(|format| FORMATS[format]);
                    write_good(&gear.client, &gear.dialect, word, &slots, &mut composed).unwrap();
                    assert!(*gear.outgoing == composed, "{tenant} {format:?}");
                }
            }
        }
        assert_eq!(gear.owners.len(), 2, "who has the same slots sends the same requests");
        let is_made = |owner: &Owner| owner.templates.iter().all(|made| matches!(made, Some(Some(_))));
        assert!(gear.owners.iter().all(is_made));
    }
}
