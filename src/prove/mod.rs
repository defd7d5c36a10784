//! The suite against every defect: the kill table.
