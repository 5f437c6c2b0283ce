// The process around the tensors: version, threads, seeds, random state, devices, and libraries of operators.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/Context.h>
#include <dlfcn.h>
#include <cmath>
#include <torch/csrc/api/include/torch/version.h>

#include "convert.h"
#include "exports.h"
#include "heap.h"

namespace binding {
namespace {

napi_value version(Instance& instance, napi_callback_info) { return make_string(instance.env, TORCH_VERSION); }

// setErrorFactory((code, message, fields) => Error)
napi_value set_error_factory(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  instance.error_factory.set(instance.env, args[0]);
  return undefined(instance.env);
}

napi_value get_threads(Instance& instance, napi_callback_info) {
  return make_number(instance.env, at::get_num_threads());
}

// tuneProcess(): for a process that trains or generates; what a person has set stays
napi_value tune_process(Instance& instance, napi_callback_info) {
  limit_primitive_caches();
  keep_freed_memory();
  return undefined(instance.env);
}

napi_value reuse_heap(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  reuse_memory(get_bool(instance.env, args[0]));
  return undefined(instance.env);
}

napi_value return_heap(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  return_memory(get_bool(instance.env, args[0]));
  return undefined(instance.env);
}

napi_value set_threads(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const double count = get_number(instance.env, args[0]);
  if (!(count >= 1 && count <= 4096) || count != std::trunc(count))
    throw JsError{"argument", "threads: expected a whole number from 1 to 4096", {{"argument", "threads"}}};
  at::set_num_threads(static_cast<int>(count));
  return undefined(instance.env);
}

napi_value manual_seed(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  int64_t seed;
  uint64_t unsigned_seed;
  bool lossless = false;
  // Signed or not, as Python takes it.
  if (napi_get_value_bigint_uint64(instance.env, args[0], &unsigned_seed, &lossless) != napi_ok || !lossless) {
    if (napi_get_value_bigint_int64(instance.env, args[0], &seed, &lossless) != napi_ok || !lossless)
      throw JsError{"argument", "seed: expected a 64-bit integer", {{"argument", "seed"}}};
    unsigned_seed = static_cast<uint64_t>(seed);
  }
  at::manual_seed(unsigned_seed);
  return undefined(instance.env);
}

at::Generator generator_of(napi_env env, napi_value device) {
  return at::globalContext().defaultGenerator(to_device(env, device));
}

// getRngState(device) → handle of a uint8 tensor
napi_value get_rng_state(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  at::Generator generator = generator_of(instance.env, args[0]);
  std::lock_guard<std::mutex> lock(generator.mutex());
  return instance.add_tensor(generator.get_state());
}

napi_value set_rng_state(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  const at::Tensor& state = instance.tensor(args[1], "state");
  at::Generator generator = generator_of(instance.env, args[0]);
  std::lock_guard<std::mutex> lock(generator.mutex());
  // A copy, as the generator reads it with aligned loads, and a view of a file may lie anywhere.
  generator.set_state(state.clone(at::MemoryFormat::Contiguous));
  return undefined(instance.env);
}

napi_value devices(Instance& instance, napi_callback_info) {
  napi_value result;
  NODE_API(napi_create_object(instance.env, &result));
  const int cuda = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  set_property(instance.env, result, "cuda", make_number(instance.env, cuda));
  set_property(instance.env, result, "mps", make_bool(instance.env, at::hasMPS()));
  return result;
}

// synchronize(device): waits for what was queued on it
napi_value synchronize(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const at::Device device = to_device(instance.env, args[0]);
  if (device.is_cuda()) {
    if (!at::hasCUDA()) throw JsError{"argument", "device: there is no CUDA device", {{"argument", "device"}}};
    at::detail::getCUDAHooks().deviceSynchronize(device.has_index() ? device.index() : 0);
  }
  return undefined(instance.env);
}

// loadLibrary(path): a library whose static initialisers register operators, as torch.ops.load_library does
napi_value load_library(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  const std::string path = get_string(instance.env, args[0]);
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    throw JsError{"library", "can't load " + path + ": " + (reason != nullptr ? reason : "unknown"), {{"path", path}}};
  }
  return undefined(instance.env);
}

}  // namespace

void export_runtime(napi_env env, napi_value exports) {
  export_all(env, exports,
             {{"version", entry<version>},
              {"setErrorFactory", entry<set_error_factory>},
              {"getThreads", entry<get_threads>},
              {"setThreads", entry<set_threads>},
              {"tuneProcess", entry<tune_process>},
              {"reuseMemory", entry<reuse_heap>},
              {"returnMemory", entry<return_heap>},
              {"manualSeed", entry<manual_seed>},
              {"getRngState", entry<get_rng_state>},
              {"setRngState", entry<set_rng_state>},
              {"devices", entry<devices>},
              {"synchronize", entry<synchronize>},
              {"loadLibrary", entry<load_library>}});
}

}  // namespace binding
