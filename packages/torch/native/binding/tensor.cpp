// What JavaScript asks of one tensor that is not an operator: life, metadata, and its bytes in and out.
#include <ATen/ATen.h>

#include "convert.h"
#include "dtypes.h"
#include "exports.h"

#include <memory>

namespace binding {
namespace {

const at::Tensor& first(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  return instance.tensor(args[0], "tensor");
}

// A handle that need not be live.
uint64_t first_handle(Instance& instance, napi_callback_info info) {
  Arguments<1> args(instance.env, info);
  uint64_t handle;
  bool lossless;
  NODE_API(napi_get_value_bigint_uint64(instance.env, args[0], &handle, &lossless));
  return handle;
}

napi_value free_tensor(Instance& instance, napi_callback_info info) {
  return make_bool(instance.env, instance.free_tensor(first_handle(instance, info)));
}

// setCollectable(handle, object): the tensor goes with the object
napi_value set_collectable(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  instance.set_collectable(first_handle(instance, info), args[1]);
  return undefined(instance.env);
}

napi_value memory(Instance& instance, napi_callback_info) {
  napi_value result;
  NODE_API(napi_create_object(instance.env, &result));
  set_property(instance.env, result, "tensors", make_number(instance.env, static_cast<double>(instance.tensors.live())));
  set_property(instance.env, result, "bytes", make_number(instance.env, static_cast<double>(instance.tensors.bytes())));
  const auto collectable = static_cast<double>(instance.tensors.collectable_bytes());
  set_property(instance.env, result, "collectable", make_number(instance.env, collectable));
  return result;
}

napi_value integers(napi_env env, at::IntArrayRef values) {
  napi_value array;
  NODE_API(napi_create_array_with_length(env, values.size(), &array));
  for (size_t i = 0; i < values.size(); ++i)
    NODE_API(napi_set_element(env, array, static_cast<uint32_t>(i), make_number(env, static_cast<double>(values[i]))));
  return array;
}

napi_value shape(Instance& instance, napi_callback_info info) {
  return integers(instance.env, first(instance, info).sizes());
}

napi_value strides(Instance& instance, napi_callback_info info) {
  return integers(instance.env, first(instance, info).strides());
}

napi_value dtype(Instance& instance, napi_callback_info info) {
  const at::ScalarType type = first(instance, info).scalar_type();
  const char* name = name_of(type);
  return make_string(instance.env, name != nullptr ? name : c10::toString(type));
}

napi_value layout(Instance& instance, napi_callback_info info) {
  const char* name = name_of(first(instance, info).layout());
  return make_string(instance.env, name != nullptr ? name : "other");
}

napi_value device(Instance& instance, napi_callback_info info) {
  return make_string(instance.env, first(instance, info).device().str());
}

napi_value numel(Instance& instance, napi_callback_info info) {
  return make_number(instance.env, static_cast<double>(first(instance, info).numel()));
}

napi_value dim(Instance& instance, napi_callback_info info) {
  return make_number(instance.env, static_cast<double>(first(instance, info).dim()));
}

napi_value storage_offset(Instance& instance, napi_callback_info info) {
  return make_number(instance.env, static_cast<double>(first(instance, info).storage_offset()));
}

napi_value is_contiguous(Instance& instance, napi_callback_info info) {
  return make_bool(instance.env, first(instance, info).is_contiguous());
}

napi_value shares_storage(Instance& instance, napi_callback_info info) {
  Arguments<2> args(instance.env, info);
  const at::Tensor& a = instance.tensor(args[0], "tensor");
  const at::Tensor& b = instance.tensor(args[1], "other");
  return make_bool(instance.env, a.has_storage() && b.has_storage() && a.storage().is_alias_of(b.storage()));
}

napi_value item(Instance& instance, napi_callback_info info) {
  return from_scalar(instance.env, first(instance, info).item());
}

// The bytes that `sizes` of `dtype` take; throws where they overflow or a size is negative.
size_t bytes_needed(const std::vector<int64_t>& sizes, at::ScalarType dtype) {
  int64_t bytes = static_cast<int64_t>(c10::elementSize(dtype));
  for (int64_t size : sizes)
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes))
      throw JsError{"argument", "shape: sizes are negative or too large", {{"argument", "shape"}}};
  return static_cast<size_t>(bytes);
}

// fromBuffer(buffer, byteOffset, shape, dtype, share) → handle. Shared, the tensor holds on to the ArrayBuffer;
// whoever shares must not transfer it (postMessage), as Node-API can't stop that.
napi_value from_buffer(Instance& instance, napi_callback_info info) {
  napi_env env = instance.env;
  Arguments<5> args(env, info);
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env, args[0], &data, &length) != napi_ok)
    throw JsError{"argument", "buffer: expected an ArrayBuffer, got " + describe(env, args[0]), {{"argument", "buffer"}}};
  const double offset_number = get_number(env, args[1]);
  const auto sizes = to_sizes(env, args[2], "shape");
  const at::ScalarType dtype = to_dtype(env, args[3]);
  const size_t needed = bytes_needed(sizes, dtype);
  if (!(offset_number >= 0) || offset_number > static_cast<double>(length) ||
      needed > length - static_cast<size_t>(offset_number))
    throw JsError{"argument",
                  "shape: needs " + std::to_string(needed) + " bytes, the data has " + std::to_string(length),
                  {{"argument", "shape"}}};
  const auto options = at::TensorOptions(dtype);
  if (needed == 0) return instance.add_tensor(at::empty(sizes, options));
  char* start = static_cast<char*>(data) + static_cast<size_t>(offset_number);
  if (!get_bool(env, args[4])) {
    at::Tensor copy = at::empty(sizes, options);
    std::memcpy(copy.data_ptr(), start, needed);
    return instance.add_tensor(copy);
  }
  if (reinterpret_cast<uintptr_t>(start) % c10::elementSize(dtype) != 0)
    throw JsError{"argument", "byteOffset: not aligned to the dtype", {{"argument", "byteOffset"}}};
  napi_ref reference;
  NODE_API(napi_create_reference(env, args[0], 1, &reference));
  Instance* owner = &instance;
  return instance.add_tensor(at::from_blob(
      start, sizes, [owner, reference](void*) { owner->release_later(reference); }, options));
}

at::Tensor dense_on_cpu(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).contiguous().resolve_conj().resolve_neg();
}

// toBuffer(handle) → ArrayBuffer with a copy of the elements in row-major order
napi_value to_buffer(Instance& instance, napi_callback_info info) {
  const at::Tensor dense = dense_on_cpu(first(instance, info));
  const size_t bytes = dense.nbytes();
  void* data = nullptr;
  napi_value buffer;
  NODE_API(napi_create_arraybuffer(instance.env, bytes, &data, &buffer));
  if (bytes > 0) std::memcpy(data, dense.data_ptr(), bytes);
  return buffer;
}

// The memory of a storage that JavaScript sees as well: it goes when neither needs it any longer, whatever happens to the
// storage meanwhile (set_, a copy on write, a resize).
using SharedMemory = std::shared_ptr<at::DataPtr>;

void drop_share(void* context) { delete static_cast<SharedMemory*>(context); }

// From the first time on, the storage is fixed: elements that move would leave JavaScript with those of before.
SharedMemory share_memory(const at::Tensor& tensor) {
  c10::StorageImpl* storage = tensor.storage().unsafeGetStorageImpl();
  // Written to through JavaScript: a memory that is to be copied on the first write is copied now.
  tensor.data_ptr();
  const at::DataPtr& present = storage->data_ptr();
  if (present.get_deleter() == &drop_share) return *static_cast<SharedMemory*>(present.get_context());
  const at::Device device = present.device();
  void* data = present.get();
  storage->set_resizable(false);
  auto memory = std::make_shared<at::DataPtr>();
  auto own = std::make_unique<SharedMemory>(memory);
  *memory = storage->set_data_ptr(at::DataPtr(data, own.get(), &drop_share, device));
  own.release();
  return memory;
}

// viewBuffer(handle) → ArrayBuffer over the tensor's own memory, which it keeps alive
napi_value view_buffer(Instance& instance, napi_callback_info info) {
  const at::Tensor& tensor = first(instance, info);
  if (!tensor.device().is_cpu() || tensor.layout() != at::kStrided || !tensor.is_contiguous() || tensor.is_conj() ||
      tensor.is_neg())
    throw JsError{"argument",
                  "tensor: only a contiguous tensor on the CPU can be viewed in place, got " + describe(tensor),
                  {{"argument", "tensor"}}};
  napi_value buffer;
  if (tensor.nbytes() == 0) {
    void* data;
    NODE_API(napi_create_arraybuffer(instance.env, 0, &data, &buffer));
    return buffer;
  }
  auto keep = std::make_unique<SharedMemory>(share_memory(tensor));
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<SharedMemory*>(hint); };
  NODE_API(napi_create_external_arraybuffer(
      instance.env, tensor.data_ptr(), tensor.nbytes(), release, keep.get(), &buffer));
  keep.release();
  return buffer;
}

}  // namespace

void export_tensor(napi_env env, napi_value exports) {
  export_all(env, exports,
             {{"free", entry<free_tensor>},
              {"setCollectable", entry<set_collectable>},
              {"memory", entry<memory>},
              {"shape", entry<shape>},
              {"strides", entry<strides>},
              {"dtype", entry<dtype>},
              {"layout", entry<layout>},
              {"device", entry<device>},
              {"numel", entry<numel>},
              {"dim", entry<dim>},
              {"storageOffset", entry<storage_offset>},
              {"isContiguous", entry<is_contiguous>},
              {"sharesStorage", entry<shares_storage>},
              {"item", entry<item>},
              {"fromBuffer", entry<from_buffer>},
              {"toBuffer", entry<to_buffer>},
              {"viewBuffer", entry<view_buffer>}});
}

}  // namespace binding
