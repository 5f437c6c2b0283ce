// An operator of libtorch's dispatcher with its schema digested once: what each argument converts from.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <vector>

namespace binding {

enum class Kind { tensor, integer, floating, boolean, scalar, string, dtype, device, layout, memory_format, unsupported };

struct ArgumentSpec {
  std::string name;
  // The type as the schema prints it, for messages: "Tensor?", "int[2]".
  std::string type;
  Kind kind = Kind::unsupported;
  bool is_list = false;
  bool optional = false;
  bool optional_elements = false;
  bool keyword_only = false;
  bool has_default = false;
  // The length that a lone number is repeated to ("int[2] stride" takes 3); 0 where it is not.
  int64_t repeat = 0;
  c10::IValue default_value;
};

struct Operator {
  std::string name;
  c10::OperatorHandle handle;
  std::vector<ArgumentSpec> arguments;
  size_t required = 0;

  explicit Operator(c10::OperatorHandle handle);
};

// Finds "aten::add" with overload "Tensor" ("" where it has none); throws JsError "unknown-operator".
c10::OperatorHandle find_operator(const std::string& name, const std::string& overload);
// All overloads of a name, in the dispatcher's order sorted by name.
std::vector<std::string> overloads_of(const std::string& name);

}  // namespace binding
