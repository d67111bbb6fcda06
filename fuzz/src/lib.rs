//! What fuzz targets of echat-client run. The test `decode` of that crate runs it too, so it lies there:
//! echat-testkit does not depend on echat-client.

#[path = "../../echat-client/tests/decoders/mod.rs"]
pub mod decoders;
