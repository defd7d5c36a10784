//! ID tokens: what OpenID Connect Core section 12.2 asks of one that comes with a refresh.

use serde_json::{Value, json};

use crate::suite::defect::Defect;

use super::super::authority::{Authority, Pair};
use super::super::clock::Moment;
use super::super::defects::Switches;

/// Who ID tokens say they are from.
const ISSUER: &str = "https://mock.assay.example";

/// How long they last.
const LIFETIME_SECONDS: i64 = 300;

/// The claims of the ID token beside `pair`; `first` at a login.
pub(super) fn claims(
    authority: &Authority,
    pair: &Pair,
    first: bool,
    now: Moment,
    switches: Switches,
) -> Value {
    let wrong = |defect: Defect| !first && switches.has(defect);
    let client = authority.roster.parties[pair.party].name.as_str();
    let issued = if wrong(Defect::IdTokenStale) { pair.born } else { now };
    let login = if wrong(Defect::IdTokenLoginMoves) { Moment(now.0 + 60_000) } else { pair.born };
    let changed = |text: &str, defect: Defect| {
        if wrong(defect) { format!("{text}-changed") } else { text.to_owned() }
    };
    let mut claims = json!({
        "iss": changed(ISSUER, Defect::IdTokenIssuerChanges),
        "sub": changed(&authority.roster.accounts[pair.account].user, Defect::IdTokenSubjectChanges),
        "aud": changed(client, Defect::IdTokenAudienceChanges),
        "azp": changed(client, Defect::IdTokenPartyChanges),
        "iat": issued.seconds(),
        "exp": now.seconds() + LIFETIME_SECONDS,
        "auth_time": login.seconds(),
    });
    if wrong(Defect::IdTokenNonce) {
        claims["nonce"] = "of-nobody".into();
    }
    claims
}
