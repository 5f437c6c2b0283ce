// The addon's entry: one Instance for each Node environment that loads it.
#include <c10/util/Logging.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cstdlib>

#include "exports.h"
#include "heap.h"

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

// oneDNN and libtorch keep 1,024 compiled products each, a megabyte or two apiece with their working memory. Batches of
// sentences have ever new shapes: a bf16 training run of stories15M grew to 3.4 GB by them.
// They read these when they are first used; what a person has set stays.
void limit_primitive_caches() {
  for (const char* name : {"LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"}) setenv(name, "256", 0);
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
  limit_primitive_caches();
  binding::keep_freed_memory();
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
