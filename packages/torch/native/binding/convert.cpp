#include "convert.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "dtypes.h"

namespace binding {
namespace {

constexpr double max_safe_integer = 9007199254740991.0;
// More than libtorch's kernels take.
constexpr uint32_t most_dimensions = 64;

// Thrown inside this file; to_ivalue adds the operator and the argument. Of a list it says what the element is that
// does not fit, else nothing.
struct Mismatch {
  std::string received;
};

bool is_whole(double value) {
  return std::trunc(value) == value && std::fabs(value) <= max_safe_integer && !(value == 0 && std::signbit(value));
}

// A bigint beyond 2^53 arrives as a NUL and its digits, as a bigint itself always means a tensor.
int64_t parse_big_integer(const std::string& text) {
  if (text.size() < 2 || text.front() != '\0') throw Mismatch{};
  char* end = nullptr;
  errno = 0;
  const long long result = std::strtoll(text.c_str() + 1, &end, 10);
  if (errno != 0 || end != text.c_str() + text.size()) throw Mismatch{"the bigint " + text.substr(1)};
  return result;
}

int64_t to_integer(napi_env env, napi_value value) {
  const napi_valuetype type = type_of(env, value);
  if (type == napi_number) {
    const double number = get_number(env, value);
    if (std::trunc(number) != number || std::fabs(number) > max_safe_integer) throw Mismatch{};
    return static_cast<int64_t>(number);
  }
  if (type == napi_string) return parse_big_integer(get_string(env, value));
  if (type == napi_boolean) return get_bool(env, value) ? 1 : 0;
  throw Mismatch{};
}

at::Scalar scalar_or_mismatch(napi_env env, napi_value value) {
  const napi_valuetype type = type_of(env, value);
  if (type == napi_number) {
    const double number = get_number(env, value);
    return is_whole(number) ? at::Scalar(static_cast<int64_t>(number)) : at::Scalar(number);
  }
  if (type == napi_boolean) return at::Scalar(get_bool(env, value));
  if (type == napi_string) return at::Scalar(to_integer(env, value));
  throw Mismatch{};
}

// What a tensor-taking argument got: a live tensor, or one of two different errors.
const at::Tensor& tensor_or_mismatch(Instance& instance, napi_value value) {
  if (type_of(instance.env, value) != napi_bigint) throw Mismatch{};
  return instance.tensor(value, "");
}

c10::IValue one(Instance& instance, Kind kind, napi_value value) {
  napi_env env = instance.env;
  switch (kind) {
    case Kind::tensor: return tensor_or_mismatch(instance, value);
    case Kind::integer: return to_integer(env, value);
    case Kind::floating:
      if (type_of(env, value) != napi_number) throw Mismatch{};
      return get_number(env, value);
    case Kind::boolean:
      if (type_of(env, value) != napi_boolean) throw Mismatch{};
      return get_bool(env, value);
    case Kind::scalar: return scalar_or_mismatch(env, value);
    case Kind::string:
      if (type_of(env, value) != napi_string) throw Mismatch{};
      return get_string(env, value);
    case Kind::dtype:
      if (type_of(env, value) != napi_string) throw Mismatch{};
      return to_dtype(env, value);
    case Kind::device:
      if (type_of(env, value) != napi_string) throw Mismatch{};
      return to_device(env, value);
    case Kind::layout: {
      if (type_of(env, value) != napi_string) throw Mismatch{};
      const auto layout = layout_of(get_string(env, value));
      if (!layout) throw Mismatch{};
      return *layout;
    }
    case Kind::memory_format: {
      if (type_of(env, value) != napi_string) throw Mismatch{};
      const auto format = memory_format_of(get_string(env, value));
      if (!format) throw Mismatch{};
      return *format;
    }
    case Kind::unsupported: break;
  }
  throw Mismatch{};
}

// Calls `take` on each element and says which one did not fit.
template <typename Take>
void each_element(napi_env env, napi_value array, uint32_t length, Take take) {
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    NODE_API(napi_get_element(env, array, i, &element));
    try {
      take(element);
    } catch (const Mismatch& mismatch) {
      const std::string received = mismatch.received.empty() ? describe(env, element) : mismatch.received;
      throw Mismatch{received + " at index " + std::to_string(i)};
    }
  }
}

template <typename T, typename Convert>
c10::List<T> collect(napi_env env, napi_value array, uint32_t length, Convert convert) {
  c10::List<T> list;
  // An array can claim any length: what it holds decides how much is taken.
  list.reserve(std::min<uint32_t>(length, 1024));
  each_element(env, array, length, [&](napi_value element) { list.push_back(convert(element)); });
  return list;
}

c10::IValue many(Instance& instance, const ArgumentSpec& spec, napi_value value) {
  napi_env env = instance.env;
  bool is_array;
  NODE_API(napi_is_array(env, value, &is_array));
  if (!is_array) {
    if (spec.kind == Kind::integer && spec.repeat > 0)
      return c10::List<int64_t>(std::vector<int64_t>(spec.repeat, to_integer(env, value)));
    throw Mismatch{};
  }
  const uint32_t length = list_length(env, value);
  switch (spec.kind) {
    case Kind::tensor:
      if (spec.optional_elements)
        return collect<decltype(c10::IValue().toOptional<at::Tensor>())>(
            env, value, length, [&](napi_value element) -> decltype(c10::IValue().toOptional<at::Tensor>()) {
              if (is_nullish(type_of(env, element))) return {};
              return tensor_or_mismatch(instance, element);
            });
      return collect<at::Tensor>(env, value, length,
                                 [&](napi_value element) { return tensor_or_mismatch(instance, element); });
    case Kind::integer:
      return collect<int64_t>(env, value, length, [&](napi_value element) { return to_integer(env, element); });
    case Kind::floating:
      return collect<double>(env, value, length, [&](napi_value element) {
        if (type_of(env, element) != napi_number) throw Mismatch{};
        return get_number(env, element);
      });
    case Kind::boolean:
      return collect<bool>(env, value, length, [&](napi_value element) {
        if (type_of(env, element) != napi_boolean) throw Mismatch{};
        return get_bool(env, element);
      });
    case Kind::scalar: {
      c10::impl::GenericList list(c10::NumberType::get());
      each_element(env, value, length, [&](napi_value element) { list.push_back(scalar_or_mismatch(env, element)); });
      return list;
    }
    case Kind::string:
      return collect<std::string>(env, value, length, [&](napi_value element) {
        if (type_of(env, element) != napi_string) throw Mismatch{};
        return get_string(env, element);
      });
    default: throw Mismatch{};
  }
}

}  // namespace

c10::IValue to_ivalue(Instance& instance, const Operator& op, const ArgumentSpec& spec, napi_value value) {
  const napi_valuetype type = type_of(instance.env, value);
  if (type == napi_undefined && spec.has_default) return spec.default_value;
  if (is_nullish(type) && spec.optional) return {};
  std::string received;
  try {
    return spec.is_list ? many(instance, spec, value) : one(instance, spec.kind, value);
  } catch (const Mismatch& mismatch) {
    received = mismatch.received.empty() ? describe(instance.env, value) : mismatch.received;
  } catch (const JsError& error) {
    if (error.code != "argument") throw;
    received = error.message;
  }
  if (spec.kind == Kind::unsupported && type != napi_undefined) received += ", and this binding can't pass that type";
  throw JsError{"argument",
                op.name + ": argument '" + spec.name + "': expected " + spec.type + ", got " + received,
                {{"operator", op.name}, {"argument", spec.name}, {"expected", spec.type}, {"received", received}}};
}

at::Scalar to_scalar(napi_env env, napi_value value) {
  try {
    return scalar_or_mismatch(env, value);
  } catch (const Mismatch&) {
    throw JsError{"argument", "expected a number, bigint or boolean, got " + describe(env, value), {}};
  }
}

at::ScalarType to_dtype(napi_env env, napi_value value) {
  const std::string name = get_string(env, value);
  if (const auto dtype = dtype_of(name)) return *dtype;
  throw JsError{"argument", "the unknown dtype \"" + name + "\"", {}};
}

at::Device to_device(napi_env env, napi_value value) {
  const std::string name = get_string(env, value);
  try {
    return at::Device(name);
  } catch (const c10::Error&) {
    throw JsError{"argument", "the unknown device \"" + name + "\"", {}};
  }
}

std::vector<int64_t> to_sizes(napi_env env, napi_value array, const char* argument) {
  bool is_array = false;
  NODE_API(napi_is_array(env, array, &is_array));
  if (!is_array) throw JsError{"argument", std::string(argument) + ": expected an array of integers", {}};
  const uint32_t length = list_length(env, array);
  if (length > most_dimensions)
    throw JsError{"argument",
                  std::string(argument) + ": " + std::to_string(length) + " dimensions, more than " +
                      std::to_string(most_dimensions),
                  {}};
  std::vector<int64_t> sizes(length);
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    NODE_API(napi_get_element(env, array, i, &element));
    try {
      sizes[i] = to_integer(env, element);
    } catch (const Mismatch&) {
      throw JsError{"argument", std::string(argument) + ": expected integers, got " + describe(env, element), {}};
    }
  }
  return sizes;
}

napi_value from_integer(napi_env env, int64_t value) {
  if (std::abs(static_cast<double>(value)) <= max_safe_integer) return make_number(env, static_cast<double>(value));
  napi_value big;
  napi_value boxed;
  NODE_API(napi_create_bigint_int64(env, value, &big));
  NODE_API(napi_coerce_to_object(env, big, &boxed));
  return boxed;
}

napi_value from_scalar(napi_env env, const at::Scalar& scalar) {
  if (scalar.isBoolean()) return make_bool(env, scalar.toBool());
  if (scalar.isIntegral(false)) return from_integer(env, scalar.toLong());
  if (scalar.isFloatingPoint()) return make_number(env, scalar.toDouble());
  const auto complex = scalar.toComplexDouble();
  napi_value result;
  NODE_API(napi_create_object(env, &result));
  set_property(env, result, "real", make_number(env, complex.real()));
  set_property(env, result, "imag", make_number(env, complex.imag()));
  return result;
}

napi_value from_ivalue(Instance& instance, const c10::IValue& value) {
  napi_env env = instance.env;
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() ? instance.add_tensor(tensor) : null(env);
  }
  if (value.isNone()) return null(env);
  if (value.isBool()) return make_bool(env, value.toBool());
  if (value.isInt()) return from_integer(env, value.toInt());
  if (value.isDouble()) return make_number(env, value.toDouble());
  if (value.isString()) return make_string(env, value.toStringRef());
  if (value.isScalar()) return from_scalar(env, value.toScalar());
  if (value.isDevice()) return make_string(env, value.toDevice().str());
  const bool is_tuple = value.isTuple();
  if (is_tuple || value.isList()) {
    const auto elements = is_tuple ? value.toTupleRef().elements().vec() : value.toListRef().vec();
    napi_value array;
    NODE_API(napi_create_array_with_length(env, elements.size(), &array));
    for (size_t i = 0; i < elements.size(); ++i)
      NODE_API(napi_set_element(env, array, static_cast<uint32_t>(i), from_ivalue(instance, elements[i])));
    return array;
  }
  throw JsError{"internal", "an operator returned a " + value.tagKind() + ", which this binding can't pass on", {}};
}

}  // namespace binding
