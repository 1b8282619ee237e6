//! Which daemon this is, and what its interfaces look like.

use std::sync::Arc;

use lvmwarden_protocol::api::service::{
    Error as ServiceError, Info, InfoReply, Request as ServiceRequest, Stop,
};
use lvmwarden_protocol::api::varlink_service::{
    Error, GetInfo, GetInfoReply, GetInterfaceDescription, GetInterfaceDescriptionReply, Request,
};
use lvmwarden_protocol::api::{CodecError, Done, Method, Reply};

use super::Own;
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{Described, Part, reply};
use crate::service::ServiceEnvironment;

const PRODUCT: &str = "lvmwarden";
/// Where to read about it: the manual, for it is on the host.
const URL: &str = "man:lvmwardend(8)";

/// `org.varlink.service`.
pub(super) struct About {
    pub(super) environment: Arc<ServiceEnvironment>,
    /// All interfaces.
    pub(super) described: Arc<[Described]>,
}

impl Part for About {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[GetInfo::NAME, GetInterfaceDescription::NAME];

    async fn answer(
        &self,
        _: u32,
        request: Request,
        _: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let reply = match request {
            Request::GetInfo(_) => self.get_info(),
            Request::GetInterfaceDescription(asked) => {
                reply::<GetInterfaceDescription, _>(self.describe(&asked))
            }
        };
        Ok(reply.into())
    }
}

impl About {
    fn get_info(&self) -> Reply {
        Reply::last::<GetInfo>(&GetInfoReply {
            vendor: PRODUCT.to_owned(),
            product: PRODUCT.to_owned(),
            version: self.environment.info.version.clone(),
            url: URL.to_owned(),
            interfaces: self.described.iter().map(|part| part.name.to_owned()).collect(),
        })
    }

    fn describe(&self, asked: &GetInterfaceDescription) -> Result<GetInterfaceDescriptionReply, Error> {
        let found = self.described.iter().find(|part| part.name == asked.interface);
        let found = found.ok_or_else(|| Error::InterfaceNotFound { interface: asked.interface.clone() })?;
        Ok(GetInterfaceDescriptionReply { description: found.description.to_owned() })
    }
}

/// `org.lvmwarden.Service`.
pub(super) struct Whole(pub(super) Own);

impl Part for Whole {
    type Request = ServiceRequest;

    const WATCHING: &'static [&'static str] = &[Info::NAME];

    async fn answer(
        &self,
        _: u32,
        request: ServiceRequest,
        _: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        let reply = match request {
            ServiceRequest::Info(_) => self.info().await,
            // It is carried out after the reply.
            ServiceRequest::Stop(_) => {
                let refusal = self.0.environment.why_not_to_end(&self.0.context.registry).await;
                let refusal = refusal.map(|reason| ServiceError::StillNeeded { reason });
                reply::<Stop, _>(refusal.map_or(Ok(Done {}), Err))
            }
        };
        Ok(reply.into())
    }
}

impl Whole {
    async fn info(&self) -> Reply {
        let environment = &self.0.environment;
        let mut lock_problem = None;
        for role in environment.roles.iter().filter(|role| role.name() == "lock") {
            lock_problem = role.problem().await;
        }
        Reply::last::<Info>(&InfoReply {
            product: PRODUCT.to_owned(),
            version: environment.info.version.clone(),
            url: URL.to_owned(),
            pid: std::process::id(),
            started_at: environment.info.started_at.to_string(),
            instance: environment.info.instance.clone(),
            roles: environment.info.roles.clone(),
            history_problem: environment.history_problem(),
            lock_problem,
        })
    }
}
