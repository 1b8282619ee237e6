//! Any bytes as a request to lvmpolld, and as a reply of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/requests.rs"]
mod properties;

fuzz_target!(|message: &[u8]| {
    properties::requests_survive_writing(message);
});
