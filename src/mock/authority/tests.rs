//! The authority as its callers see it: tokens in, tokens out.

use super::*;
use crate::mock::tokens::tie;
use crate::suite::environment::{MockPolicy, MockSpec};

const NOW: Moment = Moment(1_700_000_000_000);

fn authority(policy: MockPolicy, defects: &[Defect]) -> Authority {
    let spec = MockSpec { policy, defects: defects.to_vec(), ..MockSpec::default() };
    Authority::new(Roster::tenants(7), Rules::of(&spec), Switches::of(&spec), 7)
}

fn strict(defects: &[Defect]) -> Authority {
    authority(MockPolicy::StrictFamily, defects)
}

fn ask(authority: &Authority, party: usize, refresh: &str, access: &str) -> Result<Pair, Refusal> {
    let presented = Presented { party: Some(party), refresh, access: Beside::Access(access), scope: None };
    authority.refresh(&presented, NOW)
}

fn refresh(authority: &Authority, pair: &Pair) -> Result<Pair, Refusal> {
    ask(authority, 0, pair.refresh.expose(), pair.access.expose())
}

#[test]
fn a_pair_is_traded_for_a_pair() {
    let authority = strict(&[]);
    let one = authority.login(0, 0, Scope::ALL, NOW);
    let two = refresh(&authority, &one).unwrap();
    assert_ne!(one.refresh, two.refresh);
    assert_ne!(one.access, two.access);
    assert_eq!(one.account, two.account);
    assert_eq!(two.expires, Moment(NOW.0 + 300_000));
    let claims = authority.mint.read_access(two.access.expose()).unwrap();
    assert_eq!(claims.state.as_deref(), Some("07"));
    assert_eq!(claims.rt, tie(two.refresh.expose()));
    assert_eq!(claims.sid, authority.mint.read_access(one.access.expose()).unwrap().sid);
}

#[test]
fn the_same_seed_issues_the_same_tokens() {
    let (one, two) = (strict(&[]), strict(&[]));
    assert_eq!(one.login(0, 0, Scope::ALL, NOW).refresh, two.login(0, 0, Scope::ALL, NOW).refresh);
}

#[test]
fn a_replay_revokes_the_family_and_its_access_tokens() {
    let authority = strict(&[]);
    let one = authority.login(0, 0, Scope::ALL, NOW);
    let two = refresh(&authority, &one).unwrap();
    assert!(authority.probe(two.access.expose(), NOW).is_ok());
    assert_eq!(refresh(&authority, &one).unwrap_err(), Refusal::Reused);
    assert_eq!(refresh(&authority, &two).unwrap_err(), Refusal::Revoked);
    assert_eq!(authority.probe(two.access.expose(), NOW), Err(Refusal::Revoked));
}

#[test]
fn a_replay_by_another_party_harms_nobody() {
    let authority = strict(&[]);
    let one = authority.login(0, 0, Scope::ALL, NOW);
    let two = refresh(&authority, &one).unwrap();
    let foreign = ask(&authority, 1, one.refresh.expose(), one.access.expose());
    assert_eq!(foreign.unwrap_err(), Refusal::Foreign);
    assert!(refresh(&authority, &two).is_ok());
}

#[test]
fn a_refusal_never_spends() {
    let authority = strict(&[]);
    let mine = authority.login(0, 0, Scope::ALL, NOW);
    let other = authority.login(0, 0, Scope::ALL, NOW);
    let token = mine.refresh.expose();
    assert_eq!(ask(&authority, 0, token, "no token").unwrap_err(), Refusal::Mismatch);
    assert_eq!(ask(&authority, 0, token, other.access.expose()).unwrap_err(), Refusal::Mismatch);
    assert_eq!(ask(&authority, 1, token, mine.access.expose()).unwrap_err(), Refusal::Foreign);
    assert_eq!(ask(&authority, 0, "unknown", mine.access.expose()).unwrap_err(), Refusal::Unknown);
    assert!(refresh(&authority, &mine).is_ok());
    assert!(refresh(&authority, &other).is_ok());
}

#[test]
fn an_expired_access_token_opens_no_resource_and_still_refreshes() {
    let authority = strict(&[]);
    let pair = authority.login(0, 0, Scope::ALL, NOW);
    let later = Moment(NOW.0 + 300_000);
    assert_eq!(authority.probe(pair.access.expose(), later), Err(Refusal::Expired));
    let presented = Presented {
        party: Some(0),
        refresh: pair.refresh.expose(),
        access: Beside::Access(pair.access.expose()),
        scope: None,
    };
    assert!(authority.refresh(&presented, later).is_ok());
}

#[test]
fn revocation_ends_the_chain_by_either_token() {
    let authority = strict(&[]);
    for by_access in [true, false] {
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let token = if by_access { &pair.access } else { &pair.refresh };
        assert_eq!(authority.revoke(Some(1), token.expose()), Err(Refusal::Foreign));
        assert_eq!(authority.revoke(Some(0), token.expose()), Ok(()));
        assert_eq!(refresh(&authority, &pair).unwrap_err(), Refusal::Revoked);
    }
    assert_eq!(authority.revoke(None, "unknown"), Err(Refusal::Unknown));
}

#[test]
fn scope_narrows_for_one_token_and_never_widens() {
    let authority =
        Authority::new(Roster::clients(7), Rules::of(&MockSpec::default()), Switches::default(), 7);
    let read = Scope::parse("read").unwrap();
    let granted = Scope::parse("read write").unwrap();
    let first = authority.login(0, 0, granted, NOW);
    let ask = |pair: &Pair, scope| {
        let access = Beside::Nothing;
        authority.refresh(&Presented { party: Some(0), refresh: pair.refresh.expose(), access, scope }, NOW)
    };
    assert_eq!(ask(&first, Some(Scope::ALL)).unwrap_err(), Refusal::Scope);
    let narrow = ask(&first, Some(read)).unwrap();
    assert_eq!(narrow.scope, read);
    assert_eq!(ask(&narrow, None).unwrap().scope, granted);
}

#[test]
fn under_a_race_exactly_one_wins() {
    let authority = authority(MockPolicy::StrictReject, &[]);
    for _ in 0..50 {
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let wins: usize = std::thread::scope(|threads| {
            let racers: Vec<_> =
                (0..4).map(|_| threads.spawn(|| usize::from(refresh(&authority, &pair).is_ok()))).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
    }
}

#[test]
fn defects_of_recognition_accept_what_the_clean_authority_refuses() {
    let recased = |token: &str| {
        let at = token.find(|c: char| c.is_ascii_lowercase()).unwrap();
        format!("{}{}{}", &token[..at], token[at..=at].to_ascii_uppercase(), &token[at + 1..])
    };
    let unsigned = |access: &str| format!("eyJhbGciOiJub25lIn0.{}.", access.split('.').nth(1).unwrap());
    for defect in [None, Some(Defect::RefreshCaseFolded), Some(Defect::RefreshTrimmed)] {
        let authority = strict(defect.as_slice());
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let text = pair.refresh.expose();
        let granted = |text: &str| ask(&authority, 0, text, pair.access.expose()).is_ok();
        assert_eq!(granted(&recased(text)), defect == Some(Defect::RefreshCaseFolded));
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let bare = pair.refresh.expose().trim_end_matches('=');
        let trimmed = ask(&authority, 0, bare, pair.access.expose());
        assert_eq!(trimmed.is_ok(), defect == Some(Defect::RefreshTrimmed));
    }
    for defect in [None, Some(Defect::AccessUnverified), Some(Defect::AlgNoneAccepted)] {
        let authority = strict(defect.as_slice());
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let forged = ask(&authority, 0, pair.refresh.expose(), &unsigned(pair.access.expose()));
        assert_eq!(forged.is_ok(), defect.is_some());
    }
}

#[test]
fn defects_of_judgement_grant_what_the_clean_authority_refuses() {
    for defect in [None, Some(Defect::UnknownGranted), Some(Defect::AccessAsRefresh), Some(Defect::PairMixed)]
    {
        let authority = strict(defect.as_slice());
        let (one, two) = (authority.login(0, 0, Scope::ALL, NOW), authority.login(0, 0, Scope::ALL, NOW));
        let mixed = ask(&authority, 0, one.refresh.expose(), two.access.expose());
        assert_eq!(mixed.is_ok(), defect == Some(Defect::PairMixed));
        let unknown = ask(&authority, 0, &Mint::new(9).refresh(FamilyId(1), 0), two.access.expose());
        assert_eq!(unknown.is_ok(), defect == Some(Defect::UnknownGranted));
        let access = ask(&authority, 0, two.access.expose(), two.access.expose());
        assert_eq!(
            access.is_ok(),
            matches!(defect, Some(Defect::AccessAsRefresh | Defect::UnknownGranted)),
            "{defect:?}"
        );
    }
}

#[test]
fn defects_of_parties_and_access_tokens_show() {
    let foreign = |defect: Defect| {
        let authority = strict(&[defect]);
        let pair = authority.login(0, 0, Scope::ALL, NOW);
        let first = ask(&authority, 1, pair.refresh.expose(), pair.access.expose()).is_ok();
        (first, refresh(&authority, &pair).is_ok())
    };
    assert!(foreign(Defect::ForeignTenantAccepted).0);
    assert_eq!(foreign(Defect::ForeignTenantRevokes), (false, false));

    let authority = strict(&[Defect::DefaultTenant]);
    let pair = authority.login(1, 1, Scope::ALL, NOW);
    assert_eq!(authority.probe(pair.access.expose(), NOW).unwrap().party, "01");

    let authority = strict(&[Defect::AccessUnchanged]);
    let pair = authority.login(0, 0, Scope::ALL, NOW);
    let next = refresh(&authority, &pair).unwrap();
    assert_eq!(next.access, pair.access);
    assert!(refresh(&authority, &next).is_ok());

    let authority = strict(&[Defect::AccessDead]);
    let pair = authority.login(0, 0, Scope::ALL, NOW);
    assert!(authority.probe(pair.access.expose(), NOW).is_ok());
    let next = refresh(&authority, &pair).unwrap();
    assert!(authority.probe(next.access.expose(), NOW).is_err());

    let authority = strict(&[Defect::ExpiredAccessRefused]);
    let pair = authority.login(0, 0, Scope::ALL, NOW);
    let later = Moment(NOW.0 + 300_000);
    let presented = Presented {
        party: Some(0),
        refresh: pair.refresh.expose(),
        access: Beside::Access(pair.access.expose()),
        scope: None,
    };
    assert_eq!(authority.refresh(&presented, later).unwrap_err(), Refusal::Mismatch);
}
