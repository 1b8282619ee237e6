//! `org.varlink.service`: what every Varlink service can be asked, and the errors that any method may give.
//!
//! Source: <https://varlink.org/Service>; systemd 257 for `PermissionDenied` and `ExpectedMore`.

use serde::{Deserialize, Serialize};

use super::interface::interface;

interface!("org.varlink.service", "org.varlink.service.varlink", {
    GetInfo -> One(GetInfoReply),
    GetInterfaceDescription -> One(GetInterfaceDescriptionReply),
});

/// Asks which service this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GetInfo {}

/// Says which service this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GetInfoReply {
    /// Who makes it.
    pub vendor: String,
    /// Its name.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Where to read about it.
    pub url: String,
    /// The names of its interfaces.
    pub interfaces: Vec<String>,
}

/// Asks for an interface's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GetInterfaceDescription {
    /// The interface's name.
    pub interface: String,
}

/// Gives an interface's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GetInterfaceDescriptionReply {
    /// Its text, in Varlink's interface definition language.
    pub description: String,
}

/// Why a call is refused, whatever its interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// There is no such interface.
    #[error("find the interface {interface:?}")]
    InterfaceNotFound {
        /// Its name as it was given.
        interface: String,
    },
    /// The interface has no such method.
    #[error("find the method {method:?}")]
    MethodNotFound {
        /// Its name as it was given.
        method: String,
    },
    /// The method exists, but cannot be called in this way.
    #[error("call {method} in this way: it is not implemented")]
    MethodNotImplemented {
        /// Its full name.
        method: String,
    },
    /// A parameter is absent, unknown, or has a wrong value.
    #[error("read the parameter {parameter:?}")]
    InvalidParameter {
        /// Its name; `parameters` when none can be told.
        parameter: String,
    },
    /// The client may not call this method.
    #[error("call the method: permission denied")]
    PermissionDenied,
    /// The method gives more than one reply, and the client did not say that it takes them.
    #[error("call the method: it gives more than one reply, and \"more\" is not set")]
    ExpectedMore,
}
