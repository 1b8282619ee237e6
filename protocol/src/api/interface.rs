//! What an interface is made of: methods with typed parameters and replies, typed errors, and its text in Varlink's
//! interface definition language.
//!
//! The macro `interface!` declares one from a list of its methods. The list makes the type that a session matches on, and in
//! tests the list that is compared with the text: a method cannot be in one of them only.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::message::{Call, CallError};
use super::varlink_service::Error as VarlinkError;

/// How many replies a call of a method gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replies {
    /// One.
    One,
    /// One or more; the client must take them (`"more": true`).
    Stream,
}

/// A method; the parameters of a call of it are the type that implements this.
pub trait Method: Serialize + DeserializeOwned {
    /// Its full name, such as `org.lvmwarden.Poll.List`.
    const NAME: &'static str;
    /// How many replies it gives.
    const REPLIES: Replies;
    /// What each reply says.
    type Reply: Serialize + DeserializeOwned;
}

/// The errors of an interface, each by its name within it.
///
/// Implementors are serialized with `tag = "error", content = "parameters"`.
pub trait InterfaceError: Serialize + DeserializeOwned {
    /// The interface's name, such as `org.lvmwarden.Poll`.
    const INTERFACE: &'static str;

    /// Returns the error of this interface that a service answered with, if it is one.
    fn from_refusal(refusal: &CallError) -> Option<Self> {
        let CallError::Refused { error, parameters } = refusal else { return None };
        let name = error.strip_prefix(Self::INTERFACE)?.strip_prefix('.')?;
        let mut fields = serde_json::json!({ "error": name });
        if !parameters.is_empty() {
            fields["parameters"] = parameters.clone().into();
        }
        serde_json::from_value(fields).ok()
    }
}

/// The calls of an interface: an enum of its methods.
pub trait Interface: Send + Sized + 'static {
    /// The interface's name, such as `org.lvmwarden.Poll`.
    const NAME: &'static str;
    /// Its definition, as clients are told on demand.
    const DESCRIPTION: &'static str;

    /// Returns the full name of the method that is called.
    fn method(&self) -> &'static str;

    /// Finds the method that is called, and reads its parameters.
    ///
    /// # Errors
    /// [`VarlinkError::MethodNotFound`], and those of [`Call::read`].
    fn parse(call: &Call) -> Result<Self, VarlinkError>;
}

/// A reply that says no more than that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Done {}

/// Declares an interface: its name, the file of its text, and its methods with their replies.
///
/// The type of its errors is called `Error`, and stands beside.
macro_rules! interface {
    ($name:literal, $text:literal, { $($method:ident -> $replies:ident($reply:ty),)+ }) => {
        /// The interface's name.
        pub const NAME: &str = $name;

        /// The interface's definition, as clients are told on demand.
        pub const DESCRIPTION: &str = include_str!($text);

        /// A call of one of the interface's methods.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Request {
            $(
                #[doc = concat!("`", $name, ".", stringify!($method), "`")]
                $method($method),
            )+
        }

        $(
            impl $crate::api::interface::Method for $method {
                const NAME: &'static str = concat!($name, ".", stringify!($method));
                const REPLIES: $crate::api::interface::Replies = $crate::api::interface::Replies::$replies;
                type Reply = $reply;
            }
        )+

        impl $crate::api::interface::InterfaceError for Error {
            const INTERFACE: &'static str = NAME;
        }

        impl $crate::api::interface::Interface for Request {
            const NAME: &'static str = NAME;
            const DESCRIPTION: &'static str = DESCRIPTION;

            fn method(&self) -> &'static str {
                match self {
                    $(Self::$method(_) => <$method as $crate::api::interface::Method>::NAME,)+
                }
            }

            fn parse(
                call: &$crate::api::message::Call,
            ) -> Result<Self, $crate::api::varlink_service::Error> {
                match call.method.as_str() {
                    $(<$method as $crate::api::interface::Method>::NAME => call.read().map(Self::$method),)+
                    _ => Err($crate::api::varlink_service::Error::MethodNotFound { method: call.method.clone() }),
                }
            }
        }

        /// Returns the interface as the types above make it, to be compared with its text.
        #[cfg(test)]
        pub(in $crate::api) fn rust_interface() -> $crate::api::agreement::Interface {
            $crate::api::agreement::RustInterface::new(NAME)
                $(.method::<$method, $reply>(stringify!($method)))+
                .errors::<Error>()
        }
    };
}
pub(super) use interface;
