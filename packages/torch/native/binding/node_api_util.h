// Small helpers over Node-API's C interface: checked calls and conversions that every file here needs.
// Node-API and nothing else: no libtorch types.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace binding {

// A Node-API call failed with a JavaScript exception pending: unwind to the boundary and let it through.
struct PendingJsException {};

// Something that JavaScript did wrong; becomes a JavaScript error of the family `code` (see src/errors.ts).
struct JsError {
  std::string code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};

inline void check(napi_status status, const char* what) {
  if (status == napi_ok) return;
  if (status == napi_pending_exception) throw PendingJsException{};
  throw JsError{"internal", std::string("Node-API refused: ") + what, {}};
}

#define NODE_API(call) ::binding::check((call), #call)

inline napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type;
  NODE_API(napi_typeof(env, value, &type));
  return type;
}

inline bool is_nullish(napi_valuetype type) { return type == napi_undefined || type == napi_null; }

inline napi_value undefined(napi_env env) {
  napi_value result;
  NODE_API(napi_get_undefined(env, &result));
  return result;
}

inline napi_value null(napi_env env) {
  napi_value result;
  NODE_API(napi_get_null(env, &result));
  return result;
}

inline napi_value make_bool(napi_env env, bool value) {
  napi_value result;
  NODE_API(napi_get_boolean(env, value, &result));
  return result;
}

inline napi_value make_number(napi_env env, double value) {
  napi_value result;
  NODE_API(napi_create_double(env, value, &result));
  return result;
}

inline napi_value make_string(napi_env env, const std::string& value) {
  napi_value result;
  NODE_API(napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

inline void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  NODE_API(napi_set_named_property(env, object, name, value));
}

std::string get_string(napi_env env, napi_value value);
bool get_bool(napi_env env, napi_value value);
double get_number(napi_env env, napi_value value);
// A JavaScript value in a few words, for "expected …, got …".
std::string describe(napi_env env, napi_value value);

// The arguments of one call from JavaScript; those left out are undefined.
template <size_t N>
struct Arguments {
  napi_value values[N];
  size_t count = N;
  void* data = nullptr;

  Arguments(napi_env env, napi_callback_info info) {
    NODE_API(napi_get_cb_info(env, info, &count, values, nullptr, &data));
  }
  napi_value operator[](size_t i) const { return values[i]; }
};

}  // namespace binding
