//! What may be a label (`k8s.io/apimachinery/pkg/util/validation` v0.35.4: `IsQualifiedName`,
//! `IsValidLabelValue`).

/// The longest name and the longest value.
const LONGEST_NAME: usize = 63;
/// The longest DNS name.
const LONGEST_SUBDOMAIN: usize = 253;

/// True for text of letters, digits and `extra`, with a letter or digit at both ends.
fn is_name(text: &str, extra: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// True for a lower-case DNS name (RFC 1123).
fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN
        && !text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.split('.').all(|part| is_name(part, b"-"))
}

/// Checks a label key: a name, with an optional DNS name and slash before it.
///
/// # Errors
///
/// If it is none.
pub fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(a, b)| (Some(a), b));
    let problem = if key.matches('/').count() > 1 {
        "a label key is a name, with an optional DNS name and one '/' before it"
    } else if prefix.is_some_and(str::is_empty) {
        "prefix part must be non-empty"
    } else if !prefix.is_none_or(is_dns_subdomain) {
        "prefix part must be a lower-case DNS name of at most 253 characters"
    } else if name.is_empty() {
        "name part must be non-empty"
    } else if name.len() > LONGEST_NAME {
        "name part must be no more than 63 characters"
    } else if !is_name(name, b"-_.") {
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and \
         end with an alphanumeric character"
    } else {
        return Ok(());
    };
    Err(format!("key: Invalid value: {key:?}: {problem}"))
}

/// Checks a label value.
///
/// # Errors
///
/// If it is none.
pub fn check_value(value: &str) -> Result<(), String> {
    let problem = if value.len() > LONGEST_NAME {
        "must be no more than 63 characters"
    } else if !value.is_empty() && !is_name(value, b"-_.") {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
         '.', and must start and end with an alphanumeric character"
    } else {
        return Ok(());
    };
    Err(format!("values: Invalid value: {value:?}: {problem}"))
}
