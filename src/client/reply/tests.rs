//! Every outcome of both built-in dialects, and what stands where.
