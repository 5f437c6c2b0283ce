// What one Node environment (the main thread or a worker) owns: its tensors, its resolved operators, the
// factory of its errors. Entry points are written with `method`, which turns every exception into a
// JavaScript error.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "node_api_util.h"
#include "operator.h"
#include "tensor_table.h"

namespace binding {

class Instance {
 public:
  explicit Instance(napi_env env);
  ~Instance();

  static Instance& of(napi_env env);

  napi_env const env;
  const std::thread::id thread;
  TensorTable tensors;
  std::vector<std::unique_ptr<Operator>> operators;
  std::unordered_map<std::string, size_t> operator_index;
  Reference error_factory;
  // A JavaScript exception on its way through libtorch's frames (a custom function's callback threw).
  Reference thrown;
  // Custom functions in JavaScript that some graph still holds.
  std::atomic<int> js_functions{0};

  napi_value add_tensor(at::Tensor tensor);
  // The tensor behind a JavaScript handle; `argument` names it in the error.
  const at::Tensor& tensor(napi_value handle, const char* argument);
  std::vector<at::Tensor> tensor_list(napi_value array, const char* argument);

  // References may be dropped on any thread, but Node-API deletes them only on its own: they wait here.
  void release_later(napi_ref reference);
  void release_pending();

  // From now on the garbage collector is to free the tensor, of which `object` is JavaScript's.
  void set_collectable(uint64_t handle, napi_value object);
  bool free_tensor(uint64_t handle);
  void throw_js(const JsError& error);

 private:
  // Tells V8 how much memory lies behind the small handles that it collects, so that it does so in time. What scopes
  // free is not its concern: told of a training step's tensors it would collect in every step, in vain.
  void report_memory();
  // Frees the tensors whose objects V8 has collected. Their finalizers do so too, but only when JavaScript returns to
  // its event loop, which a long loop never does.
  void sweep();

  struct Collectable {
    uint64_t handle;
    // Weak: it does not keep the object.
    napi_ref object;
  };
  std::vector<Collectable> collectables_;
  // The next sweep is due beyond these.
  size_t sweep_at_count_;
  int64_t sweep_at_bytes_;
  int64_t reported_bytes_ = 0;
  std::mutex pending_mutex_;
  std::vector<napi_ref> pending_;
  std::atomic<bool> has_pending_{false};
};

using Method = napi_value (*)(Instance&, napi_callback_info);

// Runs `body` and turns what it throws into a pending JavaScript exception.
napi_value guarded(napi_env env, napi_callback_info info, Method body);

template <Method body>
napi_value entry(napi_env env, napi_callback_info info) {
  return guarded(env, info, body);
}

struct Export {
  const char* name;
  napi_callback callback;
};

void export_all(napi_env env, napi_value exports, std::initializer_list<Export> list);

// A tensor's "[2, 3] float32", for messages.
std::string describe(const at::Tensor& tensor);

}  // namespace binding
