#include "instance.h"

#include <c10/util/Exception.h>

#include <new>
#include <sstream>

#include "dtypes.h"

namespace binding {

Instance::~Instance() {
  // The last tensors may hold custom functions, whose end still asks for `release_later`.
  tensors = TensorTable();
  for (napi_ref reference : pending_) napi_delete_reference(env, reference);
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
  uint32_t length;
  if (napi_get_array_length(env, array, &length) != napi_ok)
    throw JsError{"argument", std::string(argument) + ": expected an array of tensors", {}};
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
  napi_value factory = nullptr;
  if (error_factory != nullptr) NODE_API(napi_get_reference_value(env, error_factory, &factory));
  if (factory == nullptr) {
    napi_throw_error(env, error.code.c_str(), error.message.c_str());
    return;
  }
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

napi_value guarded(napi_env env, napi_callback_info info, Method body) {
  Instance& instance = Instance::of(env);
  JsError error;
  try {
    instance.release_pending();
    return body(instance, info);
  } catch (const PendingJsException&) {
    return nullptr;
  } catch (JsError& thrown) {
    error = std::move(thrown);
  } catch (const c10::Error& thrown) {
    error = {"operator", thrown.what_without_backtrace(), {}};
  } catch (const std::bad_alloc&) {
    error = {"out-of-memory", "out of memory", {}};
  } catch (const std::exception& thrown) {
    error = {"operator", thrown.what(), {}};
  }
  try {
    if (instance.thrown != nullptr) {
      // The real cause: what a callback threw inside libtorch's frames.
      napi_ref reference = std::exchange(instance.thrown, nullptr);
      napi_value exception;
      NODE_API(napi_get_reference_value(env, reference, &exception));
      NODE_API(napi_delete_reference(env, reference));
      NODE_API(napi_throw(env, exception));
      return nullptr;
    }
    instance.throw_js(error);
  } catch (...) {
    napi_throw_error(env, error.code.c_str(), error.message.c_str());
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
