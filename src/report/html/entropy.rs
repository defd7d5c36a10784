//! How hard tokens are to guess: the estimate, what bounds it, and the picture.

use super::chart::{Figure, bits};
use crate::report::clean::line;
use crate::results::wording::count;
use crate::results::{Run, TokenEntropy};

pub(super) struct View {
    pub(super) sentence: String,
    pub(super) bad: bool,
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) bounds: Vec<(String, String)>,
    pub(super) structure: Vec<String>,
    pub(super) picture: Option<Figure>,
}

impl View {
    /// What a check found; nothing where none looked.
    pub(super) fn of(run: &Run) -> Option<View> {
        let entropy = run.entropy.as_ref()?;
        let found = run.checks.iter().find(|check| check.id == entropy.check);
        let bad = found
            .is_some_and(|check| check.findings.iter().any(|finding| finding.claim.ends_with("entropy")));
        Some(View {
            sentence: format!(
                "About {:.0} bits of a {} token cannot be guessed: {}.",
                entropy.bits,
                line(&entropy.field),
                line(&entropy.why)
            ),
            bad,
            figures: figures(entropy),
            bounds: entropy.bounds.iter().map(|(name, bits)| (line(name), format!("{bits:.1}"))).collect(),
            structure: entropy.structure.iter().map(|text| line(text)).collect(),
            picture: (!entropy.position_bits.is_empty()).then(|| bits::picture(entropy)),
        })
    }
}

fn figures(entropy: &TokenEntropy) -> Vec<(&'static str, String)> {
    let (shortest, longest) = entropy.length;
    let length = if shortest == longest { format!("{shortest}") } else { format!("{shortest} to {longest}") };
    let worst = entropy.bit_sigma.iter().fold(0.0_f64, |worst, sigma| worst.max(sigma.abs()));
    let (start, end) = entropy.constant;
    vec![
        ("tokens looked at", count(entropy.tokens)),
        ("of these different", count(entropy.distinct)),
        ("form", line(&entropy.form)),
        ("characters", length),
        ("alphabet", format!("{} ({})", line(&entropy.alphabet), entropy.alphabet_size)),
        ("constant at start and end", format!("{start} and {end}")),
        ("furthest bias of a bit", format!("{worst:.1} σ")),
        (
            "given to two callers, of all seen",
            format!("{} of {}", count(entropy.shared), count(entropy.seen)),
        ),
    ]
}
