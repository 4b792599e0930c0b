//! How an object is read and written: one macro, so that every type treats absent fields alike.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default value, as the API server does.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// True for what is left out when an object is written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Declares a type of the API: camelCase, every field optional, `null` the same as absent, and
/// default values not written. Types are hashable, because equal specifications are shared.
macro_rules! object {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$field_attribute:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                $(#[$field_attribute])*
                #[serde(
                    deserialize_with = "crate::kubernetes::object::null_as_default",
                    skip_serializing_if = "crate::kubernetes::object::is_default"
                )]
                pub $field: $type,
            )*
        }
    };
}
pub(super) use object;
