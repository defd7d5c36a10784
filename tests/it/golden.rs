//! The mock's pipeline against what real ASP.NET answered.
