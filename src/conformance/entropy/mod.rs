//! How hard tokens are to guess: several estimates, of which the lowest counts, each with its reason.
//!
//! Pure. No estimate can prove that tokens are random; each can prove that they are not. What is structure and
//! what is weakness are kept apart: a constant prefix is no defect, it is only worth nothing. A signed JWT is as
//! hard to guess as its signature. Start at [`estimate`].

mod alphabet;
mod bits;
mod generators;
mod rising;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::results::TokenEntropy;

use self::alphabet::Written;

/// Fewer tokens than this are judged by their length and alphabet alone.
pub(super) const TOKENS_MIN: usize = 200;

/// A bound on the bits of a token that cannot be guessed.
#[derive(Clone, Debug, PartialEq)]
struct Bound {
    /// What it is, for a row of figures: `length and alphabet`.
    name: &'static str,
    bits: f64,
    /// Why it is what it is, as a fragment.
    why: String,
}

/// How hard `tokens` are to guess, in the order in which they were issued; `now` in seconds since 1970.
pub(super) fn estimate(tokens: &[&str], now: i64) -> TokenEntropy {
    let mut issued = tokens.to_vec();
    // The same token again is no new one: the endpoint did not rotate there.
    issued.dedup();
    let mut distinct = issued.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut found = TokenEntropy {
        tokens: tokens.len() as u64,
        distinct: distinct.len() as u64,
        ..TokenEntropy::default()
    };
    if let Some(signed) = Signed::of(&issued) {
        signed.describe(&issued, &mut found);
    } else {
        opaque(&issued, now, &mut found);
    }
    let again = issued.len() - distinct.len();
    if again > 0 {
        let pairs = (issued.len() as f64).powi(2) / 2.0;
        add(
            &mut found,
            Bound {
                name: "repetitions",
                bits: (pairs / again as f64).log2(),
                why: format!("{again} of {} were issued before", issued.len()),
            },
        );
    }
    found
}

/// Adds a bound; the lowest is the estimate.
fn add(found: &mut TokenEntropy, bound: Bound) {
    if found.bounds.is_empty() || bound.bits < found.bits - 0.005 {
        found.bits = bound.bits;
        found.why = bound.why;
    }
    found.bounds.push((bound.name.to_owned(), rounded(bound.bits)));
}

/// To a hundredth: what is beyond is noise, and run files should compare.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

// --------------------------------------------------------------------------------------------------- signed

/// Tokens that are signed JWTs.
struct Signed {
    algorithm: String,
    /// Bytes of the shortest signature.
    signature: usize,
}

impl Signed {
    fn of(tokens: &[&str]) -> Option<Signed> {
        let mut algorithm = None;
        let mut signature = usize::MAX;
        for token in tokens {
            let parts: Vec<&str> = token.split('.').collect();
            let [head, _, signed] = parts[..] else { return None };
            let head: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
            algorithm = Some(head.get("alg")?.as_str()?.to_owned());
            signature = signature.min(URL_SAFE_NO_PAD.decode(signed).ok()?.len());
        }
        Some(Signed { algorithm: algorithm?, signature })
    }

    fn describe(&self, tokens: &[&str], found: &mut TokenEntropy) {
        let Signed { algorithm, signature } = self;
        let shown: String = algorithm.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        found.form = format!("JWT ({shown})");
        let lengths = || tokens.iter().map(|token| small(token.len()));
        found.length = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
        "base64url".clone_into(&mut found.alphabet);
        found.alphabet_size = 64;
        let signatures: Vec<&str> = tokens.iter().filter_map(|token| token.rsplit('.').next()).collect();
        let written = alphabet::read(&signatures);
        picture(&written, found);
        let bits = if algorithm.eq_ignore_ascii_case("none") { 0.0 } else { *signature as f64 * 8.0 };
        let why = if bits == 0.0 {
            "the JWTs are not signed".to_owned()
        } else {
            format!("the JWTs are signed, and a signature of {bits} bits has to be guessed")
        };
        add(found, Bound { name: "signature", bits, why });
        found.structure.push(format!("JWTs, signed with {shown}: their content is meant to be read"));
    }
}

/// Lengths of tokens: bodies are bounded far below what would not fit.
fn small(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

// --------------------------------------------------------------------------------------------------- opaque

fn opaque(tokens: &[&str], now: i64, found: &mut TokenEntropy) {
    let written = alphabet::read(tokens);
    "opaque".clone_into(&mut found.form);
    found.length = (small(written.length.0), small(written.length.1));
    written.alphabet.name().clone_into(&mut found.alphabet);
    found.alphabet_size = written.alphabet.size();
    found.constant = (small(written.constant.0), small(written.constant.1));
    picture(&written, found);
    add(found, by_length(&written));
    if written.constant.0 + written.constant.1 > 0 {
        found.structure.push(format!(
            "{} constant characters at the start, {} at the end",
            written.constant.0, written.constant.1
        ));
    }
    if written.symbols.len() >= TOKENS_MIN {
        looked_into(&written, now, found);
    }
}

/// Bits by character, and the bias of each bit, for the picture of the page.
fn picture(written: &Written, found: &mut TokenEntropy) {
    let round = |values: Vec<f64>| values.into_iter().map(rounded).collect();
    found.position_bits = round(bits::characters(&written.symbols));
    found.bit_sigma =
        written.bytes.as_ref().map_or_else(Vec::new, |bytes| round(bits::Table::of(bytes).worth().sigma));
}

/// What the length and the alphabet allow.
fn by_length(written: &Written) -> Bound {
    let length = written.symbols.first().map_or(0, Vec::len);
    let padding = written
        .symbols
        .first()
        .map_or(0, |symbols| symbols.iter().rev().take_while(|symbol| **symbol == b'=').count());
    let characters = length - padding;
    let bits = characters as f64 * f64::from(written.alphabet.size()).log2();
    Bound {
        name: "length and alphabet",
        bits,
        why: format!("{characters} characters of {} hold no more", written.alphabet.name()),
    }
}

/// The estimates that need many tokens.
fn looked_into(written: &Written, now: i64, found: &mut TokenEntropy) {
    match &written.bytes {
        Some(bytes) => by_bits(bytes, now, found),
        None => by_characters(&written.symbols, now, found),
    }
}

fn by_bits(tokens: &[Vec<u8>], now: i64, found: &mut TokenEntropy) {
    let mut whys = Vec::new();
    if let Some((version, why)) = guid(tokens) {
        found.form = format!("GUID version {version}");
        whys.push(why.to_owned());
    }
    let mut blank = vec![false; tokens.first().map_or(0, Vec::len)];
    let mut hide = |range: std::ops::Range<usize>| blank[range].fill(true);
    if let Some((range, name)) = rising::clock(tokens, now) {
        whys.push(format!("bytes {} to {} are {name}", range.start + 1, range.end));
        hide(range);
    }
    for range in rising::rising(tokens) {
        whys.push(format!("bytes {} to {} grow from token to token", range.start + 1, range.end));
        hide(range);
    }
    let hidden: Vec<Vec<u8>> = tokens
        .iter()
        .map(|token| token.iter().zip(&blank).map(|(byte, blank)| if *blank { 0 } else { *byte }).collect())
        .collect();
    let table = bits::Table::of(&hidden);
    let worth = table.worth();
    if worth.biased > 0 {
        whys.push(format!("{} bits lean to one side", worth.biased));
    }
    if worth.remembered > 0 {
        whys.push(format!("{} bits follow those of the token before", worth.remembered));
    }
    found.structure.extend(whys.iter().cloned());
    let constant = worth.bits.iter().filter(|bit| **bit == 0.0).count();
    whys.push(format!("{} of {} bits vary", table.width - constant, table.width));
    add(found, Bound { name: "bits one by one", bits: worth.bits.iter().sum(), why: whys.join(", ") });
    if let Some(rank) = table.rank() {
        let why = format!("only {rank} of {} bits are free, the others are sums of them", table.width);
        add(found, Bound { name: "independent bits", bits: rank as f64, why });
    }
    if generators::is_java_random(tokens) {
        let why = "they come from java.util.Random, whose 48 bits of state each token gives away".to_owned();
        found.structure.push(why.clone());
        add(found, Bound { name: "generator", bits: 0.0, why });
    }
}

fn by_characters(tokens: &[Vec<u8>], now: i64, found: &mut TokenEntropy) {
    let mut whys = Vec::new();
    let mut worth = bits::characters(tokens);
    if let Some((range, name)) = rising::written_clock(tokens, now) {
        whys.push(format!("characters {} to {} are {name}", range.start + 1, range.end));
        worth[range].fill(0.0);
    }
    for range in rising::rising(tokens) {
        whys.push(format!("characters {} to {} grow from token to token", range.start + 1, range.end));
        worth[range].fill(0.0);
    }
    found.structure.extend(whys.iter().cloned());
    let varying = worth.iter().filter(|bits| **bits > 0.0).count();
    whys.push(format!("{varying} of {} characters vary", worth.len()));
    add(found, Bound { name: "characters one by one", bits: worth.iter().sum(), why: whys.join(", ") });
}

/// The version of GUIDs, in the order of bytes of RFC 9562 or of .NET, and what that means.
fn guid(tokens: &[Vec<u8>]) -> Option<(u8, &'static str)> {
    if tokens.iter().any(|token| token.len() != 16 || token[8] >> 6 != 0b10) {
        return None;
    }
    let version = |at: usize| {
        let first = tokens.first()?[at] >> 4;
        let all = tokens.iter().all(|token| token[at] >> 4 == first);
        (all && (1..=8).contains(&first)).then_some(first)
    };
    let version = version(6).or_else(|| version(7))?;
    Some((
        version,
        match version {
            1 | 6 => "a GUID of this version is a clock and a machine's address",
            4 => "a GUID of version 4 has 122 random bits",
            7 => "a GUID of version 7 is a clock and 74 random bits",
            _ => "a GUID has fixed bits",
        },
    ))
}
