//! What goes wrong only while several requests are on their way: reads that are written too late, locks that stay.
//!
//! A request reads here what its token is worth, pauses for the width of the window, and is decided on what it
//! read. Without one of these defects no request comes this way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::suite::defect::Defect;

use super::alarm::Alarm;
use super::authority::{Authority, Glimpse, Sway};
use super::canned::crashed;
use super::clock::Moment;
use super::defects::Switches;
use super::shared::{Answer, Shared};
use super::tokens::FamilyId;
use super::webapi::{HttpRequest, HttpResponse};

/// Between the read and the write.
pub(super) const WINDOW: Duration = Duration::from_millis(2);

/// How long a lock is waited for that nobody will give back.
const LOCKED: Duration = Duration::from_millis(2_500);

/// After its first use a token is granted again in this time, by [`Defect::LateDuplicateGranted`].
const LATE: (Duration, Duration) = (Duration::from_millis(4), Duration::from_millis(60));

/// So many chains within [`CROWD_TIME`] are a crowd: more than the checks of one run have at once.
const CROWD: usize = 24;

/// See [`CROWD`].
const CROWD_TIME: Duration = Duration::from_millis(250);

/// In a crowd every request of this number goes wrong.
const CROWD_EVERY: u64 = 50;

/// Beyond this, what was noted first is forgotten.
const NOTED_MAX: usize = 1024;

/// The defects that look at several requests at once.
const DEFECTS: [Defect; 19] = [
    Defect::RaceDoubleSpend,
    Defect::RaceSharedAnswer,
    Defect::RaceAllLose,
    Defect::RaceCrash,
    Defect::RaceMixedPair,
    Defect::RaceCrossFormat,
    Defect::RaceEndsOthers,
    Defect::ReplayBesideNext,
    Defect::RevokedRevived,
    Defect::RevocationLost,
    Defect::AbortLeavesLock,
    Defect::AbortThenCrash,
    Defect::AbortForgetsUse,
    Defect::BrokenBodyPoisons,
    Defect::BrokenBodyStalls,
    Defect::LateDuplicateGranted,
    Defect::LoadTokenSwapped,
    Defect::LoadDuplicateToken,
    Defect::LoadReplayGranted,
];

/// What a request asks for, as far as rivals care.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The token it presents.
    pub token: String,
    /// Whether it revokes instead of refreshing.
    pub revokes: bool,
    /// The media type of its body.
    pub media: String,
}

/// Everybody who is on the way.
#[derive(Debug)]
pub(super) struct Rivals {
    switches: Switches,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    number: u64,
    /// Requests between their read and their write.
    on_the_way: Vec<OnTheWay>,
    /// Tokens whose caller hung up, and when.
    forsaken: VecDeque<((FamilyId, u32), Instant)>,
    /// First uses, and when.
    used: VecDeque<((FamilyId, u32), Instant)>,
    /// Answers to winners that are still of use to losers.
    answers: HashMap<(FamilyId, u32), HttpResponse>,
    /// Chains that came lately.
    crowd: VecDeque<(FamilyId, Instant)>,
    crowded: u64,
    /// The last answer that was granted in a crowd, and to whom.
    last: Option<(FamilyId, HttpResponse)>,
    /// When a request was cut off.
    broken_at: Option<Instant>,
}

#[derive(Clone, Debug)]
struct OnTheWay {
    number: u64,
    token: (FamilyId, u32),
    revokes: bool,
    media: String,
    /// Others that were on the way with the same token, a token of the same family, a revocation, another format.
    met: Met,
}

#[derive(Clone, Copy, Debug, Default)]
struct Met {
    twin: bool,
    cousin: bool,
    revocation: bool,
    refresh: bool,
    foreign_format: bool,
}

/// A request between its read and its write. Dropped before its end, its caller hung up.
pub(super) struct Passage<'r> {
    rivals: &'r Rivals,
    number: u64,
    token: (FamilyId, u32),
    glimpse: Glimpse,
    revokes: bool,
    done: bool,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        let mut state = self.rivals.state();
        state.on_the_way.retain(|other| other.number != self.number);
        if !self.done && !self.revokes {
            state.forsaken.push_back((self.token, Instant::now()));
            if state.forsaken.len() > NOTED_MAX {
                state.forsaken.pop_front();
            }
        }
    }
}

/// What is to become of a request after its pause.
#[derive(Debug)]
pub(super) enum Fate {
    /// It is decided, on what it read.
    Decide,
    /// The server fails.
    Crash,
    /// It is given this answer.
    Given(HttpResponse),
}

impl Rivals {
    /// `None` where no such defect is switched on.
    pub fn of(switches: Switches) -> Option<Rivals> {
        let any = DEFECTS.into_iter().any(|defect| switches.has(defect));
        any.then(|| Rivals { switches, state: Mutex::default() })
    }

    /// The way of a request among rivals: it reads, pauses, and is decided on what it read.
    pub async fn answer(&self, shared: &Shared, alarm: &Alarm, request: &HttpRequest) -> Answer {
        let authority = &shared.authority;
        let asked = shared.asked(request);
        if self.is_poisoned() {
            return Answer { response: crashed(), refresh: Some(false) };
        }
        let locked = self.locked_for(authority, asked.as_ref(), shared.clock.now());
        alarm.sleep_until(Instant::now() + locked).await;
        let passage = asked.and_then(|asked| self.read(authority, &asked, shared.clock.now()));
        let Some(mut passage) = passage else { return shared.answer(request) };
        alarm.sleep_until(Instant::now() + WINDOW).await;
        let answer = match passage.write(authority, shared.clock.now()) {
            Fate::Decide => shared.answer(request),
            Fate::Crash => Answer { response: crashed(), refresh: Some(false) },
            Fate::Given(response) => Answer { response, refresh: Some(true) },
        };
        let granted = answer.refresh == Some(true);
        Answer { response: passage.end(granted, answer.response), ..answer }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a request must wait before it is even read: for a lock that nobody gives back.
    pub fn locked_for(&self, authority: &Authority, asked: Option<&Asked>, now: Moment) -> Duration {
        let mut state = self.state();
        if self.switches.has(Defect::BrokenBodyStalls) && state.broken_at.take().is_some() {
            return LOCKED;
        }
        if !self.switches.has(Defect::AbortLeavesLock) {
            return Duration::ZERO;
        }
        let glimpse = asked.and_then(|asked| authority.glimpse(&asked.token, now));
        let Some(glimpse) = glimpse else { return Duration::ZERO };
        let forsaken = state.take_forsaken((glimpse.family, glimpse.serial));
        forsaken.map_or(Duration::ZERO, |at| LOCKED.saturating_sub(at.elapsed()))
    }

    /// A request was cut off within its body.
    pub fn broken(&self) {
        self.state().broken_at = Some(Instant::now());
    }

    /// A request was read whole, and its caller was gone before it was looked at.
    pub fn hung_up(&self, authority: &Authority, asked: &Asked, now: Moment) {
        drop(self.read(authority, asked, now));
    }

    /// Whether this request is answered 500 because another was cut off.
    pub fn is_poisoned(&self) -> bool {
        self.switches.has(Defect::BrokenBodyPoisons) && self.state().broken_at.take().is_some()
    }

    /// The read. `None` where the token is none of ours.
    pub fn read(&self, authority: &Authority, asked: &Asked, now: Moment) -> Option<Passage<'_>> {
        let glimpse = authority.glimpse(&asked.token, now)?;
        let token = (glimpse.family, glimpse.serial);
        let mut state = self.state();
        state.number += 1;
        let mut own = OnTheWay {
            number: state.number,
            token,
            revokes: asked.revokes,
            media: asked.media.clone(),
            met: Met::default(),
        };
        for other in state.on_the_way.iter_mut().filter(|other| other.token.0 == token.0) {
            own.meet(&other.clone());
            other.meet(&own.clone());
        }
        let number = own.number;
        state.on_the_way.push(own);
        state.join_crowd(token.0);
        Some(Passage { rivals: self, number, token, glimpse, revokes: asked.revokes, done: false })
    }
}

impl OnTheWay {
    fn meet(&mut self, other: &OnTheWay) {
        self.met.revocation |= other.revokes;
        self.met.refresh |= !other.revokes;
        if self.revokes || other.revokes {
            return;
        }
        self.met.twin |= other.token == self.token;
        self.met.cousin |= other.token != self.token;
        self.met.foreign_format |= other.media != self.media;
    }
}

impl State {
    fn take_forsaken(&mut self, token: (FamilyId, u32)) -> Option<Instant> {
        let at = self.forsaken.iter().position(|(other, _)| *other == token)?;
        self.forsaken.remove(at).map(|(_, at)| at)
    }

    fn join_crowd(&mut self, family: FamilyId) {
        self.crowd.retain(|(other, at)| *other != family && at.elapsed() < CROWD_TIME);
        self.crowd.push_back((family, Instant::now()));
        if self.crowd.len() > NOTED_MAX {
            self.crowd.pop_front();
        }
    }

    /// Whether this request is one of those in a crowd that go wrong.
    fn goes_wrong_in_crowd(&mut self) -> bool {
        if self.crowd.len() < CROWD {
            return false;
        }
        self.crowded += 1;
        self.crowded.is_multiple_of(CROWD_EVERY)
    }

    fn age_of_use(&self, token: (FamilyId, u32)) -> Option<Duration> {
        self.used.iter().find(|(other, _)| *other == token).map(|(_, at)| at.elapsed())
    }
}

impl Passage<'_> {
    /// The write: what the authority is to believe, and what becomes of the request.
    pub fn write(&mut self, authority: &Authority, now: Moment) -> Fate {
        let has = |defect| self.rivals.switches.has(defect);
        let mut state = self.rivals.state();
        let own = state.on_the_way.iter().find(|other| other.number == self.number);
        let met = own.map(|own| own.met).unwrap_or_default();
        let sway = |sway: Sway| authority.sway(&self.glimpse, sway);
        if self.revokes {
            if has(Defect::RevocationLost) && met.refresh {
                sway(Sway::StayRevocation);
            }
            return Fate::Decide;
        }
        let is_late = authority.glimpse_of(self.token, now).is_none_or(|fresh| !fresh.admissible);
        let read_good = self.glimpse.admissible;
        let revived = has(Defect::RevokedRevived) && met.revocation && read_good;
        let double = has(Defect::RaceDoubleSpend) || has(Defect::RaceCrossFormat) && met.foreign_format;
        let forgotten = has(Defect::AbortForgetsUse)
            && state.forsaken.iter().any(|(forsaken, _)| *forsaken == self.token);
        let late = has(Defect::LateDuplicateGranted)
            && state.age_of_use(self.token).is_some_and(|age| age > LATE.0 && age < LATE.1);
        if (double && read_good
            || revived
            || late
            || forgotten
            || has(Defect::LoadReplayGranted) && state.crowd.len() >= CROWD
            || has(Defect::ReplayBesideNext) && met.cousin)
            && is_late
        {
            sway(Sway::Permit);
        }
        if has(Defect::RaceAllLose) && met.twin || has(Defect::RevocationLost) && met.revocation {
            sway(Sway::Deny);
        }
        if has(Defect::RaceMixedPair) && met.twin {
            sway(Sway::Mix);
        }
        if has(Defect::RaceEndsOthers) && met.twin {
            authority.end_others(&self.glimpse);
        }
        if has(Defect::AbortThenCrash) && state.take_forsaken(self.token).is_some()
            || has(Defect::RaceCrash) && met.twin && read_good && is_late
        {
            return Fate::Crash;
        }
        if has(Defect::LoadDuplicateToken) && state.goes_wrong_in_crowd() {
            sway(Sway::KeepAccess);
        }
        match state.answers.get(&self.token) {
            Some(answer) if has(Defect::RaceSharedAnswer) && met.twin => Fate::Given(answer.clone()),
            Some(_) | None => Fate::Decide,
        }
    }

    /// What was answered; perhaps another answer goes out.
    pub fn end(mut self, granted: bool, response: HttpResponse) -> HttpResponse {
        self.done = true;
        let mut state = self.rivals.state();
        if !granted || self.revokes {
            return response;
        }
        if state.age_of_use(self.token).is_none() {
            state.used.push_back((self.token, Instant::now()));
            if state.used.len() > NOTED_MAX {
                state.used.pop_front();
            }
        }
        if self.rivals.switches.has(Defect::RaceSharedAnswer) {
            if state.answers.len() > NOTED_MAX {
                state.answers.clear();
            }
            state.answers.insert(self.token, response.clone());
        }
        if self.rivals.switches.has(Defect::LoadTokenSwapped) {
            let wrong = state.goes_wrong_in_crowd();
            let last = state.last.replace((self.token.0, response.clone()));
            if let (true, Some((family, other))) = (wrong, last)
                && family != self.token.0
            {
                return other;
            }
        }
        response
    }
}
