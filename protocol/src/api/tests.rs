//! One example of each message, exactly as it is sent, and what is refused.

mod examples;
mod refusals;
