//! One case: the good call of a format with a few changes, made from a seed and a number and from nothing else.

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::client::Request;
use crate::client::compose::{self, Slots};
use crate::conformance::change::escape;
use crate::dialect::{Codec, Speech};
use crate::secret::{FingerprintKey, Token};
use crate::suite::call::Slot;
use crate::suite::check::FuzzStage;

use super::atoms::{self, Atom, Damage, Spot};
use super::frame::{Frame, Misframing};
use super::growth::{Growth, Spelling};
use super::words;

/// A mutated call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Case {
    /// Its number.
    pub number: u64,
    /// The format of the good call.
    pub format: String,
    /// What is changed, in the order of the stages.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// The value of a slot.
    Slot(Slot, Odd),
    /// The tree of the document.
    Document(Growth),
    /// The bytes of the document.
    Body(Damage),
    /// These bytes in the place of the document, damage included: what shrinking makes of it.
    Whole(Vec<Atom>),
    /// Request line, headers, framing.
    Wire(Frame),
}

/// Another value of a slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Odd {
    /// This text.
    Text(String),
    /// This text put in.
    Insert(Spot, String),
    /// One character changed.
    Flip(Spot),
    /// Cut off.
    Cut(Spot),
    /// Written so many times.
    Times(u32),
    /// That much filler.
    Filler(u32),
}

/// What cases are made of.
#[derive(Clone, Debug)]
pub(super) struct Stuff<'a> {
    /// Seeds the cases.
    pub seed: u64,
    /// The formats in turn.
    pub formats: &'a [String],
    /// The stages that are changed.
    pub stages: &'a [FuzzStage],
    /// How the operation is spoken.
    pub speech: &'a Speech,
}

/// A case as a request.
pub(super) struct Made {
    /// What is sent.
    pub request: Request,
    /// The slots as they are sent.
    pub sent: Slots,
    /// The body as atoms; slots with another value are bytes.
    pub atoms: Vec<Atom>,
}

impl Case {
    /// The case of that number: the same for the same seed, whatever the chain.
    pub fn of(stuff: &Stuff<'_>, number: u64) -> Case {
        let seed = FingerprintKey::new(stuff.seed, number).of("fuzz").0;
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let format = dice.one(stuff.formats);
        let codec = codec(stuff.speech, &format);
        let carried: Vec<Slot> = Slot::ALL.into_iter().filter(|slot| stuff.speech.carries(*slot)).collect();
        let count = [1, 1, 1, 2, 2, 3, 4][dice.below(7) as usize];
        let mut changes: Vec<Change> = (0..count)
            .map(|_| match dice.one(stuff.stages) {
                FuzzStage::Slots => Change::Slot(dice.one(&carried), dice.odd()),
                FuzzStage::Document => Change::Document(dice.growth(codec)),
                FuzzStage::Body => Change::Body(dice.damage(codec)),
                FuzzStage::Wire => Change::Wire(dice.frame()),
            })
            .collect();
        changes.sort_by_key(Change::stage);
        Case { number, format, changes }
    }

    /// The request of the case for a chain with these good slots.
    pub fn compose(&self, speech: &Speech, good: &Slots) -> Result<Made, String> {
        let codec = codec(speech, &self.format);
        let mut sent = good.clone();
        for change in &self.changes {
            if let Change::Slot(slot, odd) = change
                && let Some(value) = sent.get(slot)
            {
                let value = odd.of(value.expose());
                sent.insert(*slot, Token::new(value));
            }
        }
        let draft = compose::good(speech, Some(&self.format), None, &sent).map_err(|no| no.to_string())?;
        let atoms = self.atoms(speech, good, &sent, codec)?;
        let written = |slot: Slot| {
            sent.get(&slot).map(|value| escape(value.expose(), codec).into_bytes()).unwrap_or_default()
        };
        let body = draft.document.is_some().then(|| atoms::fill(&atoms, written));
        let mut request = draft.request(body);
        for change in &self.changes {
            if let Change::Wire(frame) = change {
                frame.to(&mut request);
            }
        }
        Ok(Made { request, sent, atoms })
    }

    /// The body: the document with marks for slots, grown, written, split, damaged.
    fn atoms(&self, speech: &Speech, good: &Slots, sent: &Slots, codec: Codec) -> Result<Vec<Atom>, String> {
        let marks: Slots = good.keys().map(|slot| (*slot, Token::new(atoms::mark(*slot)))).collect();
        let draft = compose::good(speech, Some(&self.format), None, &marks).map_err(|no| no.to_string())?;
        let Some(mut document) = draft.document else { return Ok(Vec::new()) };
        for change in &self.changes {
            if let Change::Document(growth) = change {
                growth.to(&mut document);
            }
        }
        let bytes = crate::client::codec::write(&document);
        let mut row = atoms::split(&bytes, good.keys().copied());
        for change in &self.changes {
            match change {
                Change::Body(damage) => damage.to(&mut row),
                Change::Whole(atoms) => row.clone_from(atoms),
                Change::Slot(..) | Change::Document(_) | Change::Wire(_) => {}
            }
        }
        Ok(spell_out(&row, good, sent, codec))
    }

    /// The case with this body in the place of everything that made it.
    pub fn with_body(&self, atoms: Vec<Atom>) -> Case {
        let mut changes: Vec<Change> = self
            .changes
            .iter()
            .filter(|change| !matches!(change, Change::Document(_) | Change::Body(_) | Change::Whole(_)))
            .cloned()
            .collect();
        changes.push(Change::Whole(atoms));
        changes.sort_by_key(Change::stage);
        Case { changes, ..self.clone() }
    }

    /// Whether nothing is changed but credentials other than the refresh token: a server may take that for
    /// theft, and end the chain by right.
    pub fn may_look_like_theft(&self) -> bool {
        self.changes.iter().all(|change| matches!(change, Change::Slot(slot, _) if *slot != Slot::Refresh))
    }
}

/// Slots whose value was changed as the bytes of that value.
fn spell_out(row: &[Atom], good: &Slots, sent: &Slots, codec: Codec) -> Vec<Atom> {
    let is_changed = |slot: &Slot| good.get(slot) != sent.get(slot);
    let mut spelt = Vec::with_capacity(row.len());
    for atom in row {
        match atom {
            Atom::Slot(slot) if is_changed(slot) => {
                let value = sent.get(slot).map(|value| escape(value.expose(), codec)).unwrap_or_default();
                spelt.extend(value.bytes().map(Atom::Byte));
            }
            Atom::Slot(_) | Atom::Byte(_) => spelt.push(*atom),
        }
    }
    spelt
}

fn codec(speech: &Speech, format: &str) -> Codec {
    speech.format(format).map_or(Codec::Form, |(_, accepts, _)| accepts.codec)
}

impl Change {
    /// The stage of the call that it changes.
    fn stage(&self) -> u8 {
        match self {
            Change::Slot(..) => 0,
            Change::Document(_) => 1,
            Change::Body(_) => 2,
            Change::Whole(_) => 3,
            Change::Wire(_) => 4,
        }
    }
}

impl Odd {
    fn of(&self, good: &str) -> String {
        let signs: Vec<char> = good.chars().collect();
        let at = |spot: Spot| {
            usize::try_from((u64::from(spot) * (signs.len() as u64 + 1)) >> 32)
                .expect("not beyond the length")
        };
        let join = |before: &[char], middle: &str, after: &[char]| {
            before.iter().copied().chain(middle.chars()).chain(after.iter().copied()).collect::<String>()
        };
        match self {
            Odd::Text(text) => text.clone(),
            Odd::Insert(spot, text) => join(&signs[..at(*spot)], text, &signs[at(*spot)..]),
            Odd::Flip(spot) => {
                let at = at(*spot).min(signs.len().saturating_sub(1));
                let other = if signs.get(at) == Some(&'A') { "B" } else { "A" };
                join(&signs[..at], other, signs.get(at + 1..).unwrap_or_default())
            }
            Odd::Cut(spot) => signs[..at(*spot)].iter().collect(),
            Odd::Times(times) => good.repeat(*times as usize),
            Odd::Filler(size) => "a".repeat(*size as usize),
        }
    }
}

/// The dice of one case.
struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0.random_range(0..end)
    }

    fn spot(&mut self) -> Spot {
        self.0.next_u32()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())].clone()
    }

    /// Small more often than large.
    fn size(&mut self, max: u32) -> u32 {
        let bits = self.below(32 - max.leading_zeros() + 1);
        self.below((1 << bits).min(max) + 1)
    }

    fn text(&mut self) -> String {
        self.one(words::TEXTS).to_owned()
    }

    fn odd(&mut self) -> Odd {
        match self.below(8) {
            0 | 1 => Odd::Text(self.text()),
            2 | 3 => Odd::Insert(self.spot(), self.text()),
            4 => Odd::Flip(self.spot()),
            5 => Odd::Cut(self.spot()),
            6 => Odd::Times(1 + self.size(32)),
            _ => Odd::Filler(self.size(60_000)),
        }
    }

    fn growth(&mut self, codec: Codec) -> Growth {
        match self.below(if codec == Codec::Xml { 14 } else { 12 }) {
            0 => Growth::Drop(self.spot()),
            1 => Growth::Again(self.spot(), 1 + self.size(200)),
            2 => Growth::Swap(self.spot()),
            3 => Growth::Rename(self.spot(), self.one(&Spelling::ALL)),
            4..=6 => Growth::Bare(self.spot(), self.one(words::bare(codec)).to_owned()),
            7 => Growth::Null(self.spot()),
            8 | 9 => Growth::Wrap(self.spot(), 1 + self.size(300)),
            10 => Growth::Add(self.spot(), "unknown".to_owned(), self.text()),
            11 => Growth::Pad(self.size(1_000)),
            12 => Growth::Root(self.one(&Spelling::ALL)),
            _ => Growth::Namespace(["", "urn:other"][self.below(2) as usize].to_owned()),
        }
    }

    fn damage(&mut self, codec: Codec) -> Damage {
        match self.below(12) {
            0..=2 => Damage::Insert(self.spot(), self.one(words::pieces(codec)).to_vec()),
            3 => Damage::Insert(self.spot(), self.one(words::BYTES).to_vec()),
            // The one after the other is where a reader of escapes looks at what it has not foreseen.
            4..=6 => Damage::Insert(self.spot(), vec![words::escape(codec), self.one(words::CONTROLS)]),
            7 => Damage::Delete(self.spot(), 1 + self.size(64)),
            8 => Damage::Again(self.spot(), 1 + self.size(64), 1 + self.size(40)),
            9 => {
                let byte = self.one(words::BYTES)[0];
                Damage::Replace(self.spot(), byte)
            }
            10 => Damage::Cut(self.spot()),
            _ => Damage::Move(self.spot(), self.spot(), 1 + self.size(64)),
        }
    }

    fn frame(&mut self) -> Frame {
        const METHODS: [&str; 8] = ["GET", "HEAD", "PUT", "DELETE", "PATCH", "post", "POSTX", "OPTIONS"];
        const VERSIONS: [&str; 5] = ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 "];
        const BEHIND: [&str; 9] = ["/", "//", "?", "?a=b&&c", "/x", ";a=b", "%2F", "%00", "?a=%zz"];
        // Types that no dialect lists are left out: an old host answers them with a crash of its own.
        const LABELS: [&str; 6] = [
            "",
            "application/json;",
            "application/json; charset=utf-16",
            "application/json; charset=x",
            "application/json; a=\"",
            "application/json, text/xml",
        ];
        match self.below(17) {
            0 => Frame::Method(self.one(&METHODS)),
            1 => Frame::Behind(self.one(&BEHIND).to_owned()),
            2 => Frame::Version(self.one(&VERSIONS)),
            3 | 4 => self.header(),
            5 => Frame::Headers(self.size(60)),
            6 => Frame::Again(self.below(8), ["", ", x", ";"][self.below(3) as usize]),
            7 => Frame::Without(self.below(8)),
            8 => Frame::Label(self.one(&LABELS)),
            9 => Frame::Accept(
                ["*/*", "", "text/html", "a", ";q=2"][self.below(5) as usize]
                    .repeat(1 + self.size(20) as usize),
            ),
            10 => Frame::Short(1 + self.size(40)),
            11 => Frame::Chunks(1 + self.size(600)),
            12 => Frame::Misframed(self.one(&Misframing::ALL)),
            13 => Frame::Both,
            14 => Frame::Continue,
            15 => Frame::Behinds(1 + self.below(2)),
            _ => Frame::Behind("/x".repeat(1 + self.below(4_000) as usize)),
        }
    }

    fn header(&mut self) -> Frame {
        const NAMES: [&str; 12] = [
            "X-Odd",
            "Cookie",
            "User-Agent",
            "Content-Encoding",
            "Expect",
            "Range",
            "If-Match",
            "X-Forwarded-For",
            "Accept-Charset",
            "Accept-Encoding",
            "X Y",
            "",
        ];
        const VALUES: [&[u8]; 10] = [
            b"",
            b"x",
            b"\x00",
            b"\x01",
            b"\xff\xfe",
            b"a\tb",
            b"\"",
            b"bytes=0-",
            b"gzip;q=x",
            b"a=b; a=b;; =",
        ];
        let name = self.one(&NAMES).to_owned();
        let value = self.one(&VALUES).repeat(1 + self.size(1_000) as usize);
        Frame::Header(name, value)
    }
}
