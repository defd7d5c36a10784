//! Standards: how strictly a check is read, by where its rule comes from.
//!
//! The catalogue is written with the strength that the text behind a rule has. What rests on nothing but a text that no
//! chosen standard stands for is lowered: the endpoint never promised to keep to it. What a standard insists on is
//! raised. What a suite says of itself is left as it says it.

use super::super::check::{Basis, Check, Standard, Standing};
use super::super::claim::Strength;

/// The RFCs of OAuth 2.0 that checks rest on.
const OAUTH: [&str; 6] = ["6749", "6750", "7009", "9068", "9449", "9700"];

/// Reads a check as the standards want it; a standing, where none of them asks for it at all.
pub(super) fn read(check: &mut Check, standards: &[Standard]) -> Option<Standing> {
    let has = |standard: Standard| standards.contains(&standard);
    let rests_on = |own: &dyn Fn(&Basis) -> bool| !check.basis.is_empty() && check.basis.iter().all(own);
    if check.group != "own" {
        // FAPI forbids what others want, so without it such a check says nothing.
        if rests_on(&|basis| matches!(basis, Basis::Fapi(_))) && !has(Standard::Fapi2) {
            let reason = "only the standard `fapi2` asks for it".to_owned();
            return Some(Standing::Skip { reason, at: check.place(check.at) });
        }
        let oauth = has(Standard::Oauth2) || has(Standard::Fapi2);
        let foreign =
            |basis: &Basis| (is_aspnet(basis) && !has(Standard::Aspnet)) || (is_oauth(basis) && !oauth);
        if rests_on(&foreign) {
            grade(check, lowered);
        }
    }
    for standard in standards {
        raise(check, *standard);
    }
    None
}

fn raise(check: &mut Check, standard: Standard) {
    let any = |matches: fn(&Basis) -> bool| check.basis.iter().any(matches);
    match standard {
        // As it is written: the page's own rules are, and so are those of the RFCs.
        Standard::Contract | Standard::Oauth2 => {}
        // A host that is known does all that it is known for.
        Standard::Aspnet if any(is_aspnet) => grade(check, |_| Strength::Must),
        Standard::Fapi2 if any(|basis| matches!(basis, Basis::Fapi(_))) => grade(check, |_| Strength::Must),
        Standard::Secure
            if any(|basis| matches!(basis, Basis::Practice | Basis::Rfc(_) | Basis::Issue(_))) =>
        {
            grade(check, raised);
        }
        Standard::Aspnet | Standard::Fapi2 | Standard::Secure => {}
    }
}

fn lowered(strength: Strength) -> Strength {
    match strength {
        Strength::Must => Strength::Should,
        Strength::Should | Strength::Info | Strength::Given => strength,
    }
}

fn raised(strength: Strength) -> Strength {
    match strength {
        Strength::Should => Strength::Must,
        Strength::Must | Strength::Info | Strength::Given => strength,
    }
}

fn is_aspnet(basis: &Basis) -> bool {
    matches!(basis, Basis::Aspnet(_))
}

fn is_oauth(basis: &Basis) -> bool {
    match basis {
        Basis::Rfc(section) => OAUTH.contains(&section.split(' ').next().unwrap_or_default()),
        Basis::Oidc(_) => true,
        Basis::Page
        | Basis::Policy
        | Basis::Practice
        | Basis::Aspnet(_)
        | Basis::Fapi(_)
        | Basis::Issue(_) => false,
    }
}

/// Gives every claim but `given` another strength.
pub(super) fn grade(check: &mut Check, to: impl Fn(Strength) -> Strength) {
    let of_steps = check.steps.iter_mut().flat_map(|step| &mut step.claims);
    let of_all = check.always.iter_mut().flat_map(|always| &mut always.claims);
    let of_sets = check.together.iter_mut().flat_map(|set| &mut set.claims);
    let strengths = of_steps
        .chain(of_all)
        .map(|claim| &mut claim.strength)
        .chain(of_sets.map(|claim| &mut claim.strength));
    for strength in strengths.filter(|strength| **strength != Strength::Given) {
        *strength = to(*strength);
    }
}
