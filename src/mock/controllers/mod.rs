//! The controllers of the PFMS dialect: refresh, login, whoami, logout.
//!
//! Owns the order of their checks and what their answers say. The classes they read and write are made from
//! the dialect's table ([`table`]), so that what is wrong in the table is wrong on the wire.

mod answer;
mod table;

use std::sync::Arc;

use crate::dialect::Dialect;
use crate::suite::call::{Operation, Slot};
use crate::suite::defect::Defect;

use super::authority::{Authority, Beside, Pair, Presented, Refusal, Scope};
use super::clock::{Clock, Moment};
use super::defects::Switches;
use super::throttle::Throttle;
use super::webapi::{Action, ActionResult, Call, Format, Graph, HttpRequest};
use answer::{Said, Writer};
use table::Table;

/// Why an action refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// The authority refuses.
    Token(Refusal),
    /// The shared secret is wrong, or there is no such tenant.
    BadSecret(String),
    /// Too many wrong secrets: wait.
    Waits,
    /// The login's own code is wrong.
    BadCode,
    /// The tenant is not known. Only a defect tells that apart.
    UnknownTenant(String),
    /// A member is missing, null or blank.
    Missing(String),
}

/// The controllers and what they need.
#[derive(Debug)]
pub struct Controllers {
    authority: Arc<Authority>,
    clock: Arc<Clock>,
    switches: Switches,
    tables: Vec<Table>,
    writer: Writer,
    throttle: Throttle,
    /// What is always answered, under [`Defect::AlwaysFixed`].
    fixed: Option<Pair>,
}

/// What an action did.
#[derive(Debug)]
pub struct Acted {
    /// What it returns.
    pub result: ActionResult,
    /// Whether a refresh was granted.
    pub granted: bool,
}

impl Controllers {
    /// The controllers of a dialect; `None` where it has no refresh operation that a class can describe.
    pub fn new(
        dialect: &Dialect,
        authority: Arc<Authority>,
        clock: Arc<Clock>,
        switches: Switches,
        seed: u64,
    ) -> Option<Controllers> {
        let operations = dialect.operations.iter();
        let tables: Vec<Table> =
            operations.map(|(operation, speech)| Table::of(*operation, speech)).collect();
        tables.iter().find(|table| table.operation == Operation::Refresh && table.request.is_some())?;
        let always = switches.has(Defect::AlwaysFixed);
        let fixed = always.then(|| authority.login(0, 0, Scope::ALL, clock.now()));
        let writer = Writer::new(switches, seed);
        let throttle = Throttle::new(switches);
        Some(Controllers { authority, clock, switches, tables, writer, throttle, fixed })
    }

    /// What the pipeline must know of them.
    pub fn actions(&self) -> Vec<Action> {
        self.tables.iter().enumerate().map(|(key, table)| table.action(key)).collect()
    }

    /// Acts on a call. `request` is the same call before it was read.
    pub fn act(&self, call: &Call, request: &HttpRequest) -> Acted {
        let table = &self.tables[call.key];
        let now = self.clock.now();
        if let Some(pair) = &self.fixed {
            let result = match table.operation {
                Operation::Refresh | Operation::Login => self.says(table, call, now, &Said::Granted(pair)),
                Operation::Probe => self.whoami(table, pair.access.expose(), pair.issued),
                Operation::Revoke => self.says(table, call, now, &Said::Done),
            };
            return Acted { granted: table.operation == Operation::Refresh, result };
        }
        match table.operation {
            Operation::Refresh => self.refresh(table, call, request, now),
            Operation::Login => self.acted(table, call, now, |form| self.login(&form, now)),
            Operation::Revoke => self.revoke(table, call, now),
            Operation::Probe => Acted { result: self.probe(table, call, now), granted: false },
        }
    }

    /// The token that a refresh or a revocation presents, and whether it revokes.
    pub fn asked(&self, call: &Call) -> Option<(String, bool)> {
        let table = &self.tables[call.key];
        let revokes = match table.operation {
            Operation::Refresh => false,
            Operation::Revoke => true,
            Operation::Login | Operation::Probe => return None,
        };
        let token = Form::read(table, call)?.value(Slot::Refresh)?.to_owned();
        Some((token, revokes))
    }

    fn refresh(&self, table: &Table, call: &Call, request: &HttpRequest, now: Moment) -> Acted {
        let json = call.read_as == Some(Format::Json);
        let half_read = if json && !call.bound.is_valid() { Form::of(table, call, request) } else { None };
        if let Some(form) = half_read {
            if self.switches.has(Defect::TruncatedSpends) {
                // Spends the token and forgets the answer: that is the defect.
                drop(self.trade(&form, now));
            }
            if self.switches.has(Defect::TruncatedAccepted) {
                return self.conclude(table, call, now, &self.trade(&form, now));
            }
        }
        if let Some(result) = unreadable(call) {
            return Acted { result, granted: false };
        }
        match Form::of(table, call, request) {
            Some(form) => {
                if self.switches.has(Defect::ControlSpends) && form.has_control() {
                    self.spend_unseen(&form, now);
                    return Acted { result: ActionResult::InvalidModel, granted: false };
                }
                let twice = self.switches.has(Defect::DuplicateForeign);
                let twice = twice.then(|| self.trade_twice(&form, request, now)).flatten();
                self.conclude(table, call, now, &twice.unwrap_or_else(|| self.trade(&form, now)))
            }
            None => Acted { result: nothing_bound(), granted: false },
        }
    }

    /// Spends a token and forgets the answer.
    fn spend_unseen(&self, form: &Form<'_>, now: Moment) {
        if let Some(refresh) = form.value(Slot::Refresh) {
            let presented = Presented { party: None, refresh, access: Beside::Nothing, scope: None };
            drop(self.authority.refresh(&presented, now));
        }
    }

    /// Of two refresh tokens the first is looked at and the last is used.
    fn trade_twice(
        &self,
        form: &Form<'_>,
        request: &HttpRequest,
        now: Moment,
    ) -> Option<Result<Pair, Fault>> {
        let place = form.table.place(Slot::Refresh)?;
        let text = std::str::from_utf8(&request.body).ok()?;
        let key = format!("\"{}\":\"", form.table.member(Slot::Refresh));
        let mut found = text.split(&key).skip(1).filter_map(|rest| rest.split('"').next());
        let first = found.next()?;
        let last = found.last().filter(|last| *last != first)?;
        let mut values = form.values.to_vec();
        *values.get_mut(place)? = Some(first.to_owned());
        let looked_at = self.trade(&Form { values: &values, ..*form }, now);
        let used = Presented { party: None, refresh: last, access: Beside::Nothing, scope: None };
        Some(looked_at.and_then(|_| self.authority.refresh(&used, now).map_err(Fault::Token)))
    }

    /// The checks of a refresh, in their order: missing members, tenant, shared secret, tokens.
    fn trade(&self, form: &Form<'_>, now: Moment) -> Result<Pair, Fault> {
        if self.throttle.is_shut() {
            return Err(Fault::Waits);
        }
        if self.switches.has(Defect::BlankClassedApart) && form.has_blank() {
            return Err(Fault::Token(Refusal::Unknown));
        }
        let refresh = form.need(Slot::Refresh)?;
        let access = match form.need(Slot::Access) {
            Ok(text) => Beside::Access(text),
            Err(_) if form.absent(Slot::Access) && self.switches.has(Defect::AccessOptional) => {
                Beside::Nothing
            }
            Err(fault) => {
                self.spends_all_the_same(Defect::RefusalSpendsMissing, refresh, now);
                return Err(fault);
            }
        };
        let party = self.authenticate(form, now).inspect_err(|_| {
            self.spends_all_the_same(Defect::RefusalSpendsSecret, refresh, now);
        })?;
        self.authority.refresh(&Presented { party, refresh, access, scope: None }, now).map_err(Fault::Token)
    }

    /// Spends the token of a request that is refused, under the defect that does so.
    fn spends_all_the_same(&self, defect: Defect, refresh: &str, now: Moment) {
        if self.switches.has(defect) {
            let presented = Presented { party: None, refresh, access: Beside::Nothing, scope: None };
            drop(self.authority.refresh(&presented, now));
        }
    }

    /// The tenant, if its shared secret was given. `None` where a defect does not look.
    fn authenticate(&self, form: &Form<'_>, now: Moment) -> Result<Option<usize>, Fault> {
        let secret = match form.need(Slot::Secret) {
            Ok(secret) => Some(secret),
            Err(_) if self.secret_is_optional(form) => None,
            Err(fault) => return Err(fault),
        };
        let tenant = form.need(Slot::Tenant);
        let roster = &self.authority.roster;
        if self.switches.has(Defect::TenantIgnored) {
            let known = secret.is_none_or(|secret| roster.anybody_knows(secret));
            return if known || self.switches.has(Defect::WrongSecretAccepted) {
                Ok(None)
            } else {
                Err(self.wrong_secret(form, now))
            };
        }
        let tenant = tenant?;
        let party = roster.party(tenant).ok_or_else(|| self.unknown_tenant(form, now))?;
        let known = secret.is_none_or(|secret| {
            roster.knows(party, secret)
                || form.slashed && self.switches.has(Defect::SlashSkipsSecret)
                || self.switches.has(Defect::WrongSecretAccepted)
                || self.switches.has(Defect::ForeignTenantAccepted) && roster.anybody_knows(secret)
        });
        if known { Ok(Some(party)) } else { Err(self.wrong_secret(form, now)) }
    }

    /// What is said of a wrong secret. Guessing beside one refresh token is slowed down.
    fn wrong_secret(&self, form: &Form<'_>, now: Moment) -> Fault {
        let token = form.value(Slot::Refresh).unwrap_or_default();
        if !token.is_empty() && self.throttle.guessed(token, now) {
            return Fault::Waits;
        }
        Fault::BadSecret(form.value(Slot::Tenant).unwrap_or_default().to_owned())
    }

    /// The same is said of a tenant that there is not, so that nobody learns which there are.
    fn unknown_tenant(&self, form: &Form<'_>, now: Moment) -> Fault {
        if self.switches.has(Defect::TenantEnumeration) {
            return Fault::UnknownTenant(form.value(Slot::Tenant).unwrap_or_default().to_owned());
        }
        self.wrong_secret(form, now)
    }

    fn secret_is_optional(&self, form: &Form<'_>) -> bool {
        form.absent(Slot::Secret) && self.switches.has(Defect::SecretOptional)
            || form.is_blank_in_form(Slot::Secret) && self.switches.has(Defect::BlankSecretInForm)
            || form.lost_secret && self.switches.has(Defect::XmlLostSecretAccepted)
    }

    fn login(&self, form: &Form<'_>, now: Moment) -> Result<Pair, Fault> {
        let code = form.need(Slot::Code)?;
        let tenant = form.need(Slot::Tenant)?;
        let secret = form.need(Slot::Secret)?;
        let roster = &self.authority.roster;
        let party = roster.party(tenant).ok_or_else(|| self.unknown_tenant(form, now))?;
        if !roster.knows(party, secret) {
            return Err(self.wrong_secret(form, now));
        }
        let account = roster.account(Some(party), form.value(Slot::User), code).ok_or(Fault::BadCode)?;
        Ok(self.authority.login(account, party, Scope::ALL, now))
    }

    fn acted(
        &self,
        table: &Table,
        call: &Call,
        now: Moment,
        act: impl Fn(Form<'_>) -> Result<Pair, Fault>,
    ) -> Acted {
        if let Some(result) = unreadable(call) {
            return Acted { result, granted: false };
        }
        let Some(form) = Form::read(table, call) else {
            return Acted { result: nothing_bound(), granted: false };
        };
        Acted { granted: false, ..self.conclude(table, call, now, &act(form)) }
    }

    /// Ends the chain of either token. Credentials are asked for where the table has a place for them.
    fn revoke(&self, table: &Table, call: &Call, now: Moment) -> Acted {
        let refused = |result| Acted { result, granted: false };
        if let Some(result) = unreadable(call) {
            return refused(result);
        }
        let Some(form) = Form::read(table, call) else { return refused(nothing_bound()) };
        let party = if table.asks_for(Slot::Secret) { self.authenticate(&form, now) } else { Ok(None) };
        let bearer = bearer(call);
        let token = form.value(Slot::Refresh).or(form.value(Slot::Access)).or(bearer.as_deref());
        let ended = party.and_then(|party| {
            let token = token.ok_or_else(|| Fault::Missing(table.member(Slot::Refresh)))?;
            match self.authority.revoke(party, token) {
                Err(Refusal::Unknown) if self.switches.has(Defect::RevokeUnknownError) => {
                    Err(Fault::Token(Refusal::Unknown))
                }
                // RFC 7009 section 2.2: a token that means nothing is as good as revoked.
                Ok(()) | Err(Refusal::Unknown) => Ok(()),
                Err(refusal) => Err(Fault::Token(refusal)),
            }
        });
        let said = ended.as_ref().map_or_else(Said::Refused, |()| Said::Done);
        refused(self.says(table, call, now, &said))
    }

    fn probe(&self, table: &Table, call: &Call, now: Moment) -> ActionResult {
        match bearer(call) {
            Some(token) => self.whoami(table, &token, now),
            None => ActionResult::Unauthorized {
                challenge: "Bearer".to_owned(),
                message: "Authorization has been denied for this request.".to_owned(),
            },
        }
    }

    fn whoami(&self, table: &Table, token: &str, now: Moment) -> ActionResult {
        match self.authority.probe(token, now) {
            Ok(holder) => ActionResult::Ok(Graph::Object(table.whoami(&holder))),
            Err(_) => ActionResult::Unauthorized {
                challenge: "Bearer error=\"invalid_token\"".to_owned(),
                message: "Authorization has been denied for this request.".to_owned(),
            },
        }
    }

    fn conclude(&self, table: &Table, call: &Call, now: Moment, outcome: &Result<Pair, Fault>) -> Acted {
        let said = match outcome {
            Ok(pair) => Said::Granted(pair),
            Err(fault) => Said::Refused(fault),
        };
        Acted { result: self.says(table, call, now, &said), granted: outcome.is_ok() }
    }

    fn says(&self, table: &Table, call: &Call, now: Moment, said: &Said<'_>) -> ActionResult {
        self.writer.write(table, call.answered_as, now, said)
    }
}

/// The answer to a body that could not be read. The action looks at the model state before anything else.
fn unreadable(call: &Call) -> Option<ActionResult> {
    if call.bound.is_valid() { None } else { Some(ActionResult::InvalidModel) }
}

/// The answer where there is no model at all.
fn nothing_bound() -> ActionResult {
    ActionResult::Error { status: 400, message: "The request has no readable document.".to_owned() }
}

/// The token of `Authorization: Bearer …`.
fn bearer(call: &Call) -> Option<String> {
    super::bearer_token(call.header("Authorization")?)
}

/// The members that were read, by what they mean.
struct Form<'a> {
    table: &'a Table,
    values: &'a [Option<String>],
    /// The body as sent, where it was a form.
    sent: Option<&'a [u8]>,
    /// The shared secret stands in an XML document where its reader does not see it.
    lost_secret: bool,
    /// The path ends with a slash.
    slashed: bool,
}

impl<'a> Form<'a> {
    fn read(table: &'a Table, call: &'a Call) -> Option<Form<'a>> {
        if table.request.is_none() {
            return Some(Form { table, values: &[], sent: None, lost_secret: false, slashed: false });
        }
        call.bound.model.as_deref().map(|values| Form {
            table,
            values,
            sent: None,
            lost_secret: false,
            slashed: false,
        })
    }

    fn of(table: &'a Table, call: &'a Call, request: &'a HttpRequest) -> Option<Form<'a>> {
        let sent = (call.read_as == Some(Format::Form)).then_some(request.body.as_slice());
        let slashed = request.target.split('?').next().is_some_and(|path| path.ends_with('/'));
        Form::read(table, call).map(|form| {
            let name = format!("<{}>", table.member(Slot::Secret));
            let stands = || request.body.windows(name.len()).any(|window| window == name.as_bytes());
            let lost_secret = call.read_as == Some(Format::Xml) && form.absent(Slot::Secret) && stands();
            Form { sent, lost_secret, slashed, ..form }
        })
    }

    /// Whether a value has a control character in it.
    fn has_control(&self) -> bool {
        self.values.iter().flatten().any(|value| value.contains(char::is_control))
    }

    /// Whether a value is there and blank.
    fn has_blank(&self) -> bool {
        self.values.iter().flatten().any(|value| value.trim().is_empty())
    }

    /// What stands in a slot's member; `None` where it is null, blank or not there.
    fn value(&self, slot: Slot) -> Option<&'a str> {
        let text = self.values.get(self.table.place(slot)?)?.as_deref()?;
        (!text.trim().is_empty()).then_some(text)
    }

    fn need(&self, slot: Slot) -> Result<&'a str, Fault> {
        self.value(slot).ok_or_else(|| Fault::Missing(self.table.member(slot)))
    }

    /// Whether the member is null or not there.
    fn absent(&self, slot: Slot) -> bool {
        self.table.place(slot).and_then(|place| self.values.get(place)?.as_ref()).is_none()
    }

    /// Whether a form has the member with nothing behind its equals sign.
    fn is_blank_in_form(&self, slot: Slot) -> bool {
        let name = self.table.member(slot);
        let is_blank = |pair: &[u8]| pair.strip_suffix(b"=").is_some_and(|key| key == name.as_bytes());
        self.sent.is_some_and(|sent| sent.split(|byte| *byte == b'&').any(is_blank))
    }
}
