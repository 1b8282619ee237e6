//! Any bytes as calls of the JSON API.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/api.rs"]
mod properties;

fuzz_target!(|stream: &[u8]| {
    properties::calls_survive_writing(stream);
});
