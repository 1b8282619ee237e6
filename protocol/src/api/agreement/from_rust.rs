//! What the Rust types say, by their JSON schemas.
//!
//! An enum with fields is one object in Varlink: each of its variants has some of the fields, and a field that not all
//! of them have may be null.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::Value;

use super::Interface;

/// An interface that is being put together.
pub(in crate::api) struct RustInterface {
    statements: Interface,
}

impl RustInterface {
    pub(in crate::api) fn new(name: &str) -> Self {
        Self { statements: Interface::from([format!("interface {name}")]) }
    }

    pub(in crate::api) fn method<Parameters: JsonSchema, Reply: JsonSchema>(mut self, name: &str) -> Self {
        let what = format!("method {name}");
        let parameters = schema::<Parameters>(Contract::Deserialize);
        assert_eq!(parameters["additionalProperties"], false, "{name} denies unknown parameters");
        self.add_fields(&what, "parameter", &parameters, &parameters);
        let reply = schema::<Reply>(Contract::Serialize);
        self.add_fields(&what, "reply", &reply, &reply);
        self.add_types(&parameters);
        self.add_types(&reply);
        self
    }

    pub(in crate::api) fn errors<Error: JsonSchema>(mut self) -> Interface {
        let errors = schema::<Error>(Contract::Serialize);
        for error in variants(&errors).expect("errors are an enum with a tag") {
            let name = error["properties"]["error"]["const"].as_str().expect("the tag of an error");
            self.add_fields(
                &format!("error {name}"),
                "parameter",
                &error["properties"]["parameters"],
                &errors,
            );
        }
        self.add_types(&errors);
        self.statements
    }

    fn add_fields(&mut self, what: &str, role: &str, object: &Value, root: &Value) {
        self.statements.insert(what.to_owned());
        for (name, varlink_type) in fields(object, root) {
            self.statements.insert(format!("{what}, {role} {name}: {varlink_type}"));
        }
    }

    /// Adds the types that are defined beside the schema `root`, but those that are only texts to Varlink.
    fn add_types(&mut self, root: &Value) {
        for (name, definition) in root["$defs"].as_object().into_iter().flatten() {
            let what = format!("type {name}");
            if let Some(words) = words(definition) {
                self.statements.insert(format!("{what} ({})", words.join(", ")));
            } else if is_object(definition) {
                self.add_fields(&what, "field", definition, root);
            }
        }
    }
}

fn schema<T: JsonSchema>(contract: Contract) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.contract = contract);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Returns the fields of an object or of an enum with fields, with their Varlink types.
fn fields(object: &Value, root: &Value) -> BTreeMap<String, String> {
    let Some(variants) = variants(object) else { return fields_of_struct(object, root) };
    let all: Vec<_> = variants.iter().map(|variant| fields_of_struct(variant, root)).collect();
    let mut merged = BTreeMap::<String, String>::new();
    for (name, varlink_type) in all.iter().flatten() {
        let tag_so_far = merged.get(name).and_then(|known| known.strip_suffix(')'));
        let merged_type = match (tag_so_far, varlink_type.strip_prefix('(')) {
            (Some(words), Some(word)) => format!("{words}, {word}"),
            _ if all.iter().all(|fields| fields.contains_key(name)) => varlink_type.clone(),
            _ => format!("?{}", varlink_type.trim_start_matches('?')),
        };
        merged.insert(name.clone(), merged_type);
    }
    merged
}

fn fields_of_struct(object: &Value, root: &Value) -> BTreeMap<String, String> {
    let required =
        |name: &str| object["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let properties = object["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| {
            let varlink_type = varlink_type(schema, root);
            let optional = !required(name) && !varlink_type.starts_with('?');
            (name.clone(), if optional { format!("?{varlink_type}") } else { varlink_type })
        })
        .collect()
}

/// Words a schema as Varlink does, such as `?[]Operation`.
fn varlink_type(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        let definition = &root["$defs"][name];
        let is_named = words(definition).is_some() || is_object(definition);
        return if is_named { name.to_owned() } else { varlink_type(definition, root) };
    }
    if let Some([value, null]) = schema["anyOf"].as_array().map(Vec::as_slice)
        && null["type"] == "null"
    {
        return format!("?{}", varlink_type(value, root));
    }
    if let Some([value, null]) = schema["type"].as_array().map(Vec::as_slice)
        && null == "null"
    {
        let mut not_null = schema.clone();
        not_null["type"] = value.clone();
        return format!("?{}", varlink_type(&not_null, root));
    }
    if let Some(words) = words(schema) {
        return format!("({})", words.join(", "));
    }
    match schema["type"].as_str() {
        Some("boolean") => "bool".to_owned(),
        Some("integer") => "int".to_owned(),
        Some("number") => "float".to_owned(),
        Some("string") => "string".to_owned(),
        Some("array") => format!("[]{}", varlink_type(&schema["items"], root)),
        Some("object") => format!("[string]{}", varlink_type(&schema["additionalProperties"], root)),
        _ => panic!("Varlink has no word for {schema}"),
    }
}

/// Returns the words of an enum without fields.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(word) = schema["const"].as_str() {
        return Some(vec![word]);
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::as_str).collect();
    }
    // Words with docs are a list each of their own.
    let lists: Option<Vec<_>> = schema["oneOf"].as_array()?.iter().map(words).collect();
    lists.map(|lists| lists.concat())
}

/// Returns the variants of an enum with fields.
fn variants(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().filter(|_| words(schema).is_none())
}

fn is_object(schema: &Value) -> bool {
    schema["type"] == "object" || variants(schema).is_some()
}
