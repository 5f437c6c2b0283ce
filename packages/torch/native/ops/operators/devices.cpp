// promptloss::upload, and the memory of a device: what the fused operators need of an accelerator beside operators.
#include <mutex>
#include <unordered_map>

#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "device_memory.h"

namespace promptloss::devices {

/** Each part of an upload begins here or at a multiple: what any dtype and any vector load wants. */
constexpr int64_t kAlignment = 64;

/** The stream of a device on which rows travel while it computes; one for the process. */
c10::Stream transfer_stream(const c10::impl::VirtualGuardImpl& guard, const at::Device& device) {
  static std::mutex mutex;
  static auto* streams = new std::unordered_map<int, c10::Stream>();
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = streams->find(device.index());
  if (found != streams->end()) return found->second;
  return streams->emplace(device.index(), guard.getStreamFromGlobalPool(device, true)).first->second;
}

/** Bytes on the host → bytes on the device, by a stream of their own; the device's work at hand waits for them, the host does not. */
at::Tensor sent(const at::Tensor& pinned, const at::Device& device) {
  const c10::DeviceGuard on_device(device);
  const c10::impl::VirtualGuardImpl guard(device.type());
  const auto computing = guard.getStream(device);
  const auto transfer = transfer_stream(guard, device);
  c10::Event arrived(device.type());
  at::Tensor whole;
  guard.exchangeStream(transfer);
  try {
    whole = at::empty(pinned.sizes(), pinned.options().device(device).pinned_memory(false));
    whole.copy_(pinned, true);
    arrived.record(transfer);
  } catch (...) {
    guard.exchangeStream(computing);
    throw;
  }
  guard.exchangeStream(computing);
  arrived.block(computing);
  // Its memory came from the stream of transfers, and must not go back there while the device computes with it.
  whole.record_stream(computing);
  return whole;
}

/** "cuda" → "cuda:0": streams belong to a device by number. */
at::Device numbered(const at::Device& device) {
  if (device.has_index() || device.is_cpu()) return device;
  return c10::impl::VirtualGuardImpl(device.type()).getDevice();
}

/** Copies of `tensors`, of the CPU, on `device`: to CUDA all at once through pinned memory, without a wait. */
std::vector<at::Tensor> upload(at::TensorList tensors, at::Device device) {
  std::vector<at::Tensor> result;
  for (const auto& tensor : tensors)
    TORCH_CHECK(
        tensor.is_cpu() && tensor.layout() == at::kStrided && tensor.is_contiguous() && !tensor.requires_grad(),
        "upload: tensors must be contiguous, on the CPU, and without gradients");
  if (!device.is_cuda()) {
    for (const auto& tensor : tensors) result.push_back(tensor.to(device, tensor.scalar_type(), false, true));
    return result;
  }
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
  for (const auto& tensor : tensors) {
    offsets.push_back(bytes);
    bytes += (static_cast<int64_t>(tensor.nbytes()) + kAlignment - 1) / kAlignment * kAlignment;
  }
  const auto pinned = at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(true));
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].nbytes() > 0)
      std::memcpy(static_cast<char*>(pinned.data_ptr()) + offsets[i], tensors[i].data_ptr(), tensors[i].nbytes());
  const auto whole = sent(pinned, numbered(device));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& tensor = tensors[i];
    const auto part = whole.narrow(0, offsets[i], static_cast<int64_t>(tensor.nbytes()));
    result.push_back(part.view(tensor.scalar_type()).view(tensor.sizes()));
  }
  return result;
}

std::vector<int64_t> memory(at::Device device) {
  const auto found = device_memory(device);
  return {found.free, found.total, found.allocated, found.reserved, found.peak};
}

void reset_peak(at::Device device) { reset_peak_memory(device); }

}  // namespace promptloss::devices
