//! Where chains come from: the login operation, or a file of pairs.

use std::sync::Arc;

use crate::client::Client;
use crate::dialect::Dialect;

use super::{Called, Chain, Identity};

/// Opens chains for a run and counts them.
#[derive(Debug)]
pub struct Source {}

/// Why there is no chain.
#[derive(Debug)]
pub enum NoChain {
    /// The login did not grant; what came of it.
    Login(Box<Called>),
    /// The file has no pair left for this identity: needed and found.
    Exhausted {
        /// How many were asked for so far.
        needed: u32,
        /// How many the file has.
        found: u32,
    },
}

impl Source {
    /// Chains by login.
    pub fn login(client: Arc<Client>, dialect: Arc<Dialect>) -> Source {
        let _ = (client, dialect);
        todo!()
    }

    /// Chains from the text of a JSONL file: one object a line, keys are slots, values text; `identity` names
    /// the owner where the environment has several. The first bad line, in words, with its number.
    pub fn file(text: &str, identities: &[Arc<Identity>]) -> Result<Source, String> {
        let _ = (text, identities);
        todo!()
    }

    /// A fresh chain of `identity`.
    pub async fn open(&self, identity: &Arc<Identity>) -> Result<Chain, NoChain> {
        let _ = identity;
        todo!()
    }

    /// Chains opened so far.
    pub fn opened(&self) -> u32 {
        todo!()
    }
}
