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

// A reference to a JavaScript value, or none.
class Reference {
 public:
  Reference() = default;
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  explicit operator bool() const { return reference_ != nullptr; }
  // Holds this value in place of what it held.
  void set(napi_env env, napi_value value) {
    clear(env);
    NODE_API(napi_create_reference(env, value, 1, &reference_));
  }
  napi_value get(napi_env env) const {
    napi_value value;
    NODE_API(napi_get_reference_value(env, reference_, &value));
    return value;
  }
  // What it held, which it then holds no longer.
  napi_value take(napi_env env) {
    napi_value value = get(env);
    clear(env);
    return value;
  }
  void clear(napi_env env) noexcept {
    if (reference_ != nullptr) napi_delete_reference(env, std::exchange(reference_, nullptr));
  }

 private:
  napi_ref reference_ = nullptr;
};

// A scope for the JavaScript values that are made until its end.
struct HandleScope {
  napi_env env;
  napi_handle_scope scope = nullptr;
  explicit HandleScope(napi_env env) : env(env) { NODE_API(napi_open_handle_scope(env, &scope)); }
  ~HandleScope() { napi_close_handle_scope(env, scope); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;
};

// The length of an array from JavaScript, which can claim any: throws JsError for more than any list here holds.
uint32_t list_length(napi_env env, napi_value array);

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
