//! What a `.varlink` file says.

use zlink_idl::{CustomType, Field, Interface as Idl};

use super::Interface;

/// Reads an interface's text.
pub(super) fn interface(text: &str) -> Interface {
    let idl = Idl::try_from(text).expect("the text is in Varlink's interface definition language");
    let mut statements = Interface::from([format!("interface {}", idl.name())]);
    for method in idl.methods() {
        let what = format!("method {}", method.name());
        add_fields(&mut statements, &what, "parameter", method.inputs());
        add_fields(&mut statements, &what, "reply", method.outputs());
    }
    for custom in idl.custom_types() {
        let what = format!("type {}", custom.name());
        match custom {
            CustomType::Object(object) => add_fields(&mut statements, &what, "field", object.fields()),
            CustomType::Enum(words) => {
                let words: Vec<_> = words.variants().map(|word| word.name().to_string()).collect();
                statements.insert(format!("{what} ({})", words.join(", ")));
            }
        }
    }
    for error in idl.errors() {
        add_fields(&mut statements, &format!("error {}", error.name()), "parameter", error.fields());
    }
    statements
}

fn add_fields<'f>(
    statements: &mut Interface,
    what: &str,
    role: &str,
    fields: impl Iterator<Item = &'f Field<'f>>,
) {
    statements.extend(fields.map(|field| format!("{what}, {role} {}: {}", field.name(), field.ty())));
    statements.insert(what.to_owned());
}
