//! The two messages of Varlink: a call, and a reply to it.
//!
//! Their parameters are JSON objects here; which fields they have is said beside each interface, by the types that
//! implement [`Method`] and [`InterfaceError`]. Keys of a message that this crate does not know are ignored, as later
//! versions of Varlink may have more of them; unknown parameters are not.
//!
//! Source: <https://varlink.org/Method-Call>.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::interface::{InterfaceError, Method, Replies};
use super::varlink_service::Error as VarlinkError;

/// The parameters of a message: a JSON object.
pub type Parameters = Map<String, Value>;

/// A message that one side of a connection sends and the other bounds.
pub trait Message: Serialize + DeserializeOwned {
    /// The largest message of this kind, its end included.
    const MAX_BYTES: usize;
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The method's full name, such as `org.lvmwarden.Poll.List`.
    pub method: String,
    /// Its parameters; none when the client sent none, or null.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub parameters: Parameters,
    /// The client takes more than one reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
    /// The client wants no reply, not even an error.
    #[serde(default, skip_serializing_if = "is_false")]
    pub oneway: bool,
    /// The client wants to speak something else on this connection after the reply.
    #[serde(default, skip_serializing_if = "is_false")]
    pub upgrade: bool,
}

impl Message for Call {
    /// 64 KiB; the longest call that lvm's names and paths can make is some 10 KiB.
    const MAX_BYTES: usize = 64 * 1024;
}

impl Call {
    /// Makes the call of a method; it takes more than one reply when the method gives more.
    pub fn new<M: Method>(parameters: &M) -> Self {
        Self {
            method: M::NAME.to_owned(),
            parameters: object(parameters),
            more: M::REPLIES == Replies::Stream,
            oneway: false,
            upgrade: false,
        }
    }

    /// Reads the parameters of the method that was called.
    ///
    /// # Errors
    /// [`VarlinkError::InvalidParameter`] with the parameter's name; [`VarlinkError::ExpectedMore`] when the method
    /// gives more than one reply and the client does not take them.
    pub fn read<M: Method>(&self) -> Result<M, VarlinkError> {
        if M::REPLIES == Replies::Stream && !self.more {
            return Err(VarlinkError::ExpectedMore);
        }
        serde_path_to_error::deserialize(Value::Object(self.parameters.clone()))
            .map_err(|error| VarlinkError::InvalidParameter { parameter: parameter_name(&error) })
    }
}

/// What a service answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The error's full name, such as `org.lvmwarden.Poll.NotFound`; `None`: the call succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the method gives, or the error's parameters.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub parameters: Parameters,
    /// Another reply to the same call follows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub continues: bool,
}

impl Message for Reply {
    /// 16 MiB, which is where systemd's clients stop to read; ten thousand operations listed are about 6 MiB.
    ///
    /// Source: systemd 257, `sd-varlink.c` (`VARLINK_BUFFER_MAX`).
    const MAX_BYTES: usize = 16 * 1024 * 1024;
}

/// Why a call has not succeeded, as its client sees it.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service answered with an error; [`InterfaceError::from_refusal`] makes it a typed one.
    #[error("call a method: the service answered {error} {}", Value::Object(parameters.clone()))]
    Refused {
        /// The error's full name.
        error: String,
        /// Its parameters.
        parameters: Parameters,
    },
    /// The service answered something that is not the method's reply.
    #[error("read the reply to a call")]
    Unreadable(#[source] serde_json::Error),
}

impl Reply {
    /// Makes the last reply to a call, or the only one.
    pub fn last<M: Method>(reply: &M::Reply) -> Self {
        Self { error: None, parameters: object(reply), continues: false }
    }

    /// Makes a reply that another follows.
    pub fn continued<M: Method>(reply: &M::Reply) -> Self {
        Self { continues: true, ..Self::last::<M>(reply) }
    }

    /// Makes the reply of a call that failed; it is the last one.
    pub fn error<E: InterfaceError>(error: &E) -> Self {
        let mut fields = object(error);
        let name = fields.get("error").and_then(Value::as_str).expect("errors are tagged with their name");
        let name = format!("{}.{name}", E::INTERFACE);
        let parameters = match fields.remove("parameters") {
            Some(Value::Object(parameters)) => parameters,
            _ => Parameters::new(),
        };
        Self { error: Some(name), parameters, continues: false }
    }

    /// Reads the reply to a call of `M`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn read<M: Method>(self) -> Result<M::Reply, CallError> {
        match self.error {
            Some(error) => Err(CallError::Refused { error, parameters: self.parameters }),
            None => serde_json::from_value(Value::Object(self.parameters)).map_err(CallError::Unreadable),
        }
    }
}

fn object(fields: &impl Serialize) -> Parameters {
    match serde_json::to_value(fields) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("parameters, replies and errors are JSON objects, this is {other:?}"),
    }
}

/// Returns the name of the parameter that is meant.
///
/// A wrong value is known by its path, such as `lvname`. An absent or unknown parameter has none: `serde` names it in
/// its text, in the first pair of backticks.
fn parameter_name(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    if let Some(segment) = error.path().iter().next()
        && !matches!(segment, serde_path_to_error::Segment::Unknown)
    {
        return segment.to_string();
    }
    let text = error.inner().to_string();
    text.split('`').nth(1).unwrap_or("parameters").to_owned()
}

fn null_is_empty<'de, D: Deserializer<'de>>(source: D) -> Result<Parameters, D::Error> {
    Option::deserialize(source).map(Option::unwrap_or_default)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(flag: &bool) -> bool {
    !flag
}
