// The one door to libtorch's operators: resolve a name once, then call it with arguments converted by its schema.
#include "exports.h"

#include <c10/util/Exception.h>

#include "convert.h"

namespace binding {
namespace {

constexpr size_t max_arguments = 48;

napi_value describe_operator(napi_env env, const Operator& op, size_t index) {
  napi_value result;
  napi_value list;
  NODE_API(napi_create_object(env, &result));
  NODE_API(napi_create_array_with_length(env, op.arguments.size(), &list));
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const ArgumentSpec& spec = op.arguments[i];
    napi_value item;
    NODE_API(napi_create_object(env, &item));
    set_property(env, item, "name", make_string(env, spec.name));
    set_property(env, item, "type", make_string(env, spec.type));
    set_property(env, item, "required", make_bool(env, !spec.has_default && !spec.optional));
    set_property(env, item, "keywordOnly", make_bool(env, spec.keyword_only));
    NODE_API(napi_set_element(env, list, static_cast<uint32_t>(i), item));
  }
  std::string schema = c10::toString(op.handle.schema());
  set_property(env, result, "index", make_number(env, static_cast<double>(index)));
  set_property(env, result, "name", make_string(env, op.name));
  set_property(env, result, "schema", make_string(env, schema));
  set_property(env, result, "arguments", list);
  return result;
}

// resolve(name, overload) → { index, name, schema, arguments }
napi_value resolve(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  const std::string name = get_string(instance.env, args[0]);
  const std::string overload = get_string(instance.env, args[1]);
  const std::string key = name + "." + overload;
  auto known = instance.operator_index.find(key);
  if (known == instance.operator_index.end()) {
    instance.operators.push_back(std::make_unique<Operator>(find_operator(name, overload)));
    known = instance.operator_index.emplace(key, instance.operators.size() - 1).first;
  }
  return describe_operator(instance.env, *instance.operators[known->second], known->second);
}

// overloads(name) → string[], empty for an unknown operator
napi_value overloads(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const auto names = overloads_of(get_string(instance.env, args[0]));
  napi_value result;
  NODE_API(napi_create_array_with_length(instance.env, names.size(), &result));
  for (size_t i = 0; i < names.size(); ++i)
    NODE_API(napi_set_element(instance.env, result, static_cast<uint32_t>(i), make_string(instance.env, names[i])));
  return result;
}

// The tensors among the arguments, those in lists too, for an error's `shapes` field.
// Read from JavaScript's values, as a failed operator may have emptied the stack.
void add_shapes(Instance& instance, napi_value value, std::string& shapes) {
  // A list of thousands of tensors fits in no message.
  constexpr size_t longest = 1000;
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(instance.env, value, &is_array) == napi_ok && is_array) {
    length = list_length(instance.env, value);
    for (uint32_t i = 0; i < length && shapes.size() < longest; ++i) {
      napi_value element;
      NODE_API(napi_get_element(instance.env, value, i, &element));
      if (type_of(instance.env, element) != napi_bigint) return;
      add_shapes(instance, element, shapes);
    }
    return;
  }
  uint64_t handle;
  bool lossless;
  if (napi_get_value_bigint_uint64(instance.env, value, &handle, &lossless) != napi_ok) return;
  const at::Tensor* tensor = instance.tensors.find(handle);
  if (tensor != nullptr) shapes += (shapes.empty() ? "" : "; ") + describe(*tensor);
}

JsError operator_error(Instance& instance, const Operator& op, const char* code, const char* message,
                       const napi_value* values, size_t count) {
  std::string shapes;
  for (size_t i = 0; i < count; ++i) add_shapes(instance, values[i], shapes);
  return {code, op.name + ": " + message, {{"operator", op.name}, {"shapes", shapes}}};
}

// Runs the operator that the call's first argument names on the rest; leaves its results.
torch::jit::Stack dispatch(Instance& instance, napi_callback_info info) {
  Arguments<max_arguments + 1> args(instance.env, info);
  uint32_t index = 0;
  NODE_API(napi_get_value_uint32(instance.env, args[0], &index));
  if (index >= instance.operators.size()) throw JsError{"internal", "no operator has this index", {}};
  const Operator& op = *instance.operators[index];
  const napi_value* values = args.values + 1;
  const size_t given = args.count - 1;
  if (given > op.arguments.size())
    throw JsError{"argument",
                  op.name + ": takes " + std::to_string(op.arguments.size()) + " arguments, got " + std::to_string(given),
                  {{"operator", op.name}}};

  torch::jit::Stack stack;
  stack.reserve(op.arguments.size() + 1);
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    const ArgumentSpec& spec = op.arguments[i];
    if (i < given)
      stack.push_back(to_ivalue(instance, op, spec, values[i]));
    else if (spec.has_default)
      stack.push_back(spec.default_value);
    else if (spec.optional)
      stack.emplace_back();
    else
      throw JsError{"argument",
                    op.name + ": argument '" + spec.name + "': expected " + spec.type + ", got nothing",
                    {{"operator", op.name}, {"argument", spec.name}, {"expected", spec.type}, {"received", "nothing"}}};
  }
  try {
    op.handle.callBoxed(stack);
  } catch (const c10::OutOfMemoryError& error) {
    throw operator_error(instance, op, "out-of-memory", error.what_without_backtrace(), values, given);
  } catch (const c10::Error& error) {
    throw operator_error(instance, op, "operator", error.what_without_backtrace(), values, given);
  } catch (const std::exception& error) {
    throw operator_error(instance, op, "operator", error.what(), values, given);
  }
  return stack;
}

// call(index, ...arguments) → result
napi_value call(Instance& instance, napi_callback_info info) {
  const torch::jit::Stack results = dispatch(instance, info);
  if (results.empty()) return undefined(instance.env);
  if (results.size() == 1) return from_ivalue(instance, results[0]);
  napi_value array;
  NODE_API(napi_create_array_with_length(instance.env, results.size(), &array));
  for (size_t i = 0; i < results.size(); ++i)
    NODE_API(napi_set_element(instance.env, array, static_cast<uint32_t>(i), from_ivalue(instance, results[i])));
  return array;
}

// run(index, ...arguments): for operators that write to an argument; what they return is that argument
napi_value run(Instance& instance, napi_callback_info info) {
  dispatch(instance, info);
  return undefined(instance.env);
}

}  // namespace

void export_call(napi_env env, napi_value exports) {
  export_all(env, exports, {{"resolve", entry<resolve>}, {"overloads", entry<overloads>}, {"call", entry<call>}, {"run", entry<run>}});
}

}  // namespace binding
