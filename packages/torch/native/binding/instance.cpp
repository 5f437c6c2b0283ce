#include "instance.h"

#include <c10/util/Exception.h>

#include <new>
#include <sstream>

#include "dtypes.h"

namespace binding {

namespace {

// A sweep is due each time that so many tensors, or bytes behind them, have become collectable.
constexpr size_t sweep_count = 1024;
constexpr int64_t sweep_bytes = 64 << 20;

}  // namespace

Instance::Instance(napi_env env)
    : env(env), thread(std::this_thread::get_id()), sweep_at_count_(sweep_count), sweep_at_bytes_(sweep_bytes) {}

Instance::~Instance() {
  // The last tensors may hold custom functions, whose end still asks for `release_later`.
  tensors = TensorTable();
  for (napi_ref reference : pending_) napi_delete_reference(env, reference);
  for (const Collectable& each : collectables_) napi_delete_reference(env, each.object);
  error_factory.clear(env);
  thrown.clear(env);
}

Instance& Instance::of(napi_env env) {
  void* data = nullptr;
  NODE_API(napi_get_instance_data(env, &data));
  return *static_cast<Instance*>(data);
}

napi_value Instance::add_tensor(at::Tensor tensor) {
  const uint64_t handle = tensors.add(std::move(tensor));
  napi_value result;
  NODE_API(napi_create_bigint_uint64(env, handle, &result));
  return result;
}

const at::Tensor& Instance::tensor(napi_value handle, const char* argument) {
  const std::string name = argument[0] == '\0' ? "" : std::string(argument) + ": ";
  uint64_t id;
  bool lossless;
  if (napi_get_value_bigint_uint64(env, handle, &id, &lossless) != napi_ok)
    throw JsError{"argument", name + "expected a tensor, got " + describe(env, handle), {}};
  const at::Tensor* found = lossless ? tensors.find(id) : nullptr;
  if (found == nullptr) throw JsError{"use-after-free", name + "the tensor was freed", {}};
  return *found;
}

std::vector<at::Tensor> Instance::tensor_list(napi_value array, const char* argument) {
  bool is_array = false;
  NODE_API(napi_is_array(env, array, &is_array));
  if (!is_array) throw JsError{"argument", std::string(argument) + ": expected an array of tensors", {}};
  const uint32_t length = list_length(env, array);
  std::vector<at::Tensor> result;
  result.reserve(length);
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    NODE_API(napi_get_element(env, array, i, &element));
    result.push_back(is_nullish(type_of(env, element)) ? at::Tensor() : tensor(element, argument));
  }
  return result;
}

void Instance::release_later(napi_ref reference) {
  std::lock_guard<std::mutex> lock(pending_mutex_);
  pending_.push_back(reference);
  has_pending_ = true;
}

void Instance::release_pending() {
  if (!has_pending_) return;
  std::vector<napi_ref> references;
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    references.swap(pending_);
    has_pending_ = false;
  }
  for (napi_ref reference : references) napi_delete_reference(env, reference);
}

bool Instance::free_tensor(uint64_t handle) {
  const bool freed = tensors.free(handle);
  report_memory();
  return freed;
}

void Instance::set_collectable(uint64_t handle, napi_value object) {
  if (tensors.find(handle) == nullptr) return;
  napi_ref weak;
  NODE_API(napi_create_reference(env, object, 0, &weak));
  collectables_.push_back({handle, weak});
  tensors.set_collectable(handle);
  report_memory();
  if (collectables_.size() < sweep_at_count_ && tensors.collectable_bytes() < sweep_at_bytes_) return;
  sweep();
  // In proportion to what lives, so that the sweeps of many live tensors take a constant share of the time.
  sweep_at_count_ = 2 * collectables_.size() + sweep_count;
  sweep_at_bytes_ = tensors.collectable_bytes() + tensors.collectable_bytes() / 4 + sweep_bytes;
}

void Instance::sweep() {
  size_t kept = 0;
  for (const Collectable& each : collectables_) {
    const HandleScope scope(env);
    napi_value object = nullptr;
    if (tensors.find(each.handle) != nullptr) NODE_API(napi_get_reference_value(env, each.object, &object));
    if (object != nullptr) {
      collectables_[kept++] = each;
      continue;
    }
    napi_delete_reference(env, each.object);
    tensors.free(each.handle);
  }
  collectables_.resize(kept);
  report_memory();
}

void Instance::report_memory() {
  // In steps, as each report may make V8 think about collecting.
  constexpr int64_t step = 4 << 20;
  const int64_t change = tensors.collectable_bytes() - reported_bytes_;
  if (change < step && change > -step) return;
  int64_t total;
  NODE_API(napi_adjust_external_memory(env, change, &total));
  reported_bytes_ += change;
}

void Instance::throw_js(const JsError& error) {
  if (!error_factory) {
    napi_throw_error(env, error.code.c_str(), error.message.c_str());
    return;
  }
  napi_value factory = error_factory.get(env);
  napi_value fields;
  NODE_API(napi_create_object(env, &fields));
  for (const auto& [key, value] : error.fields) set_property(env, fields, key.c_str(), make_string(env, value));
  napi_value arguments[] = {make_string(env, error.code), make_string(env, error.message), fields};
  napi_value exception;
  NODE_API(napi_call_function(env, undefined(env), factory, 3, arguments, &exception));
  NODE_API(napi_throw(env, exception));
}

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream text;
  const char* dtype = name_of(tensor.scalar_type());
  text << tensor.sizes() << " " << (dtype != nullptr ? dtype : c10::toString(tensor.scalar_type()));
  if (!tensor.device().is_cpu()) text << " " << tensor.device();
  return text.str();
}

namespace {

// What was thrown, as an error for JavaScript. Called within a handler.
JsError error_of_exception() {
  try {
    throw;
  } catch (JsError& thrown) {
    return std::move(thrown);
  } catch (const c10::Error& thrown) {
    return {"operator", thrown.what_without_backtrace(), {}};
  } catch (const std::bad_alloc&) {
    return {"out-of-memory", "out of memory", {}};
  } catch (const std::exception& thrown) {
    return {"operator", thrown.what(), {}};
  } catch (...) {
    return {"internal", "an exception of an unknown kind was thrown", {}};
  }
}

}  // namespace

napi_value guarded(napi_env env, napi_callback_info info, Method body) {
  try {
    Instance& instance = Instance::of(env);
    try {
      instance.release_pending();
      return body(instance, info);
    } catch (const PendingJsException&) {
      return nullptr;
    } catch (...) {
      const JsError error = error_of_exception();
      // The real cause is what a callback threw inside libtorch's frames, where one did.
      if (instance.thrown)
        NODE_API(napi_throw(env, instance.thrown.take(env)));
      else
        instance.throw_js(error);
    }
  } catch (...) {
    // Node-API refused, or there is no memory for the message.
    napi_throw_error(env, "internal", "the error could not be told");
  }
  return nullptr;
}

void export_all(napi_env env, napi_value exports, std::initializer_list<Export> list) {
  for (const Export& item : list) {
    napi_value function;
    NODE_API(napi_create_function(env, item.name, NAPI_AUTO_LENGTH, item.callback, nullptr, &function));
    set_property(env, exports, item.name, function);
  }
}

}  // namespace binding
