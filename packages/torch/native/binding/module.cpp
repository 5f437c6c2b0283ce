// The addon's entry: one Instance for each Node environment that loads it.
#include <c10/util/Logging.h>
#include <torch/csrc/api/include/torch/version.h>

#include "exports.h"

namespace {

// libtorch 1.x reads the names of all frames for each error, some 5 ms, and errors here leave without them; 2.x reads
// them when asked.
void leave_out_backtraces() {
#if TORCH_VERSION_MAJOR < 2
  static const bool once = [] {
    c10::SetStackTraceFetcher([] { return std::string(); });
    return true;
  }();
  (void)once;
#endif
}

void destroy(napi_env, void* data, void*) { delete static_cast<binding::Instance*>(data); }

napi_value initialise(napi_env env, napi_value exports) {
  auto* instance = new binding::Instance(env);
  if (napi_set_instance_data(env, instance, destroy, nullptr) != napi_ok) {
    delete instance;
    napi_throw_error(env, nullptr, "Node-API refused the instance data");
    return nullptr;
  }
  leave_out_backtraces();
  try {
    binding::export_call(env, exports);
    binding::export_tensor(env, exports);
    binding::export_autograd(env, exports);
    binding::export_function(env, exports);
    binding::export_runtime(env, exports);
    binding::export_profile(env, exports);
  } catch (...) {
    napi_throw_error(env, nullptr, "Node-API refused the exports");
  }
  return exports;
}

}  // namespace

NAPI_MODULE(promptloss_torch, initialise)
