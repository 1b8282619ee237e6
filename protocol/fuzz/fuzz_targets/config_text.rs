//! Any bytes as config text.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../properties/config_text.rs"]
mod properties;

fuzz_target!(|message: &[u8]| {
    properties::config_text_survives_printing(message);
});
