//! The switches of the pipeline: defects and variants, as a set that is cheap to ask.

use std::collections::HashSet;

use crate::suite::defect::Defect;
use crate::suite::environment::Variant;

/// What is switched on.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    defects: HashSet<Defect>,
    variants: HashSet<Variant>,
}

impl Quirks {
    /// These and no others.
    pub fn new(defects: &[Defect], variants: &[Variant]) -> Quirks {
        Quirks { defects: defects.iter().copied().collect(), variants: variants.iter().copied().collect() }
    }

    /// Whether a defect is switched on.
    pub fn has(&self, defect: Defect) -> bool {
        self.defects.contains(&defect)
    }

    /// Whether a variant is switched on.
    pub fn is(&self, variant: Variant) -> bool {
        self.variants.contains(&variant)
    }
}
