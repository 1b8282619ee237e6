//! Any bytes as a request to lvmlockd, and as a reply of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/lock_requests.rs"]
mod properties;

fuzz_target!(|message: &[u8]| {
    properties::lock_requests_survive_writing(message);
});
