// The addon's entry: one Instance for each Node environment that loads it.
#include "exports.h"

namespace {

void destroy(napi_env, void* data, void*) { delete static_cast<binding::Instance*>(data); }

napi_value initialise(napi_env env, napi_value exports) {
  auto* instance = new binding::Instance(env);
  if (napi_set_instance_data(env, instance, destroy, nullptr) != napi_ok) {
    delete instance;
    napi_throw_error(env, nullptr, "Node-API refused the instance data");
    return nullptr;
  }
  try {
    binding::export_call(env, exports);
    binding::export_tensor(env, exports);
    binding::export_autograd(env, exports);
    binding::export_function(env, exports);
    binding::export_runtime(env, exports);
  } catch (...) {
    napi_throw_error(env, nullptr, "Node-API refused the exports");
  }
  return exports;
}

}  // namespace

NAPI_MODULE(promptloss_torch, initialise)
