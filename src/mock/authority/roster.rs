//! Who may ask: tenants or clients, and the users behind them. All credentials are public and follow from the
//! seed; they are long and telling, so that a leak of one is found.

use aws_lc_rs::digest;

use crate::secret::Token;
use crate::suite::call::Slot;

use super::super::tokens::hex;

/// Whose client proves possession of a key.
const PROVER: &str = "erin";

/// A tenant, or a client of OAuth 2.0: who must present what was issued to it.
#[derive(Clone, Debug)]
pub struct Party {
    /// `07`, `assay-web`
    pub name: String,
    /// Its shared secret; `None` for a public client.
    pub secret: Option<Token>,
}

/// A user, and where it logs in.
#[derive(Clone, Debug)]
pub struct Account {
    /// The identity's name.
    pub name: &'static str,
    /// An index into [`Roster::parties`].
    pub party: usize,
    /// The user's name in tokens.
    pub user: String,
    /// The user's own secret: AuthCode, or the password.
    pub code: Token,
    /// What the key of its proofs of possession follows from, where its client makes them.
    pub proof: Option<Token>,
}

/// What the parties are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Tenants, each with a shared secret.
    Tenants,
    /// Clients of OAuth 2.0.
    Clients,
}

/// Everyone who may ask.
#[derive(Clone, Debug)]
pub struct Roster {
    /// What the parties are.
    pub kind: Kind,
    /// Tenants or clients.
    pub parties: Vec<Party>,
    /// Users; those of the first party come first.
    pub accounts: Vec<Account>,
}

impl Roster {
    /// Three states, two of which have a leading zero, and two users in the first.
    pub fn tenants(seed: u64) -> Roster {
        let party =
            |name: &str| Party { name: name.to_owned(), secret: Some(credential(seed, "auth", name)) };
        let account = |name: &'static str, party: usize, state: &str| Account {
            name,
            party,
            user: format!("{name}.user"),
            code: credential(seed, "code", &format!("{state}-{name}")),
            proof: None,
        };
        Roster {
            kind: Kind::Tenants,
            parties: vec![party("07"), party("30"), party("01")],
            accounts: vec![
                account("kerala", 0, "07"),
                account("goa", 1, "30"),
                account("jammu", 2, "01"),
                account("kerala-second", 0, "07"),
            ],
        }
    }

    /// Two confidential clients, a public one, and one that proves possession of a key.
    pub fn clients(seed: u64) -> Roster {
        let confidential =
            |name: &str| Party { name: name.to_owned(), secret: Some(credential(seed, "client", name)) };
        let account = |name: &'static str, party: usize| Account {
            name,
            party,
            user: name.to_owned(),
            code: credential(seed, "password", name),
            proof: (name == PROVER).then(|| credential(seed, "proof", name)),
        };
        Roster {
            kind: Kind::Clients,
            parties: vec![
                confidential("assay-web"),
                confidential("assay-batch"),
                Party { name: "assay-app".to_owned(), secret: None },
                Party { name: "assay-phone".to_owned(), secret: None },
            ],
            accounts: vec![
                account("alice", 0),
                account("bob", 1),
                account("dave", 0),
                account("carol", 2),
                account(PROVER, 3),
            ],
        }
    }

    /// The party of that name.
    pub fn party(&self, name: &str) -> Option<usize> {
        self.parties.iter().position(|party| party.name == name)
    }

    /// The account with this code, in a party or anywhere.
    pub fn account(&self, party: Option<usize>, user: Option<&str>, code: &str) -> Option<usize> {
        self.accounts.iter().position(|account| {
            party.is_none_or(|party| account.party == party)
                && user.is_none_or(|user| account.user == user)
                && same(account.code.expose(), code)
        })
    }

    /// Whether `secret` is the party's.
    pub fn knows(&self, party: usize, secret: &str) -> bool {
        self.parties[party].secret.as_ref().is_some_and(|own| same(own.expose(), secret))
    }

    /// Whether `secret` is anybody's.
    pub fn anybody_knows(&self, secret: &str) -> bool {
        (0..self.parties.len()).any(|party| self.knows(party, secret))
    }

    /// An account in slots. `password` is the slot that the dialect puts a password into.
    pub fn slots(&self, account: usize, password: Slot) -> Vec<(Slot, Token)> {
        let account = &self.accounts[account];
        let party = &self.parties[account.party];
        let (name, secret) = match self.kind {
            Kind::Tenants => (Slot::Tenant, Slot::Secret),
            Kind::Clients => (Slot::Client, Slot::ClientSecret),
        };
        let mut slots = vec![(name, Token::new(party.name.clone()))];
        slots.extend(party.secret.clone().map(|own| (secret, own)));
        slots.push((Slot::User, Token::new(account.user.clone())));
        slots.push((password, account.code.clone()));
        slots.extend(account.proof.clone().map(|proof| (Slot::Proof, proof)));
        slots
    }
}

/// Equal, in a time that does not tell where they differ.
fn same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// `mock-auth-07-5f3c…`: what it is for, and 80 bits from the seed.
fn credential(seed: u64, what: &str, whose: &str) -> Token {
    let digest = digest::digest(&digest::SHA256, format!("{seed}/{what}/{whose}").as_bytes());
    let tail = hex(&digest.as_ref()[..10]);
    Token::new(format!("mock-{what}-{whose}-{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_long_distinct_and_follow_from_the_seed() {
        let mut seen = std::collections::HashSet::new();
        for roster in [Roster::tenants(7), Roster::clients(7), Roster::tenants(8)] {
            let secrets = roster.parties.iter().filter_map(|party| party.secret.as_ref());
            for secret in secrets.chain(roster.accounts.iter().map(|account| &account.code)) {
                assert!(secret.len() >= 24);
                assert!(seen.insert(secret.expose().to_owned()));
            }
        }
        let (one, two) = (Roster::tenants(7), Roster::tenants(7));
        assert_eq!(one.accounts[0].code, two.accounts[0].code);
    }

    #[test]
    fn there_are_leading_zeros_and_two_users_in_one_tenant() {
        let roster = Roster::tenants(7);
        assert!(roster.parties.iter().filter(|party| party.name.starts_with('0')).count() >= 2);
        assert_eq!(roster.accounts[0].party, roster.accounts[3].party);
        assert_ne!(roster.accounts[0].user, roster.accounts[3].user);
    }
}
