// The memory of an accelerator, by the interface that libtorch has for all of them since 2.13; before that it is not known.
#pragma once

#include <ATen/ATen.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 13)
#define PROMPTLOSS_KNOWS_DEVICE_MEMORY
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#endif

namespace promptloss {

/** Bytes; all 0 where they are not known. */
struct DeviceMemory {
  int64_t free = 0;       // of the device, for any process
  int64_t total = 0;
  int64_t allocated = 0;  // by tensors
  int64_t reserved = 0;   // by libtorch, tensors included
  int64_t peak = 0;       // most allocated
};

#ifdef PROMPTLOSS_KNOWS_DEVICE_MEMORY

/** Null where the device has no such allocator, or has not been used. */
inline c10::DeviceAllocator* allocator_of(const at::Device& device) {
  if (!device.is_cuda()) return nullptr;
  auto* found = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  return found != nullptr && found->initialized() ? found : nullptr;
}

inline c10::DeviceIndex index_of(const at::Device& device) {
  return device.has_index() ? device.index() : c10::impl::VirtualGuardImpl(device.type()).getDevice().index();
}

inline DeviceMemory device_memory(const at::Device& device) {
  auto* allocator = allocator_of(device);
  if (allocator == nullptr) return {};
  const auto index = index_of(device);
  const auto [free, total] = allocator->getMemoryInfo(index);
  const auto stats = allocator->getDeviceStats(index);
  constexpr size_t all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return {static_cast<int64_t>(free), static_cast<int64_t>(total), stats.allocated_bytes[all].current,
          stats.reserved_bytes[all].current, stats.allocated_bytes[all].peak};
}

inline void reset_peak_memory(const at::Device& device) {
  if (auto* allocator = allocator_of(device)) allocator->resetPeakStats(index_of(device));
}

#else

inline DeviceMemory device_memory(const at::Device&) { return {}; }
inline void reset_peak_memory(const at::Device&) {}

#endif

}  // namespace promptloss
