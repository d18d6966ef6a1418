//! Against a real Azurite, through a relay that cuts connections where that matters.

#[path = "azurite/entra.rs"]
mod entra;
#[path = "azurite/read.rs"]
mod read;
#[path = "azurite/refused.rs"]
mod refused;
#[path = "azurite/support.rs"]
mod support;
#[path = "azurite/write.rs"]
mod write;
