#include "operator.h"

#include <ATen/core/jit_type.h>

#include <algorithm>

#include "node_api_util.h"

namespace binding {
namespace {

Kind kind_of(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::tensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::integer;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType: return Kind::floating;
    case c10::TypeKind::BoolType: return Kind::boolean;
    case c10::TypeKind::NumberType: return Kind::scalar;
    case c10::TypeKind::StringType: return Kind::string;
    case c10::TypeKind::ScalarTypeType: return Kind::dtype;
    case c10::TypeKind::DeviceObjType: return Kind::device;
    case c10::TypeKind::LayoutType: return Kind::layout;
    case c10::TypeKind::MemoryFormatType: return Kind::memory_format;
    default: return Kind::unsupported;
  }
}

// Written over the type's last expression, as Optional and List nest: Tensor?[] is a list of optional tensors.
ArgumentSpec digest(const c10::Argument& argument) {
  ArgumentSpec spec;
  spec.name = argument.name();
  spec.keyword_only = argument.kwarg_only();
  c10::TypePtr type = argument.real_type();
  spec.type = type->str();
  if (auto optional = type->cast<c10::OptionalType>()) {
    spec.optional = true;
    type = optional->getElementType();
  }
  if (auto list = type->cast<c10::ListType>()) {
    spec.is_list = true;
    type = list->getElementType();
    if (auto optional = type->cast<c10::OptionalType>()) {
      spec.optional_elements = true;
      type = optional->getElementType();
    }
    if (argument.N()) spec.repeat = *argument.N();
  }
  spec.kind = kind_of(*type);
  if (argument.default_value()) {
    spec.has_default = true;
    spec.default_value = *argument.default_value();
  }
  return spec;
}

}  // namespace

Operator::Operator(c10::OperatorHandle found) : handle(found) {
  const c10::FunctionSchema& schema = handle.schema();
  name = schema.name() + (schema.overload_name().empty() ? "" : "." + schema.overload_name());
  for (const c10::Argument& argument : schema.arguments()) {
    arguments.push_back(digest(argument));
    if (!arguments.back().has_default && !arguments.back().optional) required = arguments.size();
  }
}

std::vector<std::string> overloads_of(const std::string& name) {
  std::vector<std::string> result;
  for (const c10::OperatorName& candidate : c10::Dispatcher::singleton().getAllOpNames())
    if (candidate.name == name) result.push_back(candidate.overload_name);
  std::sort(result.begin(), result.end());
  return result;
}

c10::OperatorHandle find_operator(const std::string& name, const std::string& overload) {
  auto found = c10::Dispatcher::singleton().findSchema({name, overload});
  if (found) return *found;
  std::string known;
  for (const std::string& candidate : overloads_of(name))
    known += (known.empty() ? "" : ", ") + (candidate.empty() ? std::string("default") : candidate);
  const std::string full = overload.empty() ? name : name + "." + overload;
  throw JsError{"unknown-operator",
                "libtorch has no operator " + full + (known.empty() ? "" : "; its overloads are " + known),
                {{"operator", full}, {"overloads", known}}};
}

}  // namespace binding
