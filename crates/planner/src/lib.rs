//! What can be said about a move to Azure Managed Redis before any data moves: the size, the features that change,
//! the price, the days that are left.
//!
//! Everything is a function of its arguments, today's date included: no clock, no network, no files. The facts are
//! in a [`Catalog`] of dated tables, embedded and replaceable; what a table does not say is not guessed. Where
//! sources contradict, the catalogue has the newer statement and remembers the other with its date.

pub mod assess;
pub mod catalog;
pub mod connection;
pub mod date;
pub mod dates;
mod error;
pub mod features;
pub mod price;
pub mod scan;
pub mod sku;
pub mod tier;

pub use catalog::Catalog;
pub use date::Date;
pub use error::PlanError;
pub use tier::{Cloud, ClusteringPolicy, Series, Service, Tier};
