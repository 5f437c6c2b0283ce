#include "node_api_util.h"

namespace binding {

uint32_t list_length(napi_env env, napi_value array) {
  constexpr uint32_t most = 1u << 24;
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok)
    throw JsError{"argument", "expected an array, got " + describe(env, array), {}};
  if (length > most)
    throw JsError{"argument", "a list of " + std::to_string(length) + " elements, more than " + std::to_string(most), {}};
  return length;
}

std::string get_string(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok)
    throw JsError{"argument", "expected a string, got " + describe(env, value), {}};
  std::string result(length, '\0');
  NODE_API(napi_get_value_string_utf8(env, value, result.data(), length + 1, &length));
  return result;
}

bool get_bool(napi_env env, napi_value value) {
  bool result;
  if (napi_get_value_bool(env, value, &result) != napi_ok)
    throw JsError{"argument", "expected a boolean, got " + describe(env, value), {}};
  return result;
}

double get_number(napi_env env, napi_value value) {
  double result;
  if (napi_get_value_double(env, value, &result) != napi_ok)
    throw JsError{"argument", "expected a number, got " + describe(env, value), {}};
  return result;
}

std::string describe(napi_env env, napi_value value) {
  bool is_array = false;
  switch (type_of(env, value)) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a tensor";
    case napi_external: return "an external";
    case napi_string: {
      std::string text = get_string(env, value);
      return "the string \"" + (text.size() > 40 ? text.substr(0, 40) + "…" : text) + "\"";
    }
    case napi_number: {
      napi_value text;
      NODE_API(napi_coerce_to_string(env, value, &text));
      return "the number " + get_string(env, text);
    }
    case napi_object:
      NODE_API(napi_is_array(env, value, &is_array));
      return is_array ? "an array" : "an object";
  }
  return "an unknown value";
}

}  // namespace binding
