//! What all workers share: the application, the authority, the book of refreshes; and what is answered to a request
//! that was read whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use hyper::header::HeaderMap;
use tokio::sync::watch;

use crate::secret::Token;
use crate::suite::call::Slot;
use crate::suite::defect::Defect;

use super::MockLedger;
use super::authority::Authority;
use super::canned::{bad_url, crashed, is_bad_url, turned_away};
use super::clock::Clock;
use super::controllers::Controllers;
use super::defects::Switches;
use super::delays::Delays;
use super::host::Host;
use super::latency::Pace;
use super::oauth::OAuth;
use super::rivals::{Asked, Rivals};
use super::spoken::Spoken;
use super::strain::{Strain, Toll};
use super::stumbles::Weariness;
use super::webapi::{HttpRequest, HttpResponse, Pipeline, Received, echo};

/// More headers than are usual.
const MANY_HEADERS: usize = 60;

/// What is served.
#[derive(Debug)]
pub(super) enum Application {
    /// A Web API with controllers.
    WebApi { pipeline: Pipeline, controllers: Box<Controllers>, refresh: String },
    /// The echo controller behind the same pipeline.
    Echo { pipeline: Pipeline },
    /// An OAuth 2.0 token endpoint.
    OAuth(Box<OAuth>),
    /// Whatever its dialect's table says.
    Spoken(Box<Spoken>),
}

/// What all workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub application: Application,
    pub authority: Arc<Authority>,
    pub clock: Arc<Clock>,
    pub pace: Pace,
    pub delays: Delays,
    pub strain: Strain,
    pub ledger: Ledger,
    pub switches: Switches,
    /// What requests on their way do to each other, where a defect makes them.
    pub rivals: Option<Rivals>,
    pub host: Host,
    /// The names that the control port shows.
    pub dialect: String,
    pub policy: &'static str,
    /// The slot that passwords go by.
    pub password: Slot,
    /// What calls of the dialect carry.
    pub slots: Vec<Slot>,
    /// Raised with every restart; connections of an earlier time close.
    pub epoch: watch::Sender<u64>,
    /// Grants that refusals will still cost.
    pub poison: AtomicU64,
    /// Whether the next grant is turned away for what came before it.
    pub shadow: AtomicBool,
    /// What it has been through.
    pub weariness: Weariness,
}

impl Shared {
    /// Closes every connection. What a real server keeps in its database is kept.
    pub fn restart(&self) {
        self.authority.restart();
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// The identities and their slots.
    pub fn identities(&self) -> Vec<(String, Vec<(Slot, Token)>)> {
        let accounts = self.authority.roster.accounts.iter().enumerate();
        let identity = |(number, account): (usize, &super::authority::Account)| {
            (account.name.to_owned(), self.slots(number))
        };
        accounts.map(identity).collect()
    }

    /// The slots of one account.
    pub fn slots(&self, account: usize) -> Vec<(Slot, Token)> {
        let mut slots = self.authority.roster.slots(account, self.password);
        if matches!(self.application, Application::OAuth(_) | Application::Spoken(_)) {
            slots.push((Slot::Scope, Token::new(super::oauth::USUAL_SCOPE)));
        }
        if matches!(self.application, Application::Spoken(_)) {
            let made = [Slot::Device, Slot::Nonce, Slot::Grant]
                .map(|slot| (slot, Token::new(format!("mock-{}", slot.word()))));
            slots.extend(made);
            slots.retain(|(slot, _)| self.slots.contains(slot));
            // A password in the slot of a shared secret stands for it.
            let all = slots.clone();
            let mut at = 0;
            slots.retain(|(slot, _)| {
                at += 1;
                !all[at..].iter().any(|(later, _)| later == slot)
            });
        }
        slots
    }
}

/// The mock's book of refreshes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    requests: AtomicU64,
    granted: AtomicU64,
    refused: AtomicU64,
}

impl Ledger {
    /// What it holds.
    pub fn read(&self) -> MockLedger {
        // Answers before requests: a reader in between never sees more answers than requests.
        let granted = self.granted.load(Ordering::SeqCst);
        let refused = self.refused.load(Ordering::SeqCst);
        MockLedger { granted, refused, requests: self.requests.load(Ordering::SeqCst) }
    }

    /// The head of a refresh was read.
    pub fn asked(&self) {
        self.requests.fetch_add(1, Ordering::SeqCst);
    }

    fn answered(&self, granted: bool) {
        let count = if granted { &self.granted } else { &self.refused };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// An answer, and whether it is one to a refresh.
pub(super) struct Answer {
    pub response: HttpResponse,
    /// For a refresh, whether it was granted.
    pub refresh: Option<bool>,
}

impl Shared {
    /// Whether the path alone says that this is a refresh. At a token endpoint of OAuth 2.0 the body says it.
    pub fn is_refresh(&self, path: &str) -> bool {
        match &self.application {
            Application::WebApi { refresh, .. } => path.trim_end_matches('/').eq_ignore_ascii_case(refresh),
            Application::Echo { .. } | Application::OAuth(_) | Application::Spoken(_) => false,
        }
    }

    /// Under [`Defect::RefusalPoisons`] every refusal costs a later grant.
    pub fn poisoned(&self, counted: bool, answer: Answer) -> Answer {
        if !self.switches.has(Defect::RefusalPoisons) || !(counted || answer.refresh.is_some()) {
            return answer;
        }
        if answer.refresh != Some(true) {
            self.poison.fetch_add(1, Ordering::SeqCst);
            return answer;
        }
        let less = |poison: u64| poison.checked_sub(1);
        match self.poison.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => Answer { response: turned_away(), refresh: Some(false) },
            Err(_) => answer,
        }
    }

    /// Under some defects an odd request costs the next grant, whoever's it is.
    fn overshadowed(&self, request: &HttpRequest, answer: Answer) -> Answer {
        let unknown = self.switches.has(Defect::UnknownPathPoisons) && answer.response.status == 404;
        let many = self.switches.has(Defect::ManyHeadersPoison) && request.headers.len() > MANY_HEADERS;
        let hit = answer.refresh == Some(true) && self.shadow.swap(false, Ordering::SeqCst);
        if unknown || many {
            self.shadow.store(true, Ordering::SeqCst);
        }
        if hit { Answer { response: turned_away(), refresh: Some(false) } } else { answer }
    }

    /// What load adds to a refresh that came by connection number `line`.
    pub fn toll(&self, line: u64, headers: &HeaderMap, now: Instant) -> Toll {
        let label = headers.get(hyper::header::CONTENT_TYPE);
        let xml = label.and_then(|label| label.to_str().ok()).is_some_and(|label| label.contains("xml"));
        self.strain.toll(line, xml, now)
    }

    /// Books an answer: one to a refresh whose head was counted, or one that turned out to be to a refresh.
    pub fn book(&self, counted: bool, refresh: Option<bool>, arrived: Instant) {
        if counted {
            self.ledger.answered(refresh == Some(true));
        } else if let Some(granted) = refresh {
            self.ledger.asked();
            self.pace.arm(arrived);
            self.ledger.answered(granted);
        }
    }

    /// The token that a refresh or a revocation presents.
    pub fn asked(&self, request: &HttpRequest) -> Option<Asked> {
        let media = request.header("content-type").next().unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().to_owned();
        let (token, revokes) = match &self.application {
            Application::WebApi { pipeline, controllers, .. } => match pipeline.receive(request) {
                Received::Act(call) => controllers.asked(&call)?,
                Received::Done(_) => return None,
            },
            Application::OAuth(endpoint) => endpoint.asked(request)?,
            Application::Spoken(endpoint) => endpoint.asked(request)?,
            Application::Echo { .. } => return None,
        };
        Some(Asked { token, revokes, media })
    }

    /// The answer of the application, as the host lets it out.
    pub fn answer(&self, request: &HttpRequest) -> Answer {
        let answer = self.overshadowed(request, self.act(request));
        let response = self.host.finish(request, answer.refresh == Some(true), answer.response);
        Answer { response, ..answer }
    }

    fn act(&self, request: &HttpRequest) -> Answer {
        if self.switches.has(Defect::AlwaysCrash) {
            return Answer { response: crashed(), refresh: None };
        }
        match &self.application {
            Application::WebApi { .. } if is_bad_url(&request.target) => {
                Answer { response: bad_url(), refresh: None }
            }
            Application::WebApi { pipeline, controllers, .. } => match pipeline.receive(request) {
                Received::Done(response) => Answer { response, refresh: None },
                Received::Act(call) => {
                    let acted = controllers.act(&call, request);
                    let refresh = acted.granted.then_some(true);
                    let response = pipeline.answer(&call, &acted.result);
                    Answer { response: pipeline.as_asked(request, response), refresh }
                }
            },
            Application::Echo { pipeline } => {
                Answer { response: pipeline.serve(request, &echo::answer), refresh: None }
            }
            Application::OAuth(endpoint) => {
                let acted = endpoint.answer(request);
                Answer { response: acted.response, refresh: acted.refresh }
            }
            Application::Spoken(endpoint) => {
                let acted = endpoint.answer(request);
                Answer { response: acted.response, refresh: acted.refresh }
            }
        }
    }
}
