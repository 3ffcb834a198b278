//! Moves all times of a value by the same span: what was due in some time is still due in that time.
//!
//! The value is taken apart and rebuilt through its serialization, in which every [`Time`] is marked. So types that contain
//! times need no code for this.

use serde::de::DeserializeOwned;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};
use serde_json::{Error, Map, Value, to_value};

use super::time::Time;

/// The same value with all times `micros` microseconds later (earlier if negative). Times stay within the range that can be
/// written.
///
/// # Errors
/// The value cannot be written as JSON, or cannot be read back from it.
pub fn moved<T: Serialize + DeserializeOwned>(value: &T, micros: i64) -> Result<T, Error> {
    serde_json::from_value(value.serialize(Shift { by: micros })?)
}

#[derive(Clone, Copy)]
struct Shift {
    by: i64,
}

/// The parts of a value that is being built, and the name of its variant.
struct Parts<T> {
    shift: Shift,
    parts: T,
    key: String,
    variant: Option<&'static str>,
}

impl Shift {
    fn parts<T>(self, parts: T, variant: Option<&'static str>) -> Parts<T> {
        Parts { shift: self, parts, key: String::new(), variant }
    }
}

fn named(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Object(Map::from_iter([(name.to_owned(), value)])),
        None => value,
    }
}

macro_rules! leaves {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name(self, v: $kind) -> Result<Value, Error> { to_value(v) })*
    };
}

impl Serializer for Shift {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Parts<Vec<Value>>;
    type SerializeTuple = Parts<Vec<Value>>;
    type SerializeTupleStruct = Parts<Vec<Value>>;
    type SerializeTupleVariant = Parts<Vec<Value>>;
    type SerializeMap = Parts<Map<String, Value>>;
    type SerializeStruct = Parts<Map<String, Value>>;
    type SerializeStructVariant = Parts<Map<String, Value>>;

    leaves!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
            serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
            serialize_str: &str, serialize_bytes: &[u8]);

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, Error> {
        Ok(Value::from(variant))
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<Value, Error> {
        let value = value.serialize(self)?;
        match (name, value.as_i64()) {
            (Time::NAME, Some(micros)) => Ok(Value::from(micros.saturating_add(self.by))),
            _ => Ok(value),
        }
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(named(Some(variant), value.serialize(self)?))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Ok(self.parts(Vec::new(), None))
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Ok(self.parts(Vec::new(), None))
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Ok(self.parts(Vec::new(), None))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Ok(self.parts(Vec::new(), Some(variant)))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Ok(self.parts(Map::new(), None))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Error> {
        Ok(self.parts(Map::new(), None))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Ok(self.parts(Map::new(), Some(variant)))
    }
}

macro_rules! lists {
    ($($kind:ident $add:ident),*) => {
        $(impl $kind for Parts<Vec<Value>> {
            type Ok = Value;
            type Error = Error;
            fn $add<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
                self.parts.push(value.serialize(self.shift)?);
                Ok(())
            }
            fn end(self) -> Result<Value, Error> {
                Ok(named(self.variant, Value::Array(self.parts)))
            }
        })*
    };
}
lists!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
       SerializeTupleVariant serialize_field);

macro_rules! structs {
    ($($kind:ident),*) => {
        $(impl $kind for Parts<Map<String, Value>> {
            type Ok = Value;
            type Error = Error;
            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.parts.insert(key.to_owned(), value.serialize(self.shift)?);
                Ok(())
            }
            fn end(self) -> Result<Value, Error> {
                Ok(named(self.variant, Value::Object(self.parts)))
            }
        })*
    };
}
structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Parts<Map<String, Value>> {
    type Ok = Value;
    type Error = Error;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        self.key = match key.serialize(self.shift)? {
            Value::String(text) => text,
            Value::Number(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            other => return Err(Error::custom(format!("{other} can't be a key"))),
        };
        Ok(())
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let value = value.serialize(self.shift)?;
        self.parts.insert(std::mem::take(&mut self.key), value);
        Ok(())
    }
    fn end(self) -> Result<Value, Error> {
        Ok(Value::Object(self.parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        One(Time),
        Two(u8, Time),
        Named { at: Option<Time>, n: i64 },
    }

    #[test]
    fn times_are_moved_and_nothing_else_is() {
        let t = Time::from_micros;
        let value: (BTreeMap<u64, Vec<Kind>>, BTreeMap<Time, f64>, String) = (
            [(7, vec![Kind::Unit, Kind::One(t(100)), Kind::Two(9, t(50)), Kind::Named { at: Some(t(10)), n: 10 }])].into(),
            [(t(20), 0.1)].into(),
            "100".to_owned(),
        );
        let back = moved(&value, -7).unwrap();
        assert_eq!(back.0[&7], [Kind::Unit, Kind::One(t(93)), Kind::Two(9, t(43)), Kind::Named { at: Some(t(3)), n: 10 }]);
        assert_eq!((back.1, back.2), ([(t(13), 0.1)].into(), "100".to_owned()));
    }
}
