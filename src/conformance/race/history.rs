//! What was called on one chain, when, and what came back: tokens as numbers, moments on the endpoint's clock.

use std::time::Duration;

use crate::conformance::family::When;
use crate::secret::Token;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Does {
    /// Presents this refresh token.
    Use(usize),
    /// Ends the chain.
    Revoke,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Came {
    /// Granted, with this refresh token if there was one in the answer.
    Granted(Option<usize>),
    /// Refused.
    Refused,
    /// No answer, or one that says nothing of what happened: it may or may not have had its effect.
    Unknown,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Past {
    /// What it does.
    pub does: Does,
    /// It cannot have had its effect before.
    pub start: Duration,
    /// It had its effect by then, if it was answered.
    pub end: Option<Duration>,
    /// What came back.
    pub came: Came,
}

impl Past {
    /// When it had its effect.
    pub fn when(&self) -> When {
        When { from: Some(self.start), to: self.end.unwrap_or(Duration::MAX) }
    }

    /// Whether it was over before the other began.
    pub fn precedes(&self, other: &Past) -> bool {
        self.when().precedes(other.when())
    }
}

/// Everything that was called on one chain.
#[derive(Clone, Debug)]
pub(in super::super) struct History {
    opened: When,
    tokens: Vec<Token>,
    calls: Vec<Past>,
    /// Something happened of which the policy does not speak.
    blurred: Option<&'static str>,
}

impl History {
    /// A chain that was opened with this token.
    pub fn new(first: Option<&Token>, opened: When) -> History {
        History { opened, tokens: first.into_iter().cloned().collect(), calls: Vec::new(), blurred: None }
    }

    /// When the chain was opened.
    pub fn opened(&self) -> When {
        self.opened
    }

    /// The number of a token; one that was not seen yet gets the next.
    pub fn number(&mut self, token: &Token) -> usize {
        self.tokens.iter().position(|known| known == token).unwrap_or_else(|| {
            self.tokens.push(token.clone());
            self.tokens.len() - 1
        })
    }

    /// Adds a call.
    pub fn add(&mut self, past: Past) {
        self.calls.push(past);
    }

    /// Notes that something happened of which the policy does not speak.
    pub fn blur(&mut self, why: &'static str) {
        self.blurred.get_or_insert(why);
    }

    /// Why nothing can be said of it, if so.
    pub fn blurred(&self) -> Option<&'static str> {
        self.blurred
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The calls.
    pub fn calls(&self) -> &[Past] {
        &self.calls
    }
}

#[cfg(test)]
impl History {
    /// A history of tokens that are numbers alone.
    pub fn of(tokens: usize, calls: Vec<Past>) -> History {
        let tokens = (0..tokens).map(|number| Token::new(format!("token {number}"))).collect();
        History { opened: When::at(Duration::ZERO), tokens, calls, blurred: None }
    }
}
