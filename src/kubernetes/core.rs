//! Namespaces and services.

use super::object::object;
use super::{Labels, ObjectMeta};

object! {
    /// A namespace.
    pub struct Namespace {
        pub metadata: ObjectMeta,
    }
}

object! {
    /// A service.
    pub struct Service {
        pub metadata: ObjectMeta,
        pub spec: ServiceSpec,
    }
}

object! {
    /// `spec` of a service.
    pub struct ServiceSpec {
        pub selector: Labels,
    }
}
