//! What fuzz targets of echat-client and echat-server run. The tests `decode` of these crates run it too, so it lies
//! there: echat-testkit depends on neither.

#[path = "../../echat-client/tests/decoders/mod.rs"]
pub mod decoders;

#[path = "../../echat-server/tests/decoders/mod.rs"]
pub mod server;
